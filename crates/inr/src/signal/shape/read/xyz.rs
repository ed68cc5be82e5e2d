//! XYZ and XYZN: a line for each point, `x y z`, `x y z nx ny nz`, or with a color between,
//! `x y z r g b nx ny nz`, as Open3D and CloudCompare write them. Numbers may be separated by
//! spaces, tabs, commas or semicolons. `#` and `//` start a comment. The first lines may contain
//! the names of the columns and the number of points.

use super::text::{lines, number};
use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::vector::Vector;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let (mut points, mut normals) = (Vec::new(), Vec::new());
    let mut order = None;
    let mut columns = 0;
    for (line, text) in lines(bytes) {
        let (content, comment) = match text.find(['#', '/']) {
            Some(start) => (&text[..start], &text[start..]),
            None => (text.as_str(), ""),
        };
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        let words = |text: &'_ str| -> Vec<String> {
            text.split(separators).filter(|word| !word.is_empty()).map(Into::into).collect()
        };
        let mut found = words(content);
        if points.is_empty() {
            let comment = words(comment.trim_start_matches(['#', '/']));
            let names = if found.is_empty() { &comment } else { &found };
            if let Some(named) = normal_columns(names) {
                order = Some(named);
                continue;
            }
            // The number of points.
            if found.len() == 1 && found[0].parse::<u64>().is_ok() {
                continue;
            }
        }
        if found.is_empty() {
            continue;
        }
        let first = match order {
            Some(Some(first)) if first + 3 <= found.len() => Some(first),
            Some(None) if found.len() >= 3 => None,
            _ => match found.len() {
                3 => None,
                6 => Some(3),
                9 => Some(6),
                count => {
                    return Err(format!(
                        "line {line}: {count} numbers; expected 3, a point, 6, a point and its \
                         normal, or 9, a point, its color and its normal"
                    ));
                }
            },
        };
        if points.is_empty() {
            columns = found.len();
        } else if found.len() != columns {
            return Err(format!(
                "line {line}: {} numbers; expected {columns}, as before",
                found.len()
            ));
        }
        let values: Vec<f64> =
            found.drain(..).map(|word| number(&word, line)).collect::<Result<_, _>>()?;
        points.push(Vector::from([values[0], values[1], values[2]]));
        if let Some(first) = first {
            normals.push(Vector::from([values[first], values[first + 1], values[first + 2]]));
        }
    }
    Ok(Geometry::Points { points, normals })
}

/// The first column of the normals, `Some(None)` if there are none, if the words are names of
/// columns, x, y and z first.
fn normal_columns(names: &[String]) -> Option<Option<usize>> {
    let names: Vec<String> = names
        .iter()
        .map(|name| name.trim_matches('"').to_ascii_lowercase().replace(['_', '-'], ""))
        .collect();
    let is_named = names.get(..3)? == ["x", "y", "z"];
    let normal = names.iter().position(|name| {
        matches!(&**name, "n" | "nx" | "normal" | "normals" | "normalx" | "normal x")
    });
    is_named.then_some(normal)
}
