//! XYZ: a line `x y z nx ny nz` for each point; `#` begins a comment.

use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::vector::Vector;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is no text: {error}"))?;
    let (mut points, mut normals) = (Vec::new(), Vec::new());
    for (line, content) in text.lines().enumerate() {
        let content = content.split('#').next().unwrap_or_default();
        let mut values = [0.0; 6];
        let mut count = 0;
        for word in content.split_whitespace() {
            let value = word
                .parse::<f64>()
                .map_err(|_| format!("line {}: '{word}' is no number", line + 1))?;
            if count < 6 {
                values[count] = value;
            }
            count += 1;
        }
        match count {
            0 => {}
            6 => {
                let [x, y, z, nx, ny, nz] = values;
                points.push(Vector::from([x, y, z]));
                normals.push(Vector::from([nx, ny, nz]));
            }
            _ => {
                return Err(format!(
                    "line {}: {count} numbers; expected 6, a point and its normal",
                    line + 1
                ));
            }
        }
    }
    Ok(Geometry::Points { points, normals })
}
