//! From typed options to a signal, and to what a model remembers of it.

use std::path::Path;

use serde_json::Value;
use vi3nr_inr::signal::{self, SignalOptions};
use vi3nr_inr::{Signal, SignalInfo};

use super::picture;
use crate::arguments::{EvalArguments, FitArguments, PictureArguments};
use crate::output::Failure;

/// A file, or none, and the options that say how it is read.
pub(crate) struct Source<'a> {
    file: Option<&'a Path>,
    picture: &'a PictureArguments,
}

impl<'a> Source<'a> {
    /// What is to be fitted. Options that belong to another kind of signal are refused.
    pub(crate) fn of(arguments: &'a FitArguments) -> Result<Self, Failure> {
        if arguments.file.is_none() && picture::any(&arguments.picture) {
            let reason = "--downscale, --crop, --gray and --alpha need a FILE";
            return Err(Failure::Unusable(reason.into()));
        }
        Self::new(arguments.file.as_deref(), &arguments.picture)
    }

    /// What a model is to be compared with.
    pub(crate) fn against(arguments: &'a EvalArguments) -> Result<Self, Failure> {
        Self::new(Some(&arguments.against), &arguments.picture)
    }

    fn new(file: Option<&'a Path>, picture: &'a PictureArguments) -> Result<Self, Failure> {
        Ok(Self { file, picture })
    }

    /// Reads the file as the options say; what cannot be read is the request's fault.
    pub(crate) fn open(&self, file: &Path) -> Result<Box<dyn Signal>, Failure> {
        open(file, &SignalOptions { image: picture::options(self.picture) })
    }

    /// What a model remembers: the file's name, not its folder, and the options.
    pub(crate) fn remember(&self) -> Value {
        picture::remember(self.file, self.picture)
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
        let remembered = SignalOptions { image: picture::recall(remembered) };
        let plain = SignalOptions { image: picture::plain(&remembered.image) };
        let signal = open(file, &plain)?;
        if signal.info().shape() == wanted.shape() { Ok(signal) } else { open(file, &remembered) }
    }
}

fn open(file: &Path, options: &SignalOptions) -> Result<Box<dyn Signal>, Failure> {
    signal::open(file, options).map_err(Failure::unusable)
}
