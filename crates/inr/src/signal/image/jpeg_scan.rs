//! A parser of the entropy-coded data of sequential JPEG files (ITU-T T.81, F.2), which does not
//! decode it.

/// The components of an image and their numbers of blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Components {
    /// Whether each block is coded at once, in one scan.
    pub(super) is_sequential: bool,
    width: usize,
    height: usize,
    /// Identifier, horizontal and vertical sampling factors.
    all: Vec<(u8, usize, usize)>,
}

impl Components {
    /// Reads the content of a frame header.
    ///
    /// # Errors
    /// Returns the reason if the header is invalid.
    pub(super) fn parse(content: &[u8], is_sequential: bool) -> Result<Self, String> {
        let bad = || "its frame header is damaged".to_owned();
        let [bits, h1, h0, w1, w0, count, rest @ ..] = content else { return Err(bad()) };
        if *bits != 8 {
            return Err(format!("it has {bits} bits per sample; expected 8"));
        }
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        if width == 0 || height == 0 {
            return Err(format!("its size is {width}x{height}"));
        }
        let of = |part: &[u8]| (part[0], usize::from(part[1] >> 4), usize::from(part[1] & 0xF));
        let all: Vec<_> = rest.chunks_exact(3).map(of).collect();
        let is_good = |(_, h, v): &(u8, usize, usize)| (1..=4).contains(h) && (1..=4).contains(v);
        if all.len() != usize::from(*count) || all.is_empty() || !all.iter().all(is_good) {
            return Err(bad());
        }
        Ok(Self { is_sequential, width, height, all })
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The number of blocks of all components, without those that fill the last units.
    pub(super) fn blocks(&self) -> u64 {
        let of = |component: &(u8, usize, usize)| {
            let (columns, rows) = self.size(component);
            (columns * rows) as u64
        };
        self.all.iter().map(of).sum()
    }

    /// The largest sampling factors.
    fn largest(&self) -> (usize, usize) {
        self.all.iter().fold((1, 1), |(h, v), one| (h.max(one.1), v.max(one.2)))
    }

    /// The numbers of columns and rows of blocks of a component.
    fn size(&self, (_, h, v): &(u8, usize, usize)) -> (usize, usize) {
        let (largest_h, largest_v) = self.largest();
        let columns = (self.width * h).div_ceil(largest_h).div_ceil(8);
        let rows = (self.height * v).div_ceil(largest_v).div_ceil(8);
        (columns, rows)
    }
}

/// A scan: the blocks of each unit and their tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    units: usize,
    /// The blocks of a unit, and the indices of the tables for DC and AC coefficients.
    parts: Vec<(usize, usize, usize)>,
}

impl Scan {
    /// Reads the content of a scan header.
    ///
    /// # Errors
    /// Returns the reason if the header is invalid.
    pub(super) fn parse(content: &[u8], components: &Components) -> Result<Self, String> {
        let bad = || "its scan header is damaged".to_owned();
        let (count, rest) = content.split_first().ok_or_else(bad)?;
        let chosen: Vec<&[u8]> = rest.chunks_exact(2).take(usize::from(*count)).collect();
        if chosen.is_empty() || chosen.len() != usize::from(*count) {
            return Err(bad());
        }
        let mut parts = Vec::new();
        let mut units = 0;
        for part in &chosen {
            let component = components.all.iter().find(|one| one.0 == part[0]).ok_or_else(bad)?;
            let tables = (usize::from(part[1] >> 4), usize::from(part[1] & 0xF));
            let blocks = if chosen.len() == 1 {
                let (columns, rows) = components.size(component);
                units = columns * rows;
                1
            } else {
                let (h, v) = components.largest();
                units = components.width.div_ceil(8 * h) * components.height.div_ceil(8 * v);
                component.1 * component.2
            };
            parts.push((blocks, tables.0, tables.1));
        }
        Ok(Self { units, parts })
    }

    /// The components of the scan.
    pub(super) fn count(&self) -> usize {
        self.parts.len()
    }

    /// Parses the data of the scan, which starts at the first byte, and returns its length.
    ///
    /// # Errors
    /// Returns the position at which the data ends or is invalid.
    pub(super) fn walk(
        &self,
        bytes: &[u8],
        tables: &[[Option<Huffman>; 4]; 2],
        restart_interval: usize,
    ) -> Result<usize, String> {
        let table = |class: usize, number: usize| {
            let table = tables[class].get(number).and_then(Option::as_ref);
            table.ok_or_else(|| "a Huffman table of its data is missing".to_owned())
        };
        let mut parts = Vec::new();
        for (blocks, dc, ac) in &self.parts {
            parts.push((*blocks, table(0, *dc)?, table(1, *ac)?));
        }
        let mut bits = Bits { bytes, position: 0, value: 0, count: 0 };
        for unit in 0..self.units {
            if restart_interval > 0 && unit > 0 && unit % restart_interval == 0 {
                bits.restart();
            }
            for (blocks, dc, ac) in &parts {
                for _ in 0..*blocks {
                    bits.block(dc, ac).ok_or_else(|| {
                        format!(
                            "its data ends or is damaged after {unit} of {} units of pixels",
                            self.units
                        )
                    })?;
                }
            }
        }
        Ok(bits.position)
    }
}

/// A Huffman table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Huffman {
    /// For each length in bits: the code after the last, and the index of its symbol.
    ends: [(u32, usize); 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Reads a table, and returns it with its size in bytes.
    ///
    /// # Errors
    /// Returns an error if the table is truncated.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, usize), String> {
        let bad = || "a Huffman table is damaged".to_owned();
        let counts: &[u8; 16] = bytes.first_chunk().ok_or_else(bad)?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let symbols = bytes.get(16..16 + total).ok_or_else(bad)?.to_vec();
        let mut ends = [(0, 0); 17];
        let (mut code, mut place) = (0u32, 0);
        for (length, count) in (1..).zip(counts) {
            code = (code << 1) + u32::from(*count);
            place += usize::from(*count);
            ends[length] = (code, place);
        }
        Ok((Self { ends, symbols }, 16 + total))
    }
}

/// The bits of the data, without stuffed zeros, up to a marker.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    value: u32,
    count: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        if self.count == 0 {
            let byte = *self.bytes.get(self.position)?;
            if byte == 0xFF {
                // Anything but a stuffed zero is a marker.
                if *self.bytes.get(self.position + 1)? != 0 {
                    return None;
                }
                self.position += 1;
            }
            self.position += 1;
            (self.value, self.count) = (u32::from(byte), 8);
        }
        self.count -= 1;
        Some(self.value >> self.count & 1)
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        for _ in 0..count {
            self.bit()?;
        }
        Some(())
    }

    fn symbol(&mut self, table: &Huffman) -> Option<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.bit()?;
            let (end, place) = table.ends[length];
            if code < end {
                return table.symbols.get(place.checked_sub((end - code) as usize)?).copied();
            }
        }
        None
    }

    /// Parses one block.
    fn block(&mut self, dc: &Huffman, ac: &Huffman) -> Option<()> {
        let size = self.symbol(dc)?;
        self.skip(u32::from(size))?;
        let mut coefficient = 1;
        while coefficient < 64 {
            let symbol = self.symbol(ac)?;
            let (run, size) = (symbol >> 4, u32::from(symbol & 0xF));
            match (run, size) {
                (15, 0) => coefficient += 16,
                (_, 0) => break,
                _ => {
                    self.skip(size)?;
                    coefficient += usize::from(run) + 1;
                }
            }
        }
        Some(())
    }

    /// Continues after a restart marker, if there is one.
    fn restart(&mut self) {
        self.count = 0;
        let rest = &self.bytes[self.position..];
        let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        if fill > 0 && matches!(rest.get(fill), Some(0xD0..=0xD7)) {
            self.position += fill + 1;
        }
    }
}
