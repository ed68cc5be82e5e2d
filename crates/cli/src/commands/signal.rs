//! From typed options to a signal, and to what a model remembers of it.

use std::path::Path;

use serde_json::Value;
use vi3nr::Activation;
use vi3nr_inr::signal::{self, SignalFile, SignalOptions};
use vi3nr_inr::{AudioOptions, ChannelRule, ImageOptions, Model, ShapeOptions, Signal, SignalInfo};

use super::{picture, sound, surface};
use crate::arguments::{PictureArguments, SoundArguments};
use crate::output::{Failure, say};

/// The options that say how a file is read.
#[derive(Clone, Copy)]
pub(crate) struct Typed<'a> {
    pub(crate) picture: &'a PictureArguments,
    pub(crate) sound: &'a SoundArguments,
    pub(crate) shape: ShapeOptions,
    /// Whether any of these was typed.
    pub(crate) any_of_shape: bool,
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
        let options = SignalOptions { image, audio, shape: self.shape };
        let signal = with_warnings(signal::open(file, &options).map_err(Failure::unusable)?, file);
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
        let read = SignalFile::read(file).map_err(Failure::unusable)?;
        let decode = |options: &SignalOptions| read.decode(options).map_err(Failure::unusable);
        if picture::any(self.picture) || sound::any_part(self.sound) {
            let image = picture::options(self.picture);
            let AudioOptions { input_scale, scale, .. } = remembered.audio;
            let typed = sound::options(self.sound, model.network.activation());
            let audio = AudioOptions { input_scale, scale, ..typed };
            let options = SignalOptions { image, audio, shape: self.shape };
            let signal = with_warnings(decode(&options)?, file);
            self.require_own(file, &signal.info())?;
            return Ok(signal);
        }
        for options in as_it_is(&remembered, &model.signal) {
            let signal = decode(&options)?;
            if signal.info().shape() == model.signal.shape() {
                return Ok(with_warnings(signal, file));
            }
        }
        Ok(with_warnings(decode(&remembered)?, file))
    }

    /// What a model remembers: the file's name, not its folder, and the options of its kind.
    pub(crate) fn remember(&self, file: Option<&Path>, info: &SignalInfo) -> Value {
        match info {
            SignalInfo::Audio(_) => sound::remember(file, self.sound),
            SignalInfo::Shape(_) => surface::remember(file, &self.shape),
            _ => picture::remember(file, self.picture),
        }
    }

    /// Options that were typed and belong to another kind of signal than `kind`, and what that other
    /// kind is called; with no kind, any that were typed.
    fn foreign(&self, kind: Option<&str>) -> Option<(&'static str, &'static str)> {
        let groups = [
            (
                picture::any(self.picture),
                "image",
                ("--downscale, --crop, --gray and --alpha", "pictures"),
            ),
            (
                sound::any(self.sound),
                "audio",
                ("--channels, --start, --duration and --input-scale", "recordings"),
            ),
            (self.any_of_shape, "shape", ("--clamp and --loss", "shapes")),
        ];
        let foreign = groups.into_iter().find(|(typed, own, _)| *typed && kind != Some(*own));
        foreign.map(|(_, _, names)| names)
    }

    /// Refuses options that belong to another kind of signal.
    fn require_own(&self, file: &Path, info: &SignalInfo) -> Result<(), Failure> {
        let Some((options, kinds)) = self.foreign(Some(info.kind())) else { return Ok(()) };
        let reason =
            format!("{options} belong to {kinds}; '{}' is of kind {}", file.display(), info.kind());
        Err(Failure::Unusable(reason))
    }

    /// Refuses options where there is no file that they could belong to.
    pub(crate) fn require_none(&self) -> Result<(), Failure> {
        let Some((options, _)) = self.foreign(None) else { return Ok(()) };
        Err(Failure::Unusable(format!("{options} need a FILE")))
    }
}

/// How a file that may be a model's decoded signal is read: whole, and prepared in no way.
fn as_it_is(remembered: &SignalOptions, of: &SignalInfo) -> Vec<SignalOptions> {
    match of {
        SignalInfo::Image(_) => {
            let alpha = remembered.image.alpha;
            let image = ImageOptions { alpha, ..ImageOptions::default() };
            vec![SignalOptions { image, ..*remembered }]
        }
        SignalInfo::Audio(_) => {
            let kept = AudioOptions { start: 0.0, duration: None, ..remembered.audio };
            // A decoded file has the channels that were kept; its source may have had more.
            let all = AudioOptions { channels: ChannelRule::All, ..kept };
            [all, kept].map(|audio| SignalOptions { audio, ..*remembered }).into()
        }
        // Nothing but the file itself decides how a shape is read.
        _ => Vec::new(),
    }
}

/// Says what people should know about the file.
fn with_warnings(signal: Box<dyn Signal>, file: &Path) -> Box<dyn Signal> {
    for warning in signal.warnings() {
        say(&format!("warning: '{}': {warning}", file.display()));
    }
    signal
}
