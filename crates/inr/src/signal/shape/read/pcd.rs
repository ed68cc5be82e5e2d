//! PCD, the format of the Point Cloud Library: ASCII, binary and compressed binary files of version
//! 0.6 or 0.7, whose fields `x`, `y`, `z` and, if present, `normal_x`, `normal_y`, `normal_z` are
//! read.

use super::lzf;
use super::text::number;
use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::vector::Vector;

/// The longest header that is read, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// A field of a point.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    /// Bytes of one number.
    size: usize,
    /// F, I or U.
    kind: u8,
    /// The number of numbers.
    count: usize,
}

/// How the points are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Data {
    Ascii,
    Binary,
    Compressed,
}

struct Header {
    fields: Vec<Field>,
    points: usize,
    data: Data,
    /// The first byte of the points, and their line in an ASCII file.
    start: usize,
    line: usize,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let header = read_header(bytes)?;
    let place = |name: &str| header.fields.iter().position(|field| field.name == name);
    let axes = ["x", "y", "z"];
    let mut wanted = Vec::new();
    for axis in axes {
        wanted.push(place(axis).ok_or_else(|| format!("it has no field '{axis}'"))?);
    }
    let normal: Option<Vec<usize>> =
        axes.iter().map(|axis| place(&format!("normal_{axis}"))).collect();
    wanted.extend(normal.into_iter().flatten());
    let rest = &bytes[header.start..];
    let columns = match header.data {
        Data::Ascii => ascii(rest, &header, &wanted)?,
        Data::Binary => {
            let row = row_bytes(&header.fields)?;
            require(rest.len(), row, header.points)?;
            binary(rest, &header, &wanted, |field, point| point * row + offset(&header, field))
        }
        Data::Compressed => {
            let row = row_bytes(&header.fields)?;
            let expanded = expand(rest, row, header.points)?;
            // All numbers of a field are side by side.
            binary(&expanded, &header, &wanted, |field, point| {
                let own = header.fields[field].size * header.fields[field].count;
                header.points * offset(&header, field) + point * own
            })
        }
    };
    let vectors = |columns: &[Vec<f64>]| -> Vec<Vector> {
        let [x, y, z] = columns else { return Vec::new() };
        x.iter().zip(y).zip(z).map(|((x, y), z)| [*x, *y, *z]).collect()
    };
    // Points that a scanner did not see are stored as NaN.
    let (points, mut normals) = (vectors(&columns[..3]), vectors(&columns[3..]));
    let is_seen = |point: &Vector| !point.iter().all(|x| x.is_nan());
    let seen: Vec<bool> = points.iter().map(is_seen).collect();
    let mut index = seen.iter();
    normals.retain(|_| index.next().is_some_and(|seen| *seen));
    let points = points.into_iter().filter(is_seen).collect();
    Ok(Geometry::Points { points, normals })
}

fn read_header(bytes: &[u8]) -> Result<Header, String> {
    let (mut names, mut sizes, mut kinds, mut counts) = (vec![], vec![], vec![], None);
    let (mut width, mut height, mut points) = (None, None, None);
    let (mut start, mut number) = (0, 0);
    loop {
        let left = &bytes[start.min(bytes.len())..bytes.len().min(MAX_HEADER)];
        let Some(length) = left.iter().position(|byte| *byte == b'\n') else {
            return Err("its header has no line 'DATA'".into());
        };
        number += 1;
        let line = String::from_utf8_lossy(&left[..length]).into_owned();
        start += length + 1;
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let whole = |word: Option<&&str>| -> Result<usize, String> {
            let seen = word.copied().unwrap_or_default();
            seen.parse()
                .map_err(|_| format!("line {number}: {key} is '{seen}', not a whole number"))
        };
        let all = |words: &[&str]| -> Result<Vec<usize>, String> {
            words.iter().map(|word| whole(Some(word))).collect()
        };
        match key {
            "FIELDS" | "COLUMNS" => names = words.iter().map(|word| (*word).to_owned()).collect(),
            "SIZE" => sizes = all(&words)?,
            "TYPE" => kinds = words.iter().map(|word| (*word).to_owned()).collect(),
            "COUNT" => counts = Some(all(&words)?),
            "WIDTH" => width = Some(whole(words.first())?),
            "HEIGHT" => height = Some(whole(words.first())?),
            "POINTS" => points = Some(whole(words.first())?),
            "DATA" => {
                let data = match words.first().copied().unwrap_or_default() {
                    "ascii" => Data::Ascii,
                    "binary" => Data::Binary,
                    "binary_compressed" => Data::Compressed,
                    other => {
                        return Err(format!(
                            "line {number}: DATA is '{other}', expected ascii, binary or \
                             binary_compressed"
                        ));
                    }
                };
                let counts: Vec<usize> = counts.unwrap_or_else(|| vec![1; names.len()]);
                let area = || width.unwrap_or(0).checked_mul(height.unwrap_or(1));
                let points =
                    points.or_else(area).ok_or("it has more points than can be counted")?;
                let fields = fields(names, &sizes, &kinds, &counts)?;
                return Ok(Header { fields, points, data, start, line: number });
            }
            // VERSION, VIEWPOINT, comments and empty lines.
            _ => {}
        }
    }
}

fn fields(
    names: Vec<String>,
    sizes: &[usize],
    kinds: &[String],
    counts: &[usize],
) -> Result<Vec<Field>, String> {
    if [sizes.len(), kinds.len(), counts.len()].iter().any(|length| *length != names.len()) {
        return Err(format!(
            "its header has {} fields, {} sizes, {} types and {} counts; expected as many of each",
            names.len(),
            sizes.len(),
            kinds.len(),
            counts.len()
        ));
    }
    let rest = sizes.iter().zip(kinds).zip(counts);
    let field = |(name, ((size, kind), count)): (String, ((&usize, &String), &usize))| {
        let is_known = match kind.as_str() {
            "F" => matches!(size, 4 | 8),
            "I" | "U" => matches!(size, 1 | 2 | 4 | 8),
            _ => false,
        };
        if !is_known {
            return Err(format!(
                "its field '{name}' has type '{kind}' and size {size}; expected F of 4 or 8 bytes, \
                 or I or U of 1, 2, 4 or 8"
            ));
        }
        Ok(Field { name, size: *size, kind: kind.as_bytes()[0], count: *count })
    };
    names.into_iter().zip(rest).map(field).collect()
}

/// The number of bytes of a point.
fn row_bytes(fields: &[Field]) -> Result<usize, String> {
    let sum = fields.iter().try_fold(0usize, |sum, field| {
        sum.checked_add(field.size.checked_mul(field.count)?).filter(|sum| *sum <= 1 << 20)
    });
    match sum {
        Some(0) => Err("its points have no bytes".into()),
        Some(bytes) => Ok(bytes),
        None => Err("its points have more than 1048576 bytes each".into()),
    }
}

/// The first byte of a field in a point.
fn offset(header: &Header, field: usize) -> usize {
    header.fields[..field].iter().map(|field| field.size * field.count).sum()
}

/// Refuses a header that announces more points than the file contains, before memory is allocated.
fn require(seen: usize, row: usize, points: usize) -> Result<(), String> {
    let needed = row as u128 * points as u128;
    match needed > seen as u128 {
        true => Err(format!(
            "its header promises {points} points, at least {needed} bytes, and {seen} are left"
        )),
        false => Ok(()),
    }
}

fn ascii(bytes: &[u8], header: &Header, wanted: &[usize]) -> Result<Vec<Vec<f64>>, String> {
    // A digit and its separator for each number; the last line may lack its line break.
    let per_row = header.fields.iter().map(|field| field.count).fold(0, usize::saturating_add);
    require(bytes.len() + 1, per_row.saturating_mul(2), header.points)?;
    let place = |field: usize| header.fields[..field].iter().map(|field| field.count).sum();
    let places: Vec<usize> = wanted.iter().map(|field| place(*field)).collect();
    let mut columns = vec![Vec::with_capacity(header.points); wanted.len()];
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for point in 0..header.points {
        let Some((index, line)) = lines.next() else {
            return Err(format!("it has {point} points; its header promises {}", header.points));
        };
        let line_number = header.line + 1 + index;
        let words: Vec<&str> = line.split_whitespace().collect();
        for (column, place) in columns.iter_mut().zip(&places) {
            let word = words.get(*place).ok_or_else(|| {
                format!("line {line_number}: {} numbers; expected {per_row}", words.len())
            })?;
            column.push(number(word, line_number)?);
        }
    }
    Ok(columns)
}

/// The numbers of the `wanted` fields, where `at` is the first byte of a field of a point.
fn binary(
    bytes: &[u8],
    header: &Header,
    wanted: &[usize],
    at: impl Fn(usize, usize) -> usize,
) -> Vec<Vec<f64>> {
    let column = |field: &usize| {
        let Field { size, kind, .. } = header.fields[*field];
        let each =
            |point| bytes.get(at(*field, point)..).map_or(f64::NAN, |b| value(b, size, kind));
        (0..header.points).map(each).collect()
    };
    wanted.iter().map(column).collect()
}

/// The number at the start of `bytes`; NaN if it is not complete.
fn value(bytes: &[u8], size: usize, kind: u8) -> f64 {
    fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
        bytes.first_chunk().copied()
    }
    let found = match (kind, size) {
        (b'F', 4) => first(bytes).map(|b| f32::from_le_bytes(b).into()),
        (b'F', _) => first(bytes).map(f64::from_le_bytes),
        (b'I', 1) => first(bytes).map(|b| i8::from_le_bytes(b).into()),
        (b'I', 2) => first(bytes).map(|b| i16::from_le_bytes(b).into()),
        (b'I', 4) => first(bytes).map(|b| i32::from_le_bytes(b).into()),
        (b'I', _) => first(bytes).map(|b| i64::from_le_bytes(b) as f64),
        (_, 1) => first(bytes).map(|b| u8::from_le_bytes(b).into()),
        (_, 2) => first(bytes).map(|b| u16::from_le_bytes(b).into()),
        (_, 4) => first(bytes).map(|b| u32::from_le_bytes(b).into()),
        _ => first(bytes).map(|b| u64::from_le_bytes(b) as f64),
    };
    found.unwrap_or(f64::NAN)
}

/// The points of a compressed file: two sizes in bytes, compressed and expanded, and the data.
fn expand(bytes: &[u8], row: usize, points: usize) -> Result<Vec<u8>, String> {
    let (Some(compressed), Some(expanded)) =
        (bytes.first_chunk::<4>(), bytes.get(4..).and_then(|rest| rest.first_chunk::<4>()))
    else {
        return Err(format!("{} bytes follow its header; expected at least 8", bytes.len()));
    };
    let (compressed, expanded) =
        (u32::from_le_bytes(*compressed) as usize, u32::from_le_bytes(*expanded) as usize);
    let data = &bytes[8..];
    if compressed > data.len() {
        return Err(format!("{compressed} compressed bytes are promised, {} left", data.len()));
    }
    require(expanded, row, points)?;
    lzf::expand(&data[..compressed], expanded)
}
