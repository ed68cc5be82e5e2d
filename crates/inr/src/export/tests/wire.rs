//! A reader of the wire format that shares nothing with the writer.

/// A field of a message: its number and its content.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Integer(u64, u64),
    Bytes(u64, Vec<u8>),
}

/// The fields of a message, which must have no other types than the writer's.
pub(super) fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        fields.push(match tag & 7 {
            0 => Field::Integer(tag >> 3, varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (own, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(tag >> 3, own.to_vec())
            }
            other => panic!("wire type {other}"),
        });
    }
    fields
}

/// The contents of the fields with this number, which are bytes.
pub(super) fn parts(bytes: &[u8], number: u64) -> Vec<Vec<u8>> {
    let own = |field| match field {
        Field::Bytes(seen, bytes) if seen == number => Some(bytes),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(own).collect()
}

/// The one field with this number, as bytes.
pub(super) fn part(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut parts = parts(bytes, number);
    assert_eq!(parts.len(), 1, "field {number}");
    parts.remove(0)
}

/// The texts of the fields with this number.
pub(super) fn texts(bytes: &[u8], number: u64) -> Vec<String> {
    parts(bytes, number).into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

/// The one text with this number.
pub(super) fn text(bytes: &[u8], number: u64) -> String {
    String::from_utf8(part(bytes, number)).unwrap()
}

/// The integers of the fields with this number.
pub(super) fn integers(bytes: &[u8], number: u64) -> Vec<u64> {
    let own = |field| match field {
        Field::Integer(seen, value) if seen == number => Some(value),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(own).collect()
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0.. {
        let digit = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(digit & 0x7f) << (7 * place);
        if digit < 0x80 {
            break;
        }
    }
    value
}
