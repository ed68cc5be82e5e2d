//! The paper's effect, and the quality that defaults promise, on an image of 64x64 pixels.

use crate::json;

/// PSNR (peak 2, the paper's) of a fit of hills.png at 64x64.
fn psnr(arguments: &[&str]) -> (f64, f64) {
    let image = vi3nr_test_data::image("hills.png");
    let folder = tempfile::tempdir().unwrap();
    let base = ["fit", image.to_str().unwrap(), "--downscale", "3", "--crop", "64", "--json"];
    let report = json(folder.path(), &[&base[..], arguments].concat());
    (report["psnr"].as_f64().unwrap(), report["psnr_paper"].as_f64().unwrap())
}

fn gaussian<'a>(sigma_p: &'a str, steps: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["--activation", "gaussian:sigma=0.05", "--sigma-p", sigma_p];
    arguments.extend(["--layers", "8", "--width", "128", "--lr", "1e-4", "--lr-decay", "0.999"]);
    arguments.extend(["--steps", steps]);
    arguments
}

/// A good sigma_p is far ahead within a few hundred steps.
#[test]
fn sigma_p_decides_whether_a_gaussian_network_trains() {
    let (_, good) = psnr(&gaussian("0.15", "300"));
    let (_, bad) = psnr(&gaussian("0.33", "300"));
    assert!(good > 25.0 && bad < 10.0, "0.15: {good} dB, 0.33: {bad} dB");
}

#[test]
fn defaults_fit_a_small_image_well() {
    let (psnr, _) = psnr(&["--steps", "150"]);
    assert!(psnr > 40.0, "{psnr} dB");
}

/// The full comparison on a photograph: about two minutes on two cores.
#[test]
#[ignore = "about two minutes"]
fn the_papers_gaussian_effect_in_full() {
    let Some(photo) = vi3nr_test_data::file("kodak", "kodim19.png") else { return };
    let folder = tempfile::tempdir().unwrap();
    let base = ["fit", photo.to_str().unwrap(), "--downscale", "8", "--crop", "64", "--json"];
    let [good, bad] = ["0.15", "0.33"].map(|sigma_p| {
        let report = json(folder.path(), &[&base[..], &gaussian(sigma_p, "3000")].concat());
        report["psnr_paper"].as_f64().unwrap()
    });
    assert!(good >= 60.0 && good - bad >= 30.0, "0.15: {good} dB, 0.33: {bad} dB");
}
