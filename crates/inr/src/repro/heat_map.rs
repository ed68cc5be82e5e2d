//! A heat map as PNG, SVG and CSV.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// Pixels of a cell's side in the PNG, units in the SVG.
const SIDE: usize = 4;
/// Room for the SVG's labels.
const MARGIN: usize = 50;

/// Values on [0, 1] over two axes that start near 0.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Places of the columns along x, left to right.
    pub columns: Vec<f64>,
    /// Places of the rows along y, bottom to top.
    pub rows: Vec<f64>,
    /// Column after column, (columns, rows).
    pub values: Vec<f64>,
    /// The slope of a line through the origin: y = slope · x.
    pub line: f64,
}

impl HeatMap {
    /// Cell (column, row); row 0 is the bottom one.
    fn value(&self, column: usize, row: usize) -> f64 {
        self.values[column * self.rows.len() + row]
    }

    /// The position of `place` on `axis`, in cells.
    fn position(axis: &[f64], place: f64) -> f64 {
        let step = (axis[axis.len() - 1] - axis[0]) / (axis.len() - 1) as f64;
        (place - axis[0]) / step + 0.5
    }

    /// The map alone, without text; the line in white.
    pub(super) fn to_png(&self) -> Vec<u8> {
        let (width, height) = (SIDE * self.columns.len(), SIDE * self.rows.len());
        let mut pixels = Vec::with_capacity(3 * width * height);
        for y in 0..height {
            for x in 0..width {
                let value = self.value(x / SIDE, self.rows.len() - 1 - y / SIDE);
                pixels.extend(colour(value));
            }
        }
        let last = self.columns.len() - 1;
        for x in 0..width {
            let share = (x as f64 / SIDE as f64 - 0.5) / last as f64;
            let place = self.columns[0] + share * (self.columns[last] - self.columns[0]);
            let up = Self::position(&self.rows, self.line * place) * SIDE as f64;
            let y = height as f64 - up;
            if (0.0..height as f64).contains(&y) {
                let first = 3 * (y as usize * width + x);
                pixels[first..first + 3].fill(255);
            }
        }
        let mut bytes = Vec::new();
        let (width, height) = (width as u32, height as u32);
        PngEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .expect("the buffer has the picture's size and a vector takes all bytes");
        bytes
    }

    /// The map with axes and the line.
    pub(super) fn to_svg(&self, title: &str) -> String {
        let (width, height) = (SIDE * self.columns.len(), SIDE * self.rows.len());
        let (left, top) = (MARGIN, MARGIN);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{left}\" y=\"20\">{}</text>\n<g shape-rendering=\"crispEdges\">\n",
            width + 2 * MARGIN,
            height + 2 * MARGIN,
            title.replace('&', "&amp;").replace('<', "&lt;"),
        );
        for column in 0..self.columns.len() {
            for row in 0..self.rows.len() {
                let [r, g, b] = colour(self.value(column, row));
                let (x, y) = (left + SIDE * column, top + height - SIDE * (row + 1));
                text += &format!(
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" \
                     fill=\"#{r:02x}{g:02x}{b:02x}\"/>\n"
                );
            }
        }
        text += "</g>\n";
        let x = |place: f64| left as f64 + SIDE as f64 * Self::position(&self.columns, place);
        let y =
            |place: f64| (top + height) as f64 - SIDE as f64 * Self::position(&self.rows, place);
        let (first_x, last_x) = (self.columns[0], self.columns[self.columns.len() - 1]);
        let (first_y, last_y) = (self.rows[0], self.rows[self.rows.len() - 1]);
        let end = last_x.min(last_y / self.line);
        let begin = first_x.max(first_y / self.line);
        text += &format!(
            "<line x1=\"{:.2}\" y1=\"{:.2}\" x2=\"{:.2}\" y2=\"{:.2}\" stroke=\"white\" \
             stroke-dasharray=\"4 3\"/>\n",
            x(begin),
            y(self.line * begin),
            x(end),
            y(self.line * end),
        );
        let bottom = top + height + 15;
        for place in [first_x, 0.5 * (first_x + last_x), last_x] {
            let at = x(place);
            text += &format!(
                "<text x=\"{at:.1}\" y=\"{bottom}\" text-anchor=\"middle\">{place:.4}</text>\n"
            );
        }
        for place in [first_y, 0.5 * (first_y + last_y), last_y] {
            let (right, at) = (left - 4, y(place) + 4.0);
            text += &format!(
                "<text x=\"{right}\" y=\"{at:.1}\" text-anchor=\"end\">{place:.4}</text>\n"
            );
        }
        let middle = left + width / 2;
        text += &format!(
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">sigma_a</text>\n\
             <text x=\"{left}\" y=\"{}\" text-anchor=\"end\">sigma_p</text>\n\
             <text x=\"{}\" y=\"40\" text-anchor=\"end\">dashed: sigma_p = {:.4} sigma_a</text>\n\
             </svg>\n",
            bottom + 15,
            top - 8,
            left + width,
            self.line,
        );
        text
    }

    /// A line for each cell.
    pub(super) fn to_csv(&self) -> String {
        let mut text = String::from("sigma_a,sigma_p,one_minus_smape\n");
        for (column, x) in self.columns.iter().enumerate() {
            for (row, y) in self.rows.iter().enumerate() {
                text += &format!("{x},{y},{}\n", self.value(column, row));
            }
        }
        text
    }
}

/// Dark violet at 0, green, yellow at 1: even in lightness, as viridis is.
fn colour(value: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 6] = [
        [68.0, 1.0, 84.0],
        [65.0, 68.0, 135.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
        [253.0, 231.0, 37.0],
    ];
    let place = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (place as usize).min(STOPS.len() - 2);
    let share = place - index as f64;
    let mix = |channel: usize| {
        ((1.0 - share) * STOPS[index][channel] + share * STOPS[index + 1][channel]).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> HeatMap {
        HeatMap {
            columns: vec![1.0, 2.0, 3.0],
            rows: vec![1.0, 2.0],
            values: vec![0.0, 1.0, 0.2, 0.4, 0.6, 0.8],
            line: 50.0,
        }
    }

    #[test]
    fn the_picture_has_row_0_at_the_bottom() {
        let png = image::load_from_memory(&map().to_png()).unwrap().to_rgb8();
        assert_eq!(png.dimensions(), (12, 8));
        assert_eq!(png.get_pixel(0, 0).0, colour(1.0));
        assert_eq!(png.get_pixel(0, 7).0, colour(0.0));
        assert_eq!(png.get_pixel(11, 7).0, colour(0.6));
    }

    #[test]
    fn every_cell_is_in_every_file() {
        assert_eq!(map().to_csv().lines().count(), 7);
        assert!(map().to_csv().contains("\n2,1,0.2\n"));
        // The background and six cells.
        assert_eq!(map().to_svg("a < b").matches("<rect").count(), 7);
    }
}
