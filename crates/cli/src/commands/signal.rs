//! From typed options to a signal, and to what a model remembers of it.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr::Activation;
use vi3nr_inr::shape::ShapeOptions;
use vi3nr_inr::signal::{self, SignalOptions};
use vi3nr_inr::{AudioOptions, ChannelRule, ImageOptions, Model, Signal, SignalInfo};

use super::{picture, sound};
use crate::arguments::{PictureArguments, SoundArguments};
use crate::output::{Failure, say};

/// The options that say how a file is read.
#[derive(Clone, Copy)]
pub(crate) struct Typed<'a> {
    pub(crate) picture: &'a PictureArguments,
    pub(crate) sound: &'a SoundArguments,
    pub(crate) shape: ShapeOptions,
    /// As it was typed.
    pub(crate) clamp: Option<f64>,
}

impl Typed<'_> {
    /// Reads the signal to fit a network of `activation` to.
    pub(crate) fn open(
        &self,
        file: &Path,
        activation: &Activation,
    ) -> Result<Box<dyn Signal>, Failure> {
        let image = picture::options(self.picture);
        let audio = sound::options(self.sound, activation);
        let signal = open(file, &SignalOptions { image, audio, shape: self.shape })?;
        self.require_own(file, &signal.info())?;
        Ok(signal)
    }

    /// Reads the signal to compare `model` with: as the options say where any were typed; else as
    /// it is where it then has the shape of the model's; else prepared as it was for the fit.
    pub(crate) fn open_like(&self, file: &Path, model: &Model) -> Result<Box<dyn Signal>, Failure> {
        let source = &model.settings["source"];
        let mut remembered = SignalOptions { shape: self.shape, ..SignalOptions::default() };
        match &model.signal {
            SignalInfo::Image(_) => remembered.image = picture::recall(source),
            SignalInfo::Audio(info) => remembered.audio = sound::recall(source, info),
            _ => {}
        }
        if picture::any(self.picture) || sound::any_part(self.sound) {
            let image = picture::options(self.picture);
            let SignalOptions { audio: AudioOptions { input_scale, scale, .. }, .. } = remembered;
            let typed = sound::options(self.sound, model.network.activation());
            let audio = AudioOptions { input_scale, scale, ..typed };
            let signal = open(file, &SignalOptions { image, audio, shape: self.shape })?;
            self.require_own(file, &signal.info())?;
            return Ok(signal);
        }
        let alpha = remembered.image.alpha;
        let plain = SignalOptions {
            image: ImageOptions { alpha, ..ImageOptions::default() },
            audio: AudioOptions { start: 0.0, duration: None, ..remembered.audio },
            shape: self.shape,
        };
        // A decoded file has the channels that were kept; its source may have had more.
        let all = AudioOptions { channels: ChannelRule::All, ..plain.audio };
        for options in [SignalOptions { audio: all, ..plain }, plain] {
            let signal = open(file, &options)?;
            if signal.info().shape() == model.signal.shape() {
                return Ok(signal);
            }
        }
        open(file, &remembered)
    }

    /// What a model remembers: the file's name, not its folder, and the options of its kind.
    pub(crate) fn remember(&self, file: Option<&Path>, info: &SignalInfo) -> Value {
        match info {
            SignalInfo::Audio(_) => sound::remember(file, self.sound),
            SignalInfo::Shape(_) => {
                let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy());
                json!({"file": name, "clamp": self.shape.clamp, "uniform": self.shape.uniform})
            }
            _ => picture::remember(file, self.picture),
        }
    }

    /// Refuses options that belong to another kind of signal.
    fn require_own(&self, file: &Path, info: &SignalInfo) -> Result<(), Failure> {
        let is = |kind: &str| info.kind() == kind;
        let (options, kinds) = if picture::any(self.picture) && !is("image") {
            ("--downscale, --crop, --gray and --alpha", "pictures")
        } else if sound::any(self.sound) && !is("audio") {
            ("--channels, --start, --duration and --input-scale", "recordings")
        } else if self.clamp.is_some() && !is("shape") {
            ("--clamp", "shapes")
        } else {
            return Ok(());
        };
        let reason =
            format!("{options} belong to {kinds}; '{}' is of kind {}", file.display(), info.kind());
        Err(Failure::Unusable(reason))
    }

    /// Refuses options where there is no file that they could belong to.
    pub(crate) fn require_none(&self) -> Result<(), Failure> {
        let options = if picture::any(self.picture) {
            "--downscale, --crop, --gray and --alpha"
        } else if sound::any(self.sound) {
            "--channels, --start, --duration and --input-scale"
        } else if self.clamp.is_some() {
            "--clamp"
        } else {
            return Ok(());
        };
        Err(Failure::Unusable(format!("{options} need a FILE")))
    }
}

fn open(file: &Path, options: &SignalOptions) -> Result<Box<dyn Signal>, Failure> {
    let signal = signal::open(file, options).map_err(Failure::unusable)?;
    for warning in signal.warnings() {
        say(&format!("warning: '{}': {warning}", file.display()));
    }
    Ok(signal)
}
