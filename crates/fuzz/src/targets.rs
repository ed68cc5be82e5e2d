//! The readers, each with its corpus.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vi3nr::backward::solve;
use vi3nr::{Activation, Gain, InitRule, Network, Scheme, auto_sigma_p, variance_sensitivity};
use vi3nr_engine::{Backend, CpuBackend};
use vi3nr_inr::checkpoint::{Checkpoint, Identity};
use vi3nr_inr::model_file::ModelFile;
use vi3nr_inr::pieces::Journal;
use vi3nr_inr::prepare::{Prepared, prepare};
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run_directory::RunDirectory;
use vi3nr_inr::session::{Beginning, Session};
use vi3nr_inr::signal::{SignalOptions, open};
use vi3nr_lab::sweep::{Plan, Store, SweepFile};

use crate::corpus;
use crate::mutate::{Draws, INTEGERS, mutate, repair_journal, repair_png};

/// Reads an input, with the random numbers of the case; the error is the message.
type Reader = fn(&Bench, &[u8], &mut Draws) -> Result<(), String>;

/// A reader and valid inputs.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    corpus: fn() -> Vec<Vec<u8>>,
    /// Whether inputs are texts, into which words are inserted.
    is_text: bool,
    /// Corrects checksums.
    repair: Option<fn(&mut [u8])>,
    pub(crate) read: Reader,
}

const fn file(
    name: &'static str,
    corpus: fn() -> Vec<Vec<u8>>,
    is_text: bool,
    read: Reader,
) -> Target {
    Target { name, corpus, is_text, repair: None, read }
}

/// All targets.
pub(crate) const TARGETS: [Target; 20] = [
    Target {
        repair: Some(repair_png),
        ..file("png", corpus::png, false, |b, i, _| b.signal("png", i))
    },
    file("jpeg", corpus::jpeg, false, |b, i, _| b.signal("jpg", i)),
    file("wav", corpus::wav, false, |b, i, _| b.signal("wav", i)),
    file("flac", corpus::flac, false, |b, i, _| b.signal("flac", i)),
    file("mp3", corpus::mp3, false, |b, i, _| b.signal("mp3", i)),
    file("ply", corpus::ply, true, |b, i, _| b.signal("ply", i)),
    file("obj", corpus::obj, true, |b, i, _| b.signal("obj", i)),
    file("stl", corpus::stl, true, |b, i, _| b.signal("stl", i)),
    file("xyz", corpus::xyz, true, |b, i, _| b.signal("xyz", i)),
    file("pcd", corpus::pcd, true, |b, i, _| b.signal("pcd", i)),
    file("model", corpus::model, true, |b, i, _| {
        ModelFile::load(&b.write("a.safetensors", i)).map(drop).map_err(text)
    }),
    file("checkpoint", corpus::checkpoint, true, |b, i, random| b.checkpoint(i, random)),
    Target {
        repair: Some(repair_journal),
        ..file("journal", corpus::journal, true, |b, i, _| {
            let path = b.write("pieces.journal", i);
            Journal::open(&path, &b.journal_plan().resolved.plan, 4).map(drop).map_err(text)
        })
    },
    file("run", corpus::run, true, |b, i, _| {
        b.write("run.json", i);
        RunDirectory::read(b.folder.path()).map(drop).map_err(text)
    }),
    file("sweep", corpus::sweep, true, |b, i, _| {
        let (file, _) = SweepFile::read(&b.write("a.toml", i)).map_err(text)?;
        let plan = Plan::new(&file, &corpus::fixture("inr/tests/fixtures")).map_err(text)?;
        plan.trials().iter().take(3).try_for_each(|trial| {
            plan.label(trial);
            plan.identity(trial).map(drop).map_err(text)
        })
    }),
    file("database", corpus::database, true, |b, i, _| {
        let store = Store::open_existing(&b.write("a.sqlite", i)).map_err(text)?;
        store.rows();
        Ok(())
    }),
    file("formula", corpus::formula, true, |_, i, _| {
        let activation: Activation = string(i).parse().map_err(text)?;
        for x in [0.0, -0.0, 1.0, -3.5, 1e-320, 1e308, f64::INFINITY, f64::NAN] {
            activation.value_and_slope(x);
        }
        std::hint::black_box((activation.is_even(), activation.kinks()));
        // What is printed is read as the same activation.
        let printed = activation.to_string();
        let again: Activation = printed.parse().map_err(|error| format!("{printed}: {error}"))?;
        assert_eq!(again.to_string(), printed);
        Ok(())
    }),
    file("theory", corpus::formula, true, |_, i, random| {
        let activation: Activation = string(i).parse().map_err(text)?;
        let sigma_p = *random.choose(&[1e-320, 1e-3, 0.1, 1.0, 10.0, 1e4, 1e308]);
        match random.below(5) {
            0 => solve(&activation, *random.choose(&[1.0, 0.5, 2.0])).map(drop),
            1 => auto_sigma_p(&activation).map(drop),
            2 => variance_sensitivity(&activation, sigma_p).map(drop),
            3 => {
                let scheme = Scheme::ours(sigma_p);
                Network::uniform(2, 16, 4, 1, activation)
                    .and_then(|network| InitRule::new(scheme).derivative_variances(&network))
                    .and_then(|found| found.laplacians.map(drop))
            }
            _ => Gain::of(&activation, sigma_p).map(drop),
        }
        .map_err(text)
    }),
    file("scheme", corpus::scheme, true, |b, i, _| {
        let scheme: Scheme = string(i).parse().map_err(text)?;
        InitRule::new(scheme).plan(&b.network).map(drop).map_err(text)
    }),
    file("request", corpus::run, true, |_, i, _| {
        let value: Value = serde_json::from_slice(i).map_err(text)?;
        let settings = value["request"].as_object().ok_or("no request")?;
        FitRequest::from_settings(settings).map(drop).map_err(text)
    }),
];

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn string(input: &[u8]) -> String {
    // The longest command line that is sensible.
    String::from_utf8_lossy(&input[..input.len().min(300)]).into_owned()
}

impl Target {
    /// The inputs that are read and changed.
    pub(crate) fn corpus(&self) -> Vec<Vec<u8>> {
        (self.corpus)()
    }

    /// The input of a case: those of the corpus come first.
    pub(crate) fn input(&self, corpus: &[Vec<u8>], case: u64, random: &mut Draws) -> Vec<u8> {
        if let Some(input) = usize::try_from(case).ok().and_then(|case| corpus.get(case)) {
            return input.clone();
        }
        let words = if self.is_text { corpus::WORDS } else { &[] };
        let (one, other) = (random.choose(corpus), random.choose(corpus));
        let mut input = mutate(random, one, other, words);
        if let Some(repair) = self.repair
            && random.below(4) > 0
        {
            repair(&mut input);
        }
        input
    }
}

/// What the readers need.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    network: Network,
    backend: CpuBackend,
    fits: OnceCell<[Prepared; 2]>,
    pieces: OnceCell<Prepared>,
}

impl Bench {
    pub(crate) fn new() -> Result<Self, String> {
        let activation: Activation = "gaussian:sigma=0.3".parse().map_err(text)?;
        Ok(Self {
            folder: tempfile::tempdir().map_err(text)?,
            network: Network::uniform(2, 8, 3, 3, activation).map_err(text)?,
            backend: CpuBackend::new(Some(1)).map_err(text)?,
            fits: OnceCell::new(),
            pieces: OnceCell::new(),
        })
    }

    /// Writes an input into the folder.
    fn write(&self, name: &str, input: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    fn signal(&self, ending: &str, input: &[u8]) -> Result<(), String> {
        let path: &Path = &self.write(&format!("a.{ending}"), input);
        let result = open(path, &SignalOptions::default()).map(drop).map_err(text);
        if let Err(message) = &result {
            // A terminal must not obey a file, and a message must not repeat it.
            assert!(!message.contains(char::is_control) && message.len() < 1000, "{message:?}");
        }
        result
    }

    fn journal_plan(&self) -> &Prepared {
        self.pieces.get_or_init(|| {
            prepared(json!({
                "width": 8, "layers": 3, "tile": 8, "quality": 25, "storage": "f16",
                "activation": "sine:omega=20",
            }))
        })
    }

    /// Reads a checkpoint; in half of the cases, resumes a fit from numbers that are damaged.
    fn checkpoint(&self, input: &[u8], random: &mut Draws) -> Result<(), String> {
        if random.below(2) == 0 {
            return Checkpoint::load(&self.write("a.safetensors", input)).map(drop).map_err(text);
        }
        let fits = self.fits.get_or_init(|| {
            ["adam", "kfac"].map(|optimizer| {
                prepared(json!({"width": 8, "layers": 3, "steps": 9, "optimizer": optimizer}))
            })
        });
        let prepared = random.choose(fits);
        let plan = &prepared.resolved.plan;
        let backend: &dyn Backend = &self.backend;
        let begin = |beginning| Session::new(plan, &*prepared.signal, backend, beginning);
        let mut session = begin(Beginning::default()).map_err(text)?;
        session.step().map_err(text)?;
        session.step().map_err(text)?;
        let mut state = session.state().unwrap();
        let number = *random.choose(&INTEGERS);
        match random.below(5) {
            0 => state.step = number,
            1 => state.points_seen = number,
            2 => state.operations = f64::from_bits(random.bits()),
            3 => {
                if let Some(best) = &mut state.best {
                    best.step = number;
                }
            }
            _ => {
                let names: Vec<String> = state.optimizer.counters.keys().cloned().collect();
                state.optimizer.counters.insert(random.choose(&names).clone(), number);
            }
        }
        let identity = Identity::Plan(plan.to_json());
        let path = self.folder.path().join("b.safetensors");
        Checkpoint { identity, request: None, state, log: Vec::new() }.save(&path).map_err(text)?;
        let state = Checkpoint::load(&path).map_err(text)?.state;
        let beginning = Beginning { state: Some(&state), ..Beginning::default() };
        let mut session = begin(beginning).map_err(text)?;
        while session.step().map_err(text)?.is_some() {}
        Ok(())
    }
}

/// The plan of a fit to the small image of the fixtures.
fn prepared(mut settings: Value) -> Prepared {
    settings["file"] = json!(corpus::fixture("inr/tests/fixtures/tiny.png"));
    let settings = settings.as_object().cloned().unwrap_or_default();
    let request = FitRequest::from_settings(&settings).unwrap_or_else(|error| panic!("{error}"));
    prepare(&request).unwrap_or_else(|error| panic!("{error}"))
}
