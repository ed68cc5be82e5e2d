//! From typed options to a signal, and to what a model remembers of it.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr_inr::shape::ShapeOptions;
use vi3nr_inr::signal::{self, SignalOptions};
use vi3nr_inr::{Signal, SignalInfo, SignalKind};

use super::picture;
use crate::arguments::{EvalArguments, FitArguments, PictureArguments, PresetName};
use crate::output::{Failure, say};

/// The share of far points that are drawn anywhere for the fast preset; the paper has none.
const FAST_UNIFORM: f64 = 0.2;

/// A file, or none, and the options that say how it is read.
pub(crate) struct Source<'a> {
    file: Option<&'a Path>,
    picture: &'a PictureArguments,
    shape: ShapeOptions,
}

impl<'a> Source<'a> {
    /// What is to be fitted. Options that belong to another kind of signal are refused.
    pub(crate) fn of(arguments: &'a FitArguments) -> Result<Self, Failure> {
        if arguments.file.is_none() && picture::any(&arguments.picture) {
            let reason = "--downscale, --crop, --gray and --alpha need a FILE";
            return Err(Failure::Unusable(reason.into()));
        }
        let shape = ShapeOptions {
            clamp: arguments.clamp,
            uniform: match arguments.preset {
                PresetName::Fast => FAST_UNIFORM,
                PresetName::Paper => 0.0,
            },
            ..ShapeOptions::default()
        };
        Self::new(arguments.file.as_deref(), &arguments.picture, shape)
    }

    /// What a model is to be compared with.
    pub(crate) fn against(arguments: &'a EvalArguments) -> Result<Self, Failure> {
        let shape = ShapeOptions { grid: arguments.grid, ..ShapeOptions::default() };
        Self::new(Some(&arguments.against), &arguments.picture, shape)
    }

    fn new(
        file: Option<&'a Path>,
        picture: &'a PictureArguments,
        shape: ShapeOptions,
    ) -> Result<Self, Failure> {
        let is_shape = file.is_some_and(is_shape);
        if is_shape && picture::any(picture) {
            let reason = "--downscale, --crop, --gray and --alpha belong to pictures";
            return Err(Failure::Unusable(reason.into()));
        }
        if shape.clamp.is_some() && !is_shape {
            return Err(Failure::Unusable("--clamp belongs to shapes".into()));
        }
        Ok(Self { file, picture, shape })
    }

    /// Reads the file as the options say; what cannot be read is the request's fault.
    pub(crate) fn open(&self, file: &Path) -> Result<Box<dyn Signal>, Failure> {
        open(file, &SignalOptions { image: picture::options(self.picture), shape: self.shape })
    }

    /// What a model remembers: the file's name, not its folder, and the options.
    pub(crate) fn remember(&self) -> Value {
        match self.file {
            Some(file) if is_shape(file) => {
                let name = file.file_name().map(|name| name.to_string_lossy());
                json!({"file": name, "clamp": self.shape.clamp, "uniform": self.shape.uniform})
            }
            file => picture::remember(file, self.picture),
        }
    }

    /// Whether options of this kind of signal were typed.
    fn any(&self) -> bool {
        picture::any(self.picture)
    }

    /// The signal as it is where it has the shape of the model's or options were typed; else
    /// prepared as it was for the fit.
    pub(crate) fn open_like(
        &self,
        file: &Path,
        wanted: &SignalInfo,
        remembered: &Value,
    ) -> Result<Box<dyn Signal>, Failure> {
        if self.any() {
            return self.open(file);
        }
        let remembered = SignalOptions { image: picture::recall(remembered), shape: self.shape };
        let plain = SignalOptions { image: picture::plain(&remembered.image), ..remembered };
        let signal = open(file, &plain)?;
        if signal.info().shape() == wanted.shape() { Ok(signal) } else { open(file, &remembered) }
    }
}

/// Whether the file holds a shape; what cannot be read is told when it is opened.
fn is_shape(file: &Path) -> bool {
    SignalKind::of(file).is_ok_and(|kind| kind == SignalKind::Shape)
}

fn open(file: &Path, options: &SignalOptions) -> Result<Box<dyn Signal>, Failure> {
    let signal = signal::open(file, options).map_err(Failure::unusable)?;
    for warning in signal.warnings() {
        say(&format!("warning: '{}': {warning}", file.display()));
    }
    Ok(signal)
}
