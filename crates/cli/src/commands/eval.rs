//! `vi3nr eval`: how well a model reproduces a picture.

use vi3nr_inr::{EvaluateError, Image, ImageOptions, Model, evaluate_image};

use super::{model, picture};
use crate::Done;
use crate::arguments::EvalArguments;
use crate::output::{Failure, print};

/// Compares and prints.
pub(crate) fn run(arguments: &EvalArguments) -> Done {
    let model = model::load(&arguments.model)?;
    let truth = truth(arguments, &model)?;
    let evaluation =
        evaluate_image(&model, &truth, arguments.common.threads).map_err(|error| match error {
            EvaluateError::Shape { .. } => {
                Failure::Unusable(format!("'{}': {error}", arguments.against.display()))
            }
            error => Failure::failed(error),
        })?;
    print(
        arguments.common.json,
        &evaluation,
        &format!(
            "PSNR {:.2} dB (peak 2, the usual convention)\n\
             PSNR {:.2} dB (peak = largest value of the picture on [-1, 1], the paper's convention)\n\
             SSIM {:.5}\n\
             largest error {:.4} (on [-1, 1])",
            evaluation.psnr, evaluation.psnr_paper, evaluation.ssim, evaluation.max_error
        ),
    )
}

/// The picture as it is where it has the model's shape or options were typed; else prepared as it
/// was for the fit.
fn truth(arguments: &EvalArguments, model: &Model) -> Result<Image, Failure> {
    let typed = picture::options(&arguments.picture);
    if picture::any(&arguments.picture) {
        return picture::open(&arguments.against, &typed);
    }
    let remembered = picture::recall(&model.settings["source"]);
    let plain = ImageOptions { alpha: remembered.alpha, ..typed };
    let image = picture::open(&arguments.against, &plain)?;
    let fits = |image: &Image| {
        let (own, wanted) = (image.info(), model.signal);
        own.same_shape(&wanted)
    };
    if fits(&image) { Ok(image) } else { picture::open(&arguments.against, &remembered) }
}
