//! Checks that a JPEG file contains every pixel: the decoder silently fills missing pixels with
//! gray.
//!
//! The markers alone are not sufficient, since bytes that follow a truncated file may contain an
//! end marker. The blocks of sequential files are therefore counted by parsing their Huffman codes;
//! for progressive files, the strict mode of the decoder decides.

use super::jpeg_scan::{Components, Huffman, Scan};

/// The result of parsing the markers and codes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Whether the end-of-image marker follows the data.
    pub(super) has_end: bool,
    /// Whether every block was found; false for progressive files, whose blocks are not counted.
    pub(super) is_complete: bool,
}

/// Parses a file.
///
/// # Errors
/// Returns what is missing or wrong, in words.
pub(super) fn extent(bytes: &[u8]) -> Result<Extent, String> {
    let mut components: Option<Components> = None;
    let mut tables = std::array::from_fn(|_| [const { None }; 4]);
    let mut restart_interval = 0;
    let mut position = 2;
    let (mut scans, mut coded) = (0, 0);
    let is_complete = |components: &Option<Components>, coded| {
        components.as_ref().is_some_and(|all| all.is_sequential && coded == all.count())
    };
    loop {
        // Anything before a marker is skipped, as decoders do.
        let Some(offset) = bytes.get(position..).and_then(|rest| {
            rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))
        }) else {
            return end(scans, is_complete(&components, coded), false);
        };
        position += offset + 2;
        let marker = bytes[position - 1];
        match marker {
            0xD9 => return end(scans, is_complete(&components, coded), true),
            // Restarts, start of image, TEM: these have no length.
            0xD0..=0xD8 | 0x01 => continue,
            _ => {}
        }
        let content = bytes.get(position..).and_then(|rest| {
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            rest.get(2..length)
        });
        let Some(content) = content else {
            return end(scans, is_complete(&components, coded), false);
        };
        position += content.len() + 2;
        match marker {
            0xC4 => read_tables(content, &mut tables)?,
            0xC0..=0xC2 if components.is_none() => {
                let found = Components::parse(content, marker != 0xC2)?;
                // A block takes at least 1 bit, so a small file cannot contain a large image.
                if found.blocks() > 8 * bytes.len() as u64 {
                    return Err(format!(
                        "its {} bytes cannot hold the {} blocks of its pixels",
                        bytes.len(),
                        found.blocks()
                    ));
                }
                components = Some(found);
            }
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Err("it is lossless, hierarchical or arithmetic-coded; expected baseline \
                            or progressive Huffman coding"
                    .into());
            }
            0xDD => {
                let interval = content.first_chunk().copied().map(u16::from_be_bytes);
                restart_interval = interval.map_or(0, usize::from);
            }
            0xDA => {
                let Some(all) = &components else {
                    return Err("its data begins before its size is known".into());
                };
                scans += 1;
                if all.is_sequential {
                    let scan = Scan::parse(content, all)?;
                    position += scan.walk(&bytes[position..], &tables, restart_interval)?;
                    coded += scan.count();
                } else {
                    position += skip_data(&bytes[position..]);
                }
            }
            _ => {}
        }
    }
}

fn end(scans: usize, is_complete: bool, has_end: bool) -> Result<Extent, String> {
    match scans {
        0 => Err("it ends before its data".into()),
        _ => Ok(Extent { has_end, is_complete }),
    }
}

/// The number of bytes up to the next marker that is not a restart.
fn skip_data(bytes: &[u8]) -> usize {
    let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7 | 0xFF);
    bytes.windows(2).position(is_marker).unwrap_or(bytes.len())
}

fn read_tables(content: &[u8], tables: &mut [[Option<Huffman>; 4]; 2]) -> Result<(), String> {
    let mut rest = content;
    while let [kind, more @ ..] = rest {
        let (table, length) = Huffman::parse(more)?;
        let (class, number) = (usize::from(kind >> 4), usize::from(kind & 0xF));
        let place = tables.get_mut(class).and_then(|class| class.get_mut(number));
        *place.ok_or("it defines a Huffman table whose number is not allowed")? = Some(table);
        rest = &more[length..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::ExtendedColorType;
    use image::ImageEncoder as _;
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    fn file(color: ExtendedColorType) -> Vec<u8> {
        let length = 45 * 33 * usize::from(color.bits_per_pixel() / 8);
        let noise: Vec<u8> = (0..length as u32)
            .map(|i| ((i.wrapping_mul(i).wrapping_mul(2_654_435)) >> 8) as u8)
            .collect();
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
        encoder.write_image(&noise, 45, 33, color).unwrap();
        bytes
    }

    #[test]
    fn whole_files_are_told_from_cut_ones() {
        for color in [ExtendedColorType::L8, ExtendedColorType::Rgb8] {
            let whole = file(color);
            assert_eq!(extent(&whole), Ok(Extent { has_end: true, is_complete: true }));
            let data = &whole[..whole.len() - 2];
            let open = Ok(Extent { has_end: false, is_complete: true });
            assert_eq!(extent(data), open);
            assert_eq!(extent(&[data, &[0; 500]].concat()), open);
            // Cut in the last block, in the first row, and within the header.
            for length in (20..data.len() - 2).step_by(7).chain([data.len() - 2]) {
                let cut = &data[..length];
                assert!(extent(cut).is_err(), "{length} of {}", data.len());
                // A few bytes could be the codes of the last blocks.
                if length + 200 < data.len() {
                    let trailer = [cut, b"some text \xFF\xD9 and more"].concat();
                    assert!(extent(&trailer).is_err(), "{length} of {}", data.len());
                }
            }
        }
    }
}
