//! The origin of a model.

use serde_json::{Value, json};

use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::signal::{SignalKind, SignalOptions};

/// The origin of a model, which is stored with it and not needed for decoding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// A fit.
    Fit {
        /// The request, with file names instead of paths.
        request: Box<FitRequest>,
        /// The plan.
        plan: Box<FitPlan>,
    },
    /// Other settings as JSON: of a fit of version 1, or of a model that was not fitted.
    Settings(Value),
}

impl Origin {
    /// The origin of a fit.
    pub fn fit(request: &FitRequest, plan: &FitPlan) -> Self {
        Self::Fit { request: Box::new(request.portable()), plan: Box::new(plan.clone()) }
    }

    /// All known settings by name, for display.
    pub fn settings(&self) -> Value {
        match self {
            Self::Fit { plan, .. } => plan.settings(),
            Self::Settings(settings) => settings.clone(),
        }
    }

    /// The options with which the signal's file was read, if known, else the default options for
    /// `kind`.
    pub fn options(&self, kind: SignalKind) -> SignalOptions {
        let known = match self {
            Self::Fit { plan, .. } => plan.source.options(kind),
            // Version 1 stored the same names under `source`.
            Self::Settings(settings) => {
                let mut options = SignalOptions::default().to_json(kind);
                if let (Value::Object(options), Value::Object(known)) =
                    (&mut options, &settings["source"])
                {
                    options.extend(known.clone());
                }
                SignalOptions::from_json(kind, &options)
            }
        };
        known.unwrap_or_default()
    }
}

impl FitPlan {
    /// The settings by name, on one level except for the source.
    pub fn settings(&self) -> Value {
        let mut source = self.source.options.clone();
        source["file"] = json!(self.source.file);
        let mut settings = json!({
            "source": source,
            "init": self.init.scheme.to_string(),
            "weights": self.init.weights.name(),
            "biases": self.init.biases.to_string(),
            "first_biases": self.init.first_biases.to_string(),
            "engine": self.backend,
            "steps": self.training.steps,
            "batch": self.training.batch,
            "target_psnr": self.training.target_psnr,
            "time_limit": self.training.time_limit.map(|limit| limit.as_secs_f64()),
        });
        if let (Some(start), Some(settings)) = (&self.start, settings.as_object_mut()) {
            for drawn in ["init", "weights", "biases", "first_biases"] {
                settings.remove(drawn);
            }
            settings.insert("start".into(), json!(start));
        }
        // The name and settings of the optimizer are on the same level.
        if let (Some(settings), Value::Object(own)) =
            (settings.as_object_mut(), json!(self.training.optimizer))
        {
            settings.extend(own);
        }
        settings
    }
}
