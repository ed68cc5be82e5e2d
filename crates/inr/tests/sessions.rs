//! Sessions: steps, interrupts, states, backends and weights to start from.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{backend, fit, fits, fixture, request, small, whole_run};
use serde_json::{Value, json};
use vi3nr::{InitRule, Network};
use vi3nr_engine::{
    Backend, Capabilities, CpuBackend, Engine, EngineError, ReferenceBackend, Workers,
};
use vi3nr_inr::fit::Fitting;
use vi3nr_inr::model_file::InitialWeights;
use vi3nr_inr::prepare::{PrepareError, prepare};
use vi3nr_inr::session::{Beginning, FitError, Session};
use vi3nr_inr::signal::image::test_image;
use vi3nr_inr::train::Stop;

#[test]
fn a_stepped_session_ends_with_a_model() {
    for request in fits() {
        let prepared = prepare(&request).unwrap();
        let (plan, backend) = (&prepared.resolved.plan, backend(2));
        let mut session =
            Session::new(plan, &*prepared.signal, &backend, Beginning::default()).unwrap();
        assert_eq!(session.plan(), plan);
        let mut steps = 0;
        while let Some(progress) = session.step().unwrap() {
            steps += 1;
            assert_eq!((progress.step, progress.steps), (steps, plan.training.steps));
            assert!(progress.loss.is_finite());
        }
        assert!(session.step().unwrap().is_none());
        let fit = session.finish(&request).unwrap();
        assert_eq!((fit.report.steps, fit.report.stopped), (steps, Stop::Steps));
        assert_eq!(steps, plan.training.steps);
        assert_eq!((&fit.plan, fit.model.network()), (plan, &plan.network));
        assert_eq!(fit.model.input_scale, plan.input_scale);
        assert!(fit.report.loss <= fit.report.last_loss);
    }
}

#[test]
fn an_interrupted_session_keeps_its_progress() {
    let request = small("tiny.png", json!({"steps": 1000, "optimizer": "adam"}));
    let prepared = prepare(&request).unwrap();
    let backend = backend(1);
    let plan = &prepared.resolved.plan;
    let mut session =
        Session::new(plan, &*prepared.signal, &backend, Beginning::default()).unwrap();
    session
        .run(|progress, session| {
            assert_eq!(session.state().unwrap().step, progress.step);
            if progress.step == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert!(session.step().unwrap().is_none());
    let report = session.finish(&request).unwrap().report;
    assert_eq!((report.steps, report.stopped), (9, Stop::Interrupted));
    assert!(report.problem.is_none());
}

#[test]
fn a_restored_session_ends_with_the_same_bytes() {
    for request in fits() {
        let prepared = prepare(&request).unwrap();
        let (plan, signal, two) = (&prepared.resolved.plan, &*prepared.signal, backend(2));
        let mut whole = Session::new(plan, signal, &two, Beginning::default()).unwrap();
        let mut states = vec![whole.state().unwrap()];
        while whole.step().unwrap().is_some() {
            states.push(whole.state().unwrap());
        }
        let expected = whole.finish(&request).unwrap();
        for state in [&states[0], &states[1], &states[7], states.last().unwrap()] {
            let one = backend(1);
            let beginning = Beginning { state: Some(state), ..Beginning::default() };
            let mut session = Session::new(plan, signal, &one, beginning).unwrap();
            while session.step().unwrap().is_some() {}
            let fit = session.finish(&request).unwrap();
            assert!(fit.model == expected.model, "{} from {}", plan.canonical(), state.step);
            assert_eq!(fit.report.loss, expected.report.loss);
            assert_eq!(fit.report.kept_step, expected.report.kept_step);
        }
    }
}

/// The state of another network or optimizer is an error, not a wrong result.
#[test]
fn the_state_of_another_fit_is_rejected() {
    let state = |settings: Value| {
        let prepared = prepare(&small("tiny.png", settings)).unwrap();
        let backend = backend(1);
        let plan = &prepared.resolved.plan;
        let mut session =
            Session::new(plan, &*prepared.signal, &backend, Beginning::default()).unwrap();
        session.step().unwrap();
        session.state().unwrap()
    };
    let [kfac, adam] = [json!({"steps": 9}), json!({"steps": 9, "optimizer": "adam"})];
    let wide = json!({"steps": 9, "width": 9, "optimizer": "adam"});
    let prepared = prepare(&small("tiny.png", adam)).unwrap();
    for other in [kfac, wide] {
        let state = state(other);
        let beginning = Beginning { state: Some(&state), ..Beginning::default() };
        let backend = backend(1);
        let plan = &prepared.resolved.plan;
        let session = Session::new(plan, &*prepared.signal, &backend, beginning);
        assert!(matches!(session.err(), Some(FitError::Train(_) | FitError::Engine(_))));
    }
}

#[test]
fn threads_change_no_byte() {
    for request in fits() {
        let prepared = prepare(&request).unwrap();
        let [one, three] = [1, 3].map(|threads| fit(&request, &prepared, &backend(threads)));
        assert!(one.model == three.model, "{}", one.plan.canonical());
        assert_eq!(one.reconstruction, three.reconstruction);
        assert_eq!(one.report.loss, three.report.loss);
        assert_eq!(one.report.metrics, three.report.metrics);
    }
}

#[test]
fn five_lines_fit_an_image() {
    let image = test_image(24).unwrap();
    let fit = Fitting::of(&image).width(16).layers(3).steps(30).seed(2).run().unwrap();
    assert_eq!(fit.model.network().dims(), [2, 16, 16, 3]);
    assert_eq!((fit.plan.seed, fit.report.steps), (2, 30));
    assert!(fit.report.metrics.get("psnr").unwrap() > 5.0);
    // An invalid setting is an error that names the field.
    let error = Fitting::of(&image).lr(-1.0).plan().unwrap_err();
    assert_eq!(error.fields, ["lr"]);
    // The same request gives the same fit.
    let settings = json!({"width": 16, "layers": 3, "steps": 30, "seed": 2});
    let again = Fitting::of(&image).request(request(settings)).run_on(&backend(1)).unwrap();
    assert!(again.model == fit.model);
}

/// A backend that counts the engines that its inner backend creates.
#[derive(Debug)]
struct Counting {
    inner: CpuBackend,
    engines: AtomicUsize,
}

impl Backend for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        self.engines.fetch_add(1, Ordering::Relaxed);
        self.inner.engine(network, parameters)
    }

    fn workers(&self) -> &Arc<Workers> {
        self.inner.workers()
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        self.inner.side_by_side(count)
    }
}

/// A fit creates all engines with the given backend and works with any backend.
#[test]
fn fits_work_with_any_backend() {
    for request in fits() {
        let prepared = prepare(&request).unwrap();
        let counting = Counting { inner: backend(2), engines: AtomicUsize::new(0) };
        let counted = fit(&request, &prepared, &counting);
        assert!(counting.engines.load(Ordering::Relaxed) > 0);
        assert!(counted.model == fit(&request, &prepared, &backend(2)).model);
    }
    let reference = ReferenceBackend::new(Some(1)).unwrap();
    let request = small("tiny.png", json!({"steps": 10, "optimizer": "adam"}));
    let prepared = prepare(&request).unwrap();
    let (slow, fast) =
        (fit(&request, &prepared, &reference), fit(&request, &prepared, &backend(1)));
    assert!((slow.report.loss - fast.report.loss).abs() < 1e-4 * fast.report.loss);
}

#[test]
fn a_fit_starts_from_another_model_or_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let first = whole_run(&small("tiny.png", json!({"steps": 30})), &path);
    // Fit another image from the weights of the first.
    for from in [path.clone(), path.join("model.safetensors")] {
        let request = request(json!({"from": from, "steps": 3, "optimizer": "adam"}));
        let prepared = prepare(&request).unwrap();
        let plan = &prepared.resolved.plan;
        assert_eq!(&plan.network, first.model.network());
        assert_eq!(prepared.weights.as_ref(), Some(&first.model.whole().unwrap().1.to_vec()));
        let fit = fit(&request, &prepared, &backend(1));
        // The model file stores no paths, so that it does not depend on the machine.
        let kept = json!(fit.model.origin.settings());
        assert!(!kept.to_string().contains(path.to_str().unwrap()), "{kept}");
        let beginning = Beginning::default();
        let without = Session::new(plan, &*prepared.signal, &backend(1), beginning).err();
        assert!(matches!(without, Some(FitError::Weights { .. })), "{without:?}");
    }
    for (settings, field) in [
        (json!({"from": path, "width": 9}), "width"),
        (json!({"from": path, "activation": "relu"}), "activation"),
        (json!({"from": path, "file": fixture("tiny.png"), "gray": true}), "from"),
    ] {
        match prepare(&request(settings)).unwrap_err() {
            PrepareError::Request(error) => assert!(error.fields.contains(&field), "{error}"),
            error => panic!("{error}"),
        }
    }
    let absent = prepare(&request(json!({"from": path.join("absent")}))).unwrap_err();
    assert!(matches!(absent, PrepareError::Model(_)), "{absent}");
}

/// A fit from a file of initial weights equals one that draws the same weights itself.
#[test]
fn initial_weights_from_a_file_are_those_that_a_fit_draws() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = vec![("tiny.png", 1.0)];
    if cfg!(feature = "audio") {
        cases.push(("tiny.wav", 100.0));
    }
    for (name, scale) in cases {
        let own = small(name, json!({"steps": 10, "seed": 6}));
        let prepared = prepare(&own).unwrap();
        let plan = &prepared.resolved.plan;
        assert_eq!(plan.input_scale, scale);
        let path = folder.path().join(format!("{name}.safetensors"));
        let rule: InitRule = plan.init;
        let (network, seed) = (&plan.network, plan.seed);
        InitialWeights { network, rule, seed, input_scale: scale }.save(&path).unwrap();
        let from = own.with(&request(json!({"from": path}))).unwrap();
        let drawn = fit(&own, &prepared, &backend(1));
        let read = fit(&from, &prepare(&from).unwrap(), &backend(1));
        assert_eq!(read.model.body, drawn.model.body);
        assert_ne!(read.plan, drawn.plan);
    }
}
