//! Changes of files and texts, as functions of the seed and the number of the case.

use vi3nr::rng::{Random, Stream};

/// The numbers that change an input. The substream is the target.
const CHANGES: Stream = Stream::new(13);
/// The bits of an element that count the numbers of one case.
const PER_CASE: u32 = 24;

/// The random numbers of one case, one after another.
#[derive(Clone, Copy)]
pub(crate) struct Draws {
    random: Random,
    next: u64,
}

impl Draws {
    /// The numbers of a case.
    pub(crate) fn new(seed: u64, target: u32, case: u64) -> Self {
        Self { random: Random::new(seed, CHANGES, target), next: case << PER_CASE }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let [low, high, ..] = self.random.bits(self.next);
        self.next += 1;
        u64::from(high) << 32 | u64::from(low)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.next += 1;
        self.random.below(self.next - 1, bound as u64) as usize
    }

    pub(crate) fn choose<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Numbers at which arithmetic goes wrong.
pub(crate) const INTEGERS: [u64; 12] = [
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// Numbers as text.
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "1e-320",
    "1e308",
    "-1e308",
    "1e999",
    "inf",
    "nan",
    "2147483648",
    "4294967295",
    "18446744073709551615",
    "99999999999999999999999",
    "",
];

/// The longest input, in bytes.
const MAX_LENGTH: usize = 1 << 17;

/// `input` with one to eight changes, one in about a third of the cases. `other` is a second input of the same kind; `words` are
/// inserted into texts.
pub(crate) fn mutate(random: &mut Draws, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let most = random.below(8) + 1;
    for _ in 0..=random.below(most) {
        change(random, &mut bytes, other, words);
        bytes.truncate(MAX_LENGTH);
    }
    bytes
}

fn change(random: &mut Draws, bytes: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let at = random.below(bytes.len() + 1);
    let length = random.below(16) + 1;
    let end = bytes.len().min(at + length);
    let is_text = !words.is_empty();
    match random.below(if is_text { 12 } else { 9 }) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.bits() as u8;
            }
        }
        3 | 4 => {
            let number = *random.choose(&INTEGERS);
            let size = *random.choose(&[1, 2, 4, 8]);
            let big = &number.to_be_bytes()[8 - size..];
            let little = &number.to_le_bytes()[..size];
            let content = if random.below(2) == 0 { big } else { little };
            for (byte, new) in bytes.iter_mut().skip(at).zip(content) {
                *byte = *new;
            }
        }
        5 => {
            let far = random.below(bytes.len() + 1).max(at);
            bytes.drain(at..if random.below(4) == 0 { far } else { end });
        }
        6 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        7 => {
            let content: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
            bytes.splice(at..at, content);
        }
        8 => {
            let from = random.below(other.len() + 1);
            let to = (from + random.below(64)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        9 | 10 => replace_number(random, bytes, at),
        _ => {
            let word = random.choose(words).as_bytes();
            bytes.splice(at..at, word.iter().copied());
        }
    }
}

/// Replaces the next number at or after `at`.
fn replace_number(random: &mut Draws, bytes: &mut Vec<u8>, at: usize) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit) else { return };
    let start = at + start;
    let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let length = bytes[start..].iter().take_while(is_part).count();
    let number = *random.choose(&NUMBERS);
    bytes.splice(start..start + length, number.bytes());
}

/// Corrects the checksums of a PNG file's chunks, without which its decoder looks at nothing else.
pub(crate) fn repair_png(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(header) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let Some(end) = at.checked_add(8 + length).filter(|end| end + 4 <= bytes.len()) else {
            return;
        };
        let checksum = crc32fast::hash(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
        at = end + 4;
    }
}

/// Corrects the checksums of the parts of a journal of pieces, which begin at byte 16.
pub(crate) fn repair_journal(bytes: &mut [u8]) {
    let mut at = 16;
    while let Some(header) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let start = at + 8;
        let Some(content) = bytes.get(start..start + length) else { return };
        let checksum = crc32fast::hash(content);
        bytes[at + 4..start].copy_from_slice(&checksum.to_le_bytes());
        at = start + length;
    }
}
