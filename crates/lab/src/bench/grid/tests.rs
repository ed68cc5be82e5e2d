use vi3nr_engine::Workers;
use vi3nr_inr::signal::image::{Image, test_image};

use super::descent::Descent;
use super::interpolation::Axis;
use super::*;

const BOTH: [Interpolation; 2] = [Interpolation::Bilinear, Interpolation::Bicubic];

/// An image with details that no coarse grid can represent.
fn detailed_image(width: u32, height: u32, channels: usize) -> Image {
    let value = |index: u32| ((index * index * 7 + index * 3) % 101) as f32 / 50.5 - 1.0;
    let count = width * height * channels as u32;
    Image::from_values(width, height, channels, (0..count).map(value).collect()).unwrap()
}

fn plan(columns: usize, rows: usize, interpolation: Interpolation, steps: u32) -> GridPlan {
    GridPlan { columns, rows, interpolation, steps, learning_rate: GridPlan::LEARNING_RATE }
}

fn fit(image: &Image, plan: &GridPlan, threads: usize) -> Result<GridFit, GridError> {
    fit_grid(image, plan, &Workers::new(Some(threads)).unwrap())
}

#[test]
fn constants_everywhere_and_ramps_inside_are_reproduced() {
    for interpolation in BOTH {
        for (values, pixels) in [(1, 1), (1, 5), (2, 7), (3, 3), (5, 16), (16, 16), (16, 5)] {
            let axis = Axis::new(interpolation, values, pixels);
            for pixel in 0..pixels {
                let (first, weights) = axis.of_pixel(pixel);
                assert!(first + weights.len() <= values);
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                // Away from the ends, the ramp j gives the position on the grid.
                let position = (pixel as f64 + 0.5) * values as f64 / pixels as f64 - 0.5;
                if position >= 1.0 && position <= values as f64 - 2.0 {
                    let ramp: f64 =
                        (0..).zip(weights).map(|(k, w)| f64::from(*w) * (first + k) as f64).sum();
                    assert!((ramp - position).abs() < 1e-5, "{interpolation:?} {ramp} {position}");
                }
            }
        }
    }
}

/// Keys' weights at half and at a quarter of the distance between values.
#[test]
fn bicubic_weights_are_those_of_keys() {
    let axis = Axis::new(Interpolation::Bicubic, 8, 8 * 2);
    // Pixel 7 lies at 3.25 on the grid.
    let expected = [-0.0703125, 0.8671875, 0.2265625, -0.0234375];
    assert_eq!(axis.of_pixel(7), (2, &expected[..]));
    let axis = Axis::new(Interpolation::Bicubic, 8, 1);
    assert_eq!(axis.of_pixel(0), (2, &[-0.0625, 0.5625, 0.5625, -0.0625][..]));
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    for (interpolation, channels) in [(BOTH[0], 1), (BOTH[1], 3), (BOTH[1], 1)] {
        // 19 rows leave a band that is not full.
        let image = detailed_image(13, 19, channels);
        let truth = image.values();
        let (columns, rows) = (Axis::new(interpolation, 5, 13), Axis::new(interpolation, 7, 19));
        let mut grid: Vec<f32> = detailed_image(5, 7, channels).values().to_vec();
        let mut descent = Descent::new(&rows, &columns, channels, &truth);
        let half_squares = |grid: &[f32]| {
            let pixels = pixels(grid, &rows, &columns, channels);
            let squares = pixels.iter().zip(truth.iter());
            squares.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / 2.0
        };
        assert!((descent.compare(&grid) / 2.0 - half_squares(&grid)).abs() < 1e-3);
        let mut gradient = vec![0.0; 5 * channels];
        for row in 0..7 {
            descent.gradient(row, &mut gradient);
            for (position, &gradient) in gradient.iter().enumerate() {
                let (index, step) = (row * 5 * channels + position, 0.25);
                // The loss is quadratic: central differences are exact but for rounding.
                let before = grid[index];
                grid[index] = before + step;
                let above = half_squares(&grid);
                grid[index] = before - step;
                let below = half_squares(&grid);
                grid[index] = before;
                let difference = (above - below) / (2.0 * f64::from(step));
                assert!((f64::from(gradient) - difference).abs() < 1e-3, "{gradient} {difference}");
            }
        }
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let image = detailed_image(53, 61, 3);
    let plan = plan(17, 20, Interpolation::Bicubic, 12);
    let [one, two] = [1, 2].map(|threads| fit(&image, &plan, threads).unwrap());
    let bits = |fit: &GridFit| fit.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&one), bits(&two));
    assert_eq!(one.report.psnr.to_bits(), two.report.psnr.to_bits());
    let [one, two] = [one, two].map(|fit| fit.values_at(101, 77).unwrap());
    assert_eq!(one, two);
}

#[test]
fn steps_improve_the_start() {
    let image = test_image(64).unwrap();
    for interpolation in BOTH {
        let start = fit(&image, &plan(32, 32, interpolation, 0), 1).unwrap().report;
        let end = fit(&image, &plan(32, 32, interpolation, 100), 1).unwrap().report;
        assert_eq!((start.steps, end.steps, end.parameters), (0, 100, 32 * 32 * image.channels()));
        assert_eq!(end.bits_per_pixel, 8.0 * image.channels() as f64);
        assert!(end.psnr > start.psnr + 0.5, "{} {}", start.psnr, end.psnr);
        for level in &end.levels {
            assert_eq!(level.steps.is_some(), end.psnr >= level.psnr, "{level:?}");
        }
    }
}

#[test]
fn a_value_for_each_pixel_gives_the_image() {
    let image = detailed_image(9, 6, 3);
    let fit = fit(&image, &plan(9, 6, Interpolation::Bicubic, 50), 1).unwrap();
    assert_eq!((fit.values(), fit.report.steps), (&*image.values(), 0));
    assert_eq!(fit.values_at(9, 6).unwrap(), *image.values());
    assert_eq!(fit.report.psnr, f64::INFINITY);
    assert_eq!(serde_json::to_value(&fit.report).unwrap()["psnr"], serde_json::Value::Null);
}

#[test]
fn plans_have_the_proportions_of_the_image_and_at_most_one_value_per_pixel() {
    let image = detailed_image(48, 32, 3);
    let size = |parameters| {
        let plan = GridPlan::of_parameters(&image, parameters, Interpolation::Bilinear).unwrap();
        (plan.columns, plan.rows)
    };
    assert_eq!(size(24 * 16 * 3), (24, 16));
    assert_eq!(size(24 * 16 * 3 + 1), (24, 16));
    assert_eq!(size(1), (1, 1));
    for more in [48 * 32 * 3, 1 << 20, u64::MAX] {
        assert_eq!(size(more), (48, 32));
    }
    let long = detailed_image(1, 40, 1);
    let plan = GridPlan::of_parameters(&long, 10, Interpolation::Bilinear).unwrap();
    assert_eq!((plan.columns, plan.rows), (1, 10));
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let image = detailed_image(8, 6, 1);
    let message = |error: Option<GridError>| error.unwrap().to_string();
    let none = GridPlan::of_parameters(&image, 0, Interpolation::Bicubic).err();
    assert_eq!(message(none), "a grid of 0 parameters; expected at least 1");
    for (columns, rows) in [(0, 3), (3, 0), (9, 6), (8, 7)] {
        let error = fit(&image, &plan(columns, rows, Interpolation::Bicubic, 1), 1).err();
        let expected = format!("a grid of {columns}x{rows} values for 8x6 pixels; expected");
        assert!(message(error).starts_with(&expected));
    }
    for learning_rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let plan = GridPlan { learning_rate, ..plan(4, 3, Interpolation::Bicubic, 1) };
        assert!(matches!(fit(&image, &plan, 1), Err(GridError::LearningRate { .. })));
    }
    let broken = Image::from_values(2, 1, 1, vec![f32::NAN, 0.0]).unwrap();
    let error = fit(&broken, &plan(1, 1, Interpolation::Bicubic, 1), 1).err();
    assert!(matches!(error, Some(GridError::Diverged { steps: 0 })));
    let plan = GridPlan { learning_rate: 1e30, ..plan(4, 3, Interpolation::Bicubic, 9) };
    assert!(matches!(fit(&image, &plan, 1), Err(GridError::Diverged { .. })));
    let small = fit(&image, &self::plan(4, 3, Interpolation::Bicubic, 1), 1).unwrap();
    assert!(matches!(small.values_at(0, 5), Err(GridError::Image(_))));
}
