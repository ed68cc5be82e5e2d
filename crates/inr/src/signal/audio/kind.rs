//! The registration of audio.

use std::sync::Arc;

use serde::Deserialize;

use super::info::AudioInfo;
use super::options::{AudioOptions, AudioRequest, ChannelRule};
#[cfg(feature = "audio")]
use super::samples::Audio;
#[cfg(not(feature = "audio"))]
use crate::signal::error::SignalError;
use crate::signal::info::SignalInfo as _;
use crate::signal::kind::{Comparable, KindEntry};
use crate::signal::request::SignalOptions;

/// The registration of audio.
pub(in crate::signal) const KIND: KindEntry = KindEntry {
    name: "audio",
    plural: "audio files",
    formats: "audio (WAV, FLAC, MP3)",
    endings: &["wav", "flac", "mp3"],
    fields: AudioRequest::FIELDS,
    options_to_json: |all| serde_json::to_value(all.audio),
    options_from_json: |value| {
        let audio = AudioOptions::deserialize(value)?;
        Ok(SignalOptions { audio, ..SignalOptions::default() })
    },
    recognizes: |head| {
        matches!(
            head,
            [b'R', b'I', b'F', b'F' | b'X', _, _, _, _, b'W', b'A', b'V', b'E', ..]
                | [b'R' | b'B', b'F' | b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..]
                | [b'f', b'L', b'a', b'C', ..]
                | [b'I', b'D', b'3', ..]
                // MPEG audio starts with eleven ones and a layer, here the third.
                | [0xFF, 0xFA | 0xFB | 0xF2 | 0xF3 | 0xE2 | 0xE3, ..]
        )
    },
    #[cfg(feature = "audio")]
    open: |path, bytes, options| Ok(Box::new(Audio::decode(path, &bytes, &options.audio)?)),
    #[cfg(not(feature = "audio"))]
    open: |path, _, _| {
        Err(SignalError::CompiledOut { path: path.to_owned(), kind: "audio", feature: "audio" })
    },
    info: |value| {
        let info = AudioInfo::deserialize(value).map_err(|error| format!("audio: {error}"))?;
        Ok(Arc::new(info))
    },
    comparable: |info, own| {
        let scale = info.as_any().downcast_ref::<AudioInfo>().map(|info| info.scale);
        let audio = AudioOptions { scale, ..own.audio };
        let own = SignalOptions { audio, ..*own };
        let kept = AudioOptions { start: 0.0, duration: None, ..audio };
        // A decoded file has the channels that were kept; its source may have had more.
        let all = AudioOptions { channels: ChannelRule::All, ..kept };
        let whole = [all, kept].map(|audio| SignalOptions { audio, ..own });
        Comparable { own, whole: whole.into() }
    },
    blank: |inputs, outputs| {
        let size =
            AudioInfo { rate: 44_100, samples: 44_100, channels: outputs, scale: 1.0, start: 0.0 };
        (inputs == 1 && size.check().is_ok()).then(|| Arc::new(size) as _)
    },
};
