//! Images that are learned from their derivatives.

use std::ops::ControlFlow;

use vi3nr_engine::CpuBackend;
use vi3nr_inr::decode::image_values;
use vi3nr_inr::fit::{Fitting, fit};
use vi3nr_inr::model_file::{Model, StorageRule};
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::plan::FitPlan;
use vi3nr_inr::request::{FitRequest, RequestError};
use vi3nr_inr::run::RunEvent;
use vi3nr_inr::session::{Beginning, Fit};
use vi3nr_inr::signal::image::{Image, test_image};
use vi3nr_inr::supervision::{Supervise, Supervision};

fn request(supervise: Supervise) -> FitRequest {
    let mut request = FitRequest::default();
    (request.width, request.layers, request.steps) = (Some(48), Some(4), Some(100));
    request.supervise = Some(supervise);
    request
}

fn plan(request: &FitRequest, image: &Image) -> Result<FitPlan, RequestError> {
    Ok(Fitting::of(image).request(request.clone()).plan()?.plan)
}

fn run(request: &FitRequest, threads: usize) -> Fit {
    let image = test_image(32).unwrap();
    let plan = plan(request, &image).unwrap();
    let backend = CpuBackend::new(Some(threads)).unwrap();
    let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
    fit(&plan, &image, &backend, Beginning::default(), request, &mut watch).unwrap()
}

fn psnr(fit: &Fit) -> f64 {
    fit.report.metrics.get("psnr").unwrap()
}

/// The test image is learned from its gradient, up to the constant, which is that of the picture.
#[test]
fn derivatives_determine_a_picture() {
    let fit = run(&request(Supervise::Gradient), 2);
    assert_eq!(fit.plan.training.optimizer.name(), OptimizerName::Kfac);
    assert!(psnr(&fit) > 22.0, "{}", psnr(&fit));
    let [term] = &fit.report.terms[..] else { panic!("{:?}", fit.report.terms) };
    assert_eq!((term.term.as_str(), term.weight), ("gradient", 1.0));
    assert!((term.loss / fit.report.loss - 1.0).abs() < 1e-9);
    // The Laplacian leaves harmonic functions open, so that only its own loss is small.
    let mut request = request(Supervise::Laplacian);
    let laplacian = run(&request, 2);
    request.steps = Some(1);
    let start = run(&request, 2);
    let (loss, first) = (laplacian.report.loss, start.report.loss);
    assert!(loss < 0.6 * first, "{loss:e}, at the start {first:e}");
}

/// Terms may be combined; with values there is no constant to choose. Adam and Muon drive them too,
/// in mini-batches as well.
#[test]
fn every_optimizer_drives_terms_of_an_image() {
    for (optimizer, batch) in
        [(OptimizerName::Kfac, None), (OptimizerName::Adam, Some(300)), (OptimizerName::Muon, None)]
    {
        let mut request = request(Supervise::Gradient);
        request.terms = Some("value:10 gradient:0.01".parse().unwrap());
        request.optimizer = Some(optimizer);
        request.batch = batch.map(vi3nr_inr::request::BatchSize::Points);
        let fit = run(&request, 2);
        assert_eq!(fit.report.terms.len(), 2);
        assert!(psnr(&fit) > 14.0, "{optimizer}: {}", psnr(&fit));
    }
}

/// The constant is part of what is rounded for the file, so that the file holds the model that was
/// measured.
#[test]
fn the_constant_is_set_before_the_parameters_are_rounded() {
    let mut request = request(Supervise::Gradient);
    request.storage = Some(StorageRule::F16);
    let fit = run(&request, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fit.model.save(&path).unwrap();
    let read = Model::load(&path).unwrap();
    assert_eq!(read.whole().unwrap().1, fit.model.whole().unwrap().1);
    let backend = CpuBackend::new(Some(1)).unwrap();
    let decoded = image_values(&read, None, None, &backend).unwrap().1;
    let worst = decoded.iter().zip(&fit.reconstruction).map(|(a, b)| (a - b).abs());
    assert!(worst.fold(0.0, f32::max) < 1e-4);
}

#[test]
fn the_result_has_the_same_bytes_for_any_number_of_threads() {
    let mut request = request(Supervise::Gradient);
    request.steps = Some(12);
    let (one, three) = (run(&request, 1), run(&request, 3));
    assert!(one.model.whole().unwrap().1 == three.model.whole().unwrap().1);
    assert_eq!(one.reconstruction, three.reconstruction);
}

#[test]
fn what_an_image_does_not_offer_is_refused() {
    let refused = |change: fn(&mut FitRequest)| {
        let mut request = request(Supervise::Gradient);
        change(&mut request);
        plan(&request, &test_image(32).unwrap()).unwrap_err().to_string()
    };
    for (error, text) in [
        (refused(|r| r.supervise = Some(Supervise::Surface)), "one of value, gradient, laplacian"),
        (refused(|r| r.terms = "eikonal:1".parse().ok()), "images have no targets"),
        (refused(|r| r.terms = "value:1".parse().ok()), "no term on a derivative"),
        (refused(|r| r.target_psnr = Some(30.0)), "a sum of terms"),
        (refused(|r| r.quality = Some(30.0)), "a sum of terms"),
    ] {
        assert!(error.contains(text), "{error}");
    }
    let image = test_image(32).unwrap();
    let mut values = request(Supervise::Value);
    assert_eq!(plan(&values, &image).unwrap().supervision, Supervision::Values);
    values.terms = "gradient:1".parse().ok();
    assert!(plan(&values, &image).unwrap_err().to_string().contains("without terms"));
    // Terms alone imply derivatives, and absolute differences need another optimizer than kfac.
    let mut terms = FitRequest::default();
    terms.terms = "gradient:1,power=1".parse().ok();
    terms.optimizer = Some(OptimizerName::Kfac);
    let error = plan(&terms, &image).unwrap_err().to_string();
    assert!(error.contains("terms that are not squares"), "{error}");
}
