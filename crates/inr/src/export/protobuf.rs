//! The wire format of Protocol Buffers, as far as ONNX files need it.
//!
//! A message is a sequence of fields. A field begins with the varint `8·number + type`:
//!
//! | type | content |
//! |---|---|
//! | 0 | an integer as a varint: its digits in base 128, the lowest first; the high bit of a byte says that another digit follows |
//! | 2 | a varint with the number of bytes that follow: a text, raw bytes or another message |
//!
//! A repeated field is written once for each value.

const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// A message in its wire format. Fields are in the order in which they are added.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Adds an integer, which must not be negative.
    pub(super) fn integer(mut self, number: u64, value: u64) -> Self {
        self.varint(8 * number + VARINT);
        self.varint(value);
        self
    }

    /// Adds bytes.
    pub(super) fn bytes(mut self, number: u64, value: &[u8]) -> Self {
        self.varint(8 * number + BYTES);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
        self
    }

    /// Adds a text.
    pub(super) fn text(self, number: u64, value: &str) -> Self {
        self.bytes(number, value.as_bytes())
    }

    /// Adds a message.
    pub(super) fn message(self, number: u64, value: Self) -> Self {
        self.bytes(number, &value.bytes)
    }

    /// Adds each of `values` with `add`.
    pub(super) fn each<T>(
        self,
        values: impl IntoIterator<Item = T>,
        add: impl Fn(Self, T) -> Self,
    ) -> Self {
        values.into_iter().fold(self, add)
    }

    /// The bytes of the message.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Google's description of the encoding.
    #[test]
    fn fields_have_the_published_bytes() {
        assert_eq!(Message::default().integer(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let text = Message::default().text(2, "testing");
        assert_eq!(text.into_bytes(), *b"\x12\x07testing");
        let inner = Message::default().integer(1, 150);
        let outer = Message::default().message(3, inner).into_bytes();
        assert_eq!(outer, [0x1a, 0x03, 0x08, 0x96, 0x01]);
    }

    #[test]
    fn long_numbers_and_texts_have_long_lengths() {
        let most = Message::default().integer(1, u64::MAX).into_bytes();
        assert_eq!(most[1..], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        let text = Message::default().bytes(14, &[7; 300]).into_bytes();
        assert_eq!((&text[..3], text.len()), (&[0x72, 0xac, 0x02][..], 303));
    }
}
