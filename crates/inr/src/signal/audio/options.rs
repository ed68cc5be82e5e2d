//! How an audio file is turned into a recording.

/// Which channels are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChannelRule {
    /// Their mean, as one.
    #[default]
    Mean,
    /// Every one.
    All,
    /// This one, counted from 1.
    One(usize),
}

/// How an audio file is turned into the recording to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioOptions {
    /// The channels.
    pub channels: ChannelRule,
    /// Seconds that are left out at the beginning.
    pub start: f64,
    /// Seconds that are kept; all if none.
    pub duration: Option<f64>,
    /// Coordinates reach from minus this to this.
    pub input_scale: f64,
    /// What samples are divided by; their largest absolute value if none.
    pub scale: Option<f64>,
}

impl Default for AudioOptions {
    fn default() -> Self {
        let channels = ChannelRule::Mean;
        Self { channels, start: 0.0, duration: None, input_scale: 1.0, scale: None }
    }
}
