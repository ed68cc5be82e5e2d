//! The identity of a trial: the plan of its request for its signal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use vi3nr_engine::Workers;
use vi3nr_inr::plan::{FitPlan, PLAN_FORMAT, SignalFacts, resolve};
use vi3nr_inr::prepare::{PrepareError, prepare};
use vi3nr_inr::request::{FitRequest, RequestError};
use vi3nr_inr::signal::SignalKind;

/// The plan of a trial and the key of its row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// The key of the trial's row: the canonical form of the plan. If a file cannot be read, the
    /// key contains the request and the reason instead.
    pub key: String,
    /// The plan, or why a file of the request cannot be read.
    pub plan: Result<FitPlan, String>,
}

/// The identities of requests. A file is read once for all requests that read it with the same
/// options. Only the facts that a plan needs are kept, not the values of the signal.
#[derive(Debug, Default)]
pub(super) struct Identities {
    facts: Mutex<HashMap<String, Result<SignalFacts, String>>>,
    known: Mutex<HashMap<String, Arc<Identity>>>,
}

impl Identities {
    /// The identity of `request`, whose name `name` is unique in the sweep.
    ///
    /// # Errors
    /// Returns the [`RequestError`] of [`resolve`].
    pub(super) fn of(
        &self,
        name: &str,
        request: &FitRequest,
    ) -> Result<Arc<Identity>, RequestError> {
        if let Some(identity) = lock(&self.known).get(name) {
            return Ok(identity.clone());
        }
        let plan = match self.facts(request)? {
            Ok(facts) => Ok(resolve(request, &facts)?.plan),
            Err(reason) => Err(reason),
        };
        let key = match &plan {
            Ok(plan) => plan.canonical(),
            Err(reason) => {
                json!({"format": PLAN_FORMAT, "request": request.settings(), "unreadable": reason})
                    .to_string()
            }
        };
        let identity = Arc::new(Identity { key, plan });
        lock(&self.known).insert(name.to_owned(), identity.clone());
        Ok(identity)
    }

    /// The facts about the files of `request` that a plan needs, or why a file cannot be read.
    fn facts(&self, request: &FitRequest) -> Result<Result<SignalFacts, String>, RequestError> {
        let files = Value::Object(of_files(request)).to_string();
        if let Some(facts) = lock(&self.facts).get(&files) {
            return Ok(facts.clone());
        }
        let read = match Workers::new(None) {
            Ok(workers) => workers.install(|| prepare(request)),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let facts = match read {
            Ok(prepared) => Ok(prepared.facts),
            Err(PrepareError::Request(error)) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        lock(&self.facts).insert(files, facts.clone());
        Ok(facts)
    }
}

/// The settings that determine how files are read, and which facts about them a plan needs.
fn of_files(request: &FitRequest) -> Map<String, Value> {
    let of_signals = || SignalKind::ALL.iter().flat_map(|kind| kind.entry().fields);
    let needs_spectrum = request.init.is_some_and(|init| init.needs_spectrum());
    let decides = |name: &str| {
        ["file", "from", "preset"].contains(&name)
            || of_signals().any(|own| *own == name)
            || (name == "init" && needs_spectrum)
    };
    let mut settings = request.settings();
    settings.retain(|name, _| decides(name));
    settings
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    fn request(settings: Value) -> FitRequest {
        FitRequest::from_settings(settings.as_object().unwrap()).unwrap()
    }

    /// The spectrum of a signal is computed for the scheme that depends on it, in any order of trials.
    #[test]
    fn the_scheme_of_a_spectrum_is_resolved() {
        let identities = Identities::default();
        let scheme = |name: &str, init: &str| {
            let identity = identities.of(name, &request(json!({"init": init}))).unwrap();
            identity.plan.clone().unwrap().init.scheme
        };
        assert_eq!(scheme("a", "siren"), "siren:omega=30".parse().unwrap());
        let vi3nr::Scheme::Winner { s0, s1, .. } = scheme("b", "winner") else { panic!() };
        assert!(s0 > 0.0 && s1 > 0.0);
    }

    #[test]
    fn requests_with_the_same_plan_have_the_same_key() {
        let identities = Identities::default();
        let key =
            |name: &str, settings| identities.of(name, &request(settings)).unwrap().key.clone();
        let given = key("a", json!({"activation": "relu", "sigma_p": 1.0}));
        assert_eq!(key("b", json!({"activation": "relu", "sigma_p": "auto"})), given);
        assert_eq!(key("c", json!({"activation": "relu", "engine": "cpu", "seed": 0})), given);
        assert_ne!(key("d", json!({"activation": "relu", "seed": 1})), given);
        assert!(given.contains("\"format\":2"), "{given}");
        assert_eq!(lock(&identities.facts).len(), 1);
    }

    #[test]
    fn errors_of_a_request_name_its_field() {
        let identities = Identities::default();
        for (settings, field) in [
            (json!({"crop": 9}), "crop"),
            (json!({"init": "siren", "activation": "tanh"}), "init"),
            (json!({"steps": 0}), "steps"),
        ] {
            let error = identities.of("a", &request(settings)).unwrap_err();
            assert_eq!(error.fields, [field], "{error}");
        }
    }

    #[test]
    fn the_key_of_an_unreadable_file_is_its_request() {
        let identities = Identities::default();
        let missing = field::request([("file", "no/such.png".into())]).unwrap();
        let identity = identities.of("a", &missing).unwrap();
        assert!(identity.plan.as_ref().is_err_and(|reason| reason.contains("no/such.png")));
        assert!(identity.key.contains("unreadable"));
    }
}
