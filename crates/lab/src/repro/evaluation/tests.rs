use std::collections::HashSet;

use std::sync::atomic::AtomicBool;

use super::file::{EVALUATIONS, Evaluation, FURTHER, Profile};
use super::{EvaluationRun, Order};
use crate::sweep::ExecutorRequest;

fn printed(name: &str, row: &str) -> (Option<String>, Option<String>) {
    let evaluation = Evaluation::named(name).unwrap();
    let row = evaluation.rows.into_iter().find(|own| own.name == row).unwrap();
    (row.paper, row.paper_sd)
}

#[test]
fn files_hold_the_papers_numbers() {
    for (name, row, mean, sd) in [
        ("table5", "SIREN + random normal init", "10.71", Some("3.11")),
        ("table5", "SIREN + SIREN init", "55.77", Some("2.21")),
        ("table5", "Sinc + random normal init", "32.11", Some("2.73")),
        ("table5", "Sinc + our empirical init", "71.44", Some("5.25")),
        ("table5", "Gaussian + random normal init", "30.42", Some("4.41")),
        ("table5", "Gaussian + Our MC init", "75.85", Some("6.26")),
        ("table5", "Gaussian + Our init", "79.73", Some("11.85")),
        ("table6", "SIREN + random normal init", "0.0139", Some("0.0071")),
        ("table6", "SIREN + SIREN init", "0.9791", Some("0.0112")),
        ("table6", "Sinc + random normal init", "0.7252", Some("0.1037")),
        ("table6", "Sinc + Our MC init", "0.9055", Some("0.0466")),
        ("table6", "Gaussian + random normal init", "0.8628", Some("0.0718")),
        ("table6", "Gaussian + Our MC init", "0.9693", Some("0.0149")),
        ("table6", "Gaussian + Our init", "0.9697", Some("0.0148")),
        ("table7", "SIREN + random normal init, two speakers", "30.79", None),
        ("table7", "SIREN + SIREN init, counting", "0.37", None),
        ("table7", "Gaussian + random normal init, bach", "6.57", None),
        ("table7", "Gaussian + Our MC init, counting", "1.36", None),
        ("table7", "Gaussian + Our init, bach", "0.48", None),
        ("table8", "ReLU, Xavier", "18.85", Some("2.93")),
        ("table8", "Gaussian 0.05, Kaiming", "9.97", Some("1.34")),
        ("table8", "Gaussian 0.05, ours, sigma_p 0.08 (Eq. 13)", "25.08", Some("2.96")),
        ("table8", "Gaussian 0.20, Kaiming", "79.70", Some("7.68")),
    ] {
        let expected = (Some(mean.to_owned()), sd.map(str::to_owned));
        assert_eq!(printed(name, row), expected, "{name}: {row}");
    }
}

/// Every row is compared with an existing one, has numbers as printed ones, and trains with Adam.
#[test]
fn files_are_consistent() {
    for name in EVALUATIONS {
        let evaluation = Evaluation::named(name).unwrap();
        assert!(!evaluation.rows.is_empty() || !evaluation.maps.is_empty(), "{name}");
        for row in &evaluation.rows {
            if let Some(than) = &row.than {
                let other = evaluation.rows.iter().find(|other| other.name == *than);
                assert!(other.is_some(), "{name}: {than}");
            }
            for number in row.paper.iter().chain(&row.paper_sd) {
                assert!(number.parse::<f64>().is_ok(), "{name}: {number}");
            }
        }
        let Some(data) = vi3nr_test_data::folder() else { continue };
        for profile in Profile::ALL {
            let plan = evaluation.plan(profile, &data).unwrap();
            for trial in plan.trials() {
                assert_eq!(trial.get("optimizer").unwrap().text, "adam", "{name}");
                assert!(data.join(&trial.get("file").unwrap().text).is_file(), "{name}");
            }
        }
    }
}

/// Every scheme is defined for its cells: each fit of the table has a plan, except for those that the
/// theory refuses.
#[test]
fn schemes_are_crossed_with_activations() {
    for name in FURTHER {
        let evaluation = Evaluation::named(name).unwrap();
        let names: HashSet<&str> = evaluation.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), evaluation.rows.len());
        // Four blocks: five schemes for eight activations, four for two, and two for one.
        assert_eq!(evaluation.rows.len(), 4 * (5 * 8 + 4 * 2 + 2));
        let Some(data) = vi3nr_test_data::folder() else { continue };
        for profile in Profile::ALL {
            let plan = evaluation.plan(profile, &data).unwrap();
            assert_eq!(plan.cases.len(), evaluation.rows.len());
            if profile == Profile::Quick {
                for trial in
                    plan.trials().iter().filter(|trial| trial.get("seed").unwrap().text == "0")
                {
                    let identity = plan.identity(trial).unwrap();
                    let label = plan.label(trial);
                    assert!(identity.plan.is_ok(), "{label}: {:?}", identity.plan);
                }
            }
        }
    }
}

/// What is interrupted before its first fit has a result without numbers, and says so.
#[test]
fn an_interrupted_evaluation_has_a_result() {
    let Some(data) = vi3nr_test_data::folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = EvaluationRun::new("table8", Profile::Medium, &data, folder.path()).unwrap();
    let estimate = run.estimate().unwrap();
    // 9 rows of 6 images; 6 operations for each of 98,944 weights, 4,096 points and 10,000 steps.
    assert_eq!(estimate.trials, 54);
    assert!((estimate.operations / (54.0 * 6.0 * 98_944.0 * 4_096.0 * 1e4) - 1.0).abs() < 1e-9);
    let stop = AtomicBool::new(true);
    let runner = ExecutorRequest::default().runner(&run.plan).unwrap();
    let result = run.run(&runner, Some(1), &stop, &mut |_| {}).unwrap();
    assert!(!result.is_complete && result.trials == 0);
    let row = &result.rows[6];
    assert_eq!((row.ours, row.count, row.pending, row.order), (None, 0, 6, Order::Baseline));
    assert!(result.to_text().contains("6 runs have not ended"));
    assert!(result.to_text().ends_with("not complete: other fits have not ended\n"));
    assert_eq!(result.to_json()["is_complete"], false);
    result.save(folder.path()).unwrap();
}
