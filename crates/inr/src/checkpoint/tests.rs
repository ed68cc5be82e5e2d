use serde_json::json;

use super::*;
use crate::optimizer::OptimizerState;
use crate::plan::differences;
use crate::points::TermLosses;
use crate::train::{Best, EpochMean};

fn checkpoint() -> Checkpoint {
    let row = |step: u64| Progress {
        terms: TermLosses::new(&[0.5, step as f64]),
        step,
        steps: 900,
        loss: 1.0 / 3.0 / step as f64,
        learning_rate: 1e-3,
        points_seen: 1 << 40,
        operations: 1e15,
        elapsed: Duration::from_nanos(1_500_000_001),
    };
    let optimizer = OptimizerState {
        single: [("m".to_owned(), vec![1.5, -0.0]), ("none".to_owned(), vec![])].into(),
        double: [("x".to_owned(), vec![0.1, f64::MIN_POSITIVE])].into(),
        counters: [("t".to_owned(), u64::MAX)].into(),
    };
    Checkpoint {
        identity: Identity::Plan(json!({"seed": 3, "training": {"lr": 0.1}})),
        request: Some(FitRequest { seed: Some(3), ..FitRequest::default() }),
        state: TrainState {
            step: 2,
            points_seen: 1 << 40,
            operations: 1e15 / 3.0,
            elapsed: Duration::from_nanos(1_500_000_001),
            epoch: EpochMean::default(),
            best: Some(Best { loss: 0.1 + 0.2, step: 1, parameters: vec![1e-40, 2.0] }),
            parameters: vec![f32::MIN_POSITIVE / 2.0, 3.0],
            optimizer,
        },
        log: vec![row(1), row(2)],
    }
}

#[test]
fn checkpoints_survive_a_round_trip_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(CHECKPOINT_FILE);
    let mut whole = checkpoint();
    whole.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), whole);
    whole.state.best = None;
    whole.log.clear();
    whole.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), whole);
}

/// Every changed byte and every truncation is detected.
#[test]
fn damaged_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(CHECKPOINT_FILE);
    checkpoint().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for index in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[index] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        // White space in the header has no meaning.
        if let Ok(read) = Checkpoint::load(&path) {
            assert_eq!(read, checkpoint(), "byte {index}");
            assert!(bytes[index] == b' ' || damaged[index] == b' ', "byte {index}");
        }
    }
    for length in [0, 7, 8, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains("is damaged") && error.contains("remove it"), "{error}");
    }
    assert!(matches!(
        Checkpoint::load(folder.path().join("none").as_path()),
        Err(CheckpointError::Read { .. })
    ));
}

#[test]
fn differences_name_the_settings() {
    let kept = json!({"seed": 1, "settings": {"lr": 0.1, "steps": 5}});
    let asked = json!({"seed": 1, "settings": {"lr": 0.2, "batch": 7, "steps": 5}});
    assert_eq!(
        differences(&kept, &asked),
        ["settings.lr is 0.1 there and 0.2 here", "settings.batch is null there and 7 here"]
    );
    assert_eq!(differences(&kept, &kept), Vec::<String>::new());
}

#[test]
fn checkpoints_are_due_by_steps_or_time() {
    assert!(
        CheckpointInterval::Steps(3).is_due(3, Duration::ZERO)
            && !CheckpointInterval::Steps(3).is_due(2, Duration::MAX)
    );
    let second = Duration::from_secs(1);
    assert!(
        CheckpointInterval::Time(second).is_due(0, second)
            && !CheckpointInterval::Time(second).is_due(9, second / 2)
    );
}
