//! Requests from named settings, as in the file of a sweep.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use vi3nr::printable::excerpt;
use vi3nr::{number, suggest};

use super::{FitRequest, RequestError};
use crate::signal::SignalKind;

/// The fields that apply to every kind of signal.
const FIELDS: [&str; 31] = [
    "file",
    "preset",
    "activation",
    "layers",
    "width",
    "from",
    "init",
    "sigma_p",
    "first_sigma_p",
    "last_sigma_p",
    "weights",
    "biases",
    "first_bias",
    "seed",
    "supervise",
    "terms",
    "steps",
    "batch",
    "optimizer",
    "lr",
    "schedule",
    "lr_decay",
    "time_limit",
    "target_psnr",
    "quality",
    "tile",
    "parameters",
    "storage",
    "backend",
    "device",
    "input_scale",
];

/// Alternative names of fields.
const ALIASES: [(&str, &str); 4] =
    [("engine", "backend"), ("learning_rate", "lr"), ("scheme", "init"), ("term", "terms")];

/// The names of all fields, those of the kinds of signal last.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let of_signals = SignalKind::ALL.iter().flat_map(|kind| kind.entry().fields);
    FIELDS.iter().chain(of_signals).copied().collect()
});

impl FitRequest {
    /// The names of all fields, as in JSON.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// The field called `name`, where dashes count as underscores; `None` if there is none.
    pub fn field(name: &str) -> Option<&'static str> {
        let plain = name.replace('-', "_");
        let alias = ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, field)| *field);
        let plain = alias.unwrap_or(&plain);
        NAMES.iter().find(|field| **field == plain).copied()
    }

    /// The error about a `name` that no field has, with the field that was probably meant.
    pub fn unknown_field(name: &str) -> RequestError {
        let known = NAMES.join(", ");
        let hint = match suggest::nearest(name, NAMES.iter().copied()) {
            Some(meant) => format!("; did you mean '{meant}'? (known: {known})"),
            None => format!("; expected one of {known}"),
        };
        RequestError::of_fields(&[], format!("unknown setting '{name}'{hint}"), "")
    }

    /// The request with these settings.
    ///
    /// # Errors
    /// Returns a [`RequestError`] if a name is unknown or a value is invalid for its field.
    pub fn from_settings(settings: &Map<String, Value>) -> Result<Self, RequestError> {
        let mut known = Map::new();
        for (name, value) in settings {
            let (field, value) = checked(name, value)?;
            known.insert(field.into(), value);
        }
        serde_json::from_value(Value::Object(known))
            .map_err(|error| RequestError::of_fields(&[], error.to_string(), ""))
    }

    /// The fields that are set, by name.
    pub fn settings(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut settings)) => {
                settings.retain(|_, value| !value.is_null());
                settings
            }
            // Unreachable: a request serializes to an object of numbers and text.
            _ => Map::new(),
        }
    }

    /// This request with the settings of `other` replacing its own. A device belongs to the backend
    /// that it was given with.
    ///
    /// # Errors
    /// Returns the errors of [`FitRequest::from_settings`].
    pub fn with(&self, other: &Self) -> Result<Self, RequestError> {
        let mut settings = self.settings();
        if other.backend.is_some() {
            settings.remove("device");
        }
        settings.extend(other.settings());
        let mut request = Self::from_settings(&settings)?;
        // Text may not represent a path exactly.
        request.file = other.file.as_ref().or(self.file.as_ref()).cloned();
        request.from = other.from.as_ref().or(self.from.as_ref()).cloned();
        Ok(request)
    }
}

impl FitRequest {
    /// The request without the settings that are determined by the weights of a starting model.
    #[must_use]
    pub(crate) fn without_network(&self) -> Self {
        Self {
            activation: None,
            layers: None,
            width: None,
            init: None,
            sigma_p: None,
            first_sigma_p: None,
            last_sigma_p: None,
            weights: None,
            biases: None,
            first_bias: None,
            ..self.clone()
        }
    }

    /// The request as a model file stores it: with file names instead of paths and without the number
    /// of a device, so that it does not depend on the machine.
    #[must_use]
    pub fn portable(&self) -> Self {
        let name = |path: &Path| path.file_name().map(Into::into);
        let mut request = self.clone();
        request.file = request.file.as_deref().and_then(name);
        request.from = request.from.as_deref().and_then(name);
        request.device = None;
        request
    }
}

/// The field called `name`, and `value` as that field accepts it.
fn checked(name: &str, value: &Value) -> Result<(&'static str, Value), RequestError> {
    let Some(field) = FitRequest::field(name) else {
        return Err(FitRequest::unknown_field(name));
    };
    let read = |value: &Value| {
        let alone = Map::from_iter([(field.to_owned(), value.clone())]);
        serde_json::from_value::<FitRequest>(Value::Object(alone))
    };
    let error = match read(value) {
        Ok(_) => return Ok((field, value.clone())),
        Err(error) => error,
    };
    if let Some(plain) = otherwise(value)
        && read(&plain).is_ok()
    {
        return Ok((field, plain));
    }
    let text = error.to_string();
    // Serde calls numbers by their Rust types.
    let expected = match text.rsplit_once(", expected ") {
        Some((_, "u8" | "u16" | "u32" | "u64" | "usize")) => "a whole number",
        Some((_, "f64")) => "a number",
        _ => return Err(RequestError::new(field, text, "")),
    };
    Err(RequestError::new(field, excerpt(&value.to_string(), 80), expected))
}

/// The same value in another form: a number or a truth value that comes as text, for example from a
/// pattern of a sweep, and a whole number that is written like 1e3.
fn otherwise(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => match number::whole(text) {
            Some(whole) => Some(whole.into()),
            None => number::real(text)
                .filter(|number| number.is_finite())
                .map(Value::from)
                .or_else(|| Some(text.parse::<bool>().ok()?.into())),
        },
        Value::Number(given) => number::whole_of(given.as_f64()?).map(Value::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backend::BackendChoice;

    fn request(settings: Value) -> Result<FitRequest, RequestError> {
        FitRequest::from_settings(settings.as_object().unwrap())
    }

    /// A value for every field, so that the test detects a field that is missing in the list of
    /// names.
    fn full() -> Value {
        json!({
            "file": "a.png", "preset": "paper", "activation": "tanh", "layers": 3, "width": 9,
            "from": "run", "init": "ours", "sigma_p": 0.5, "first_sigma_p": "7*auto",
            "last_sigma_p": 2.0, "weights": "normal", "biases": "zero", "first_bias": "uniform:0.5", "seed": 7, "supervise": "surface",
            "terms": "siren eikonal:0.5", "steps": 12, "batch": "full",
            "optimizer": "muon", "lr": 0.25, "schedule": "cosine", "lr_decay": 0.5,
            "time_limit": 3.5, "target_psnr": 40.0, "quality": 44.5, "tile": 48,
            "parameters": 100_000, "storage": "f16", "backend": "gpu", "device": 1, "input_scale": 3.0,
            "downscale": 2, "crop": 8, "gray": true, "alpha": "white",
            "channels": "all", "start": 1.5, "duration": 2.5,
            "clamp": 0.25, "loss": "absolute",
        })
    }

    #[test]
    fn every_field_has_a_name_and_survives_a_round_trip() {
        let full = full();
        let mut names: Vec<&str> = full.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = FitRequest::names().to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
        let read = request(full.clone()).unwrap();
        let mut settings = read.settings();
        // σ_p is serialized as text, since it may be `auto`.
        settings.insert("sigma_p".into(), json!(0.5));
        assert_eq!(Value::Object(settings), full);
        assert_eq!(FitRequest::default().settings(), Map::new());
        assert_eq!(FitRequest::default().with(&read).unwrap(), read);
        assert_eq!(read.with(&FitRequest::default()).unwrap(), read);
    }

    #[test]
    fn names_may_have_dashes_and_numbers_may_be_text() {
        let read = request(json!({"sigma-p": "2*auto", "learning_rate": "1e-3", "gray": "true"}));
        let read = read.unwrap();
        assert_eq!(read.settings()["sigma_p"], "2*auto");
        assert_eq!((read.lr, read.signal.image.gray), (Some(1e-3), Some(true)));
        let read = request(json!({"steps": 1e3, "width": "1e2", "batch": "4_096", "seed": "7"}));
        let read = read.unwrap();
        assert_eq!((read.steps, read.width, read.seed), (Some(1000), Some(100), Some(7)));
        assert_eq!(read.settings()["batch"], 4096);
    }

    /// Requests of earlier versions have an engine.
    #[test]
    fn an_engine_is_a_backend_and_a_device_belongs_to_its_backend() {
        let read = request(json!({"engine": "reference"})).unwrap();
        assert_eq!(read.backend, Some(BackendChoice::Reference));
        assert_eq!(read.settings(), json!({"backend": "reference"}).as_object().unwrap().clone());
        let record: FitRequest = serde_json::from_value(json!({"engine": "cpu"})).unwrap();
        assert_eq!(record.backend, Some(BackendChoice::Cpu));
        let gpu = request(json!({"backend": "gpu", "device": 1})).unwrap();
        let again = gpu.with(&request(json!({"backend": "cpu"})).unwrap()).unwrap();
        assert_eq!((again.backend, again.device), (Some(BackendChoice::Cpu), None));
        let other = gpu.with(&request(json!({"device": 0})).unwrap()).unwrap();
        assert_eq!((other.backend, other.device), (Some(BackendChoice::Gpu), Some(0)));
        assert_eq!(gpu.portable().device, None);
    }

    #[test]
    fn invalid_values_name_their_field() {
        for (settings, field) in [
            (json!({"layers": -1}), "layers"),
            (json!({"layers": 2.5}), "layers"),
            (json!({"sigma_p": "much"}), "sigma_p"),
            (json!({"sigma_p": -1.0}), "sigma_p"),
            (json!({"first_sigma_p": 0}), "first_sigma_p"),
            (json!({"first_sigma_p": "nan"}), "first_sigma_p"),
            (json!({"activation": "gausian"}), "activation"),
            (json!({"optimizer": "sgd"}), "optimizer"),
            (json!({"batch": 0}), "batch"),
            (json!({"channels": 0}), "channels"),
            (json!({"alpha": "pink"}), "alpha"),
            (json!({"crop": "x"}), "crop"),
        ] {
            let error = request(settings.clone()).unwrap_err();
            assert_eq!(error.fields, [field], "{settings}: {error}");
        }
        let error = request(json!({"color": 1})).unwrap_err().to_string();
        assert!(error.contains("unknown setting 'color'") && error.contains("sigma_p"), "{error}");
    }
}
