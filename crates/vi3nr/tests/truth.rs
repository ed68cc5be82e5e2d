//! Moments and solutions against references that were computed apart from this code (`truth.py`): no
//! moment beyond its stated bound, every root, every kind and every infimum.

use std::time::Instant;

use vi3nr::backward::{Approach, Solution, solve};
use vi3nr::{Activation, Moments};

/// Moments that exist and are refused: exp(x²/10) just before it outgrows the density.
const MAX_REFUSED: usize = 1;

#[test]
fn no_moment_is_beyond_its_bound() {
    let (mut cases, mut refused, mut wrong, mut loose) = (0, Vec::new(), Vec::new(), Vec::new());
    let mut activation: Option<Activation> = None;
    let mut slowest = (0.0, String::new());
    for line in include_str!("truth.tsv").lines() {
        if let Some(text) = line.strip_prefix('=') {
            activation = Some(text.parse().unwrap());
            continue;
        }
        let activation = activation.as_ref().unwrap();
        let numbers: Vec<f64> = line.split('\t').map(|number| number.parse().unwrap()).collect();
        cases += 1;
        let start = Instant::now();
        let moments = Moments::of(activation, numbers[0]);
        let place = format!("{activation} at {}", numbers[0]);
        let seconds = start.elapsed().as_secs_f64();
        if seconds > slowest.0 {
            slowest = (seconds, place.clone());
        }
        let moments = match moments {
            Ok(moments) => moments,
            Err(error) => {
                refused.push(error.to_string());
                continue;
            }
        };
        let four = [
            moments.mean,
            moments.second_moment,
            moments.derivative_mean,
            moments.derivative_second_moment,
        ];
        // Means are judged on the scale of the root of the mean square.
        let scale = [numbers[2].sqrt(), numbers[2], numbers[4].sqrt(), numbers[4]];
        for (k, (seen, exact)) in four.into_iter().zip(&numbers[1..]).enumerate() {
            // The reference is rounded to a double here; means that are 0 by symmetry have its noise.
            let rounding = 2.0 * f64::EPSILON * exact.abs() + 1e-19 * scale[k];
            let off = (seen.value - exact).abs();
            // NaN is wrong too.
            if off.is_nan() || off > seen.error + rounding {
                wrong.push(format!("{place}, moment {k}: {seen:?}, exact {exact}"));
            }
            if off > 1e-10 * scale[k] + 2.0 * f64::MIN_POSITIVE {
                loose.push(format!("{place}, moment {k}: {seen:?}, exact {exact}"));
            }
        }
    }
    println!("{cases} cases, {} refused, {} wrong", refused.len(), wrong.len());
    println!("slowest {:.3} s: {}", slowest.0, slowest.1);
    println!("refused:\n  {}\nnot to 1e-10:\n  {}", refused.join("\n  "), loose.join("\n  "));
    assert_eq!(cases, 409);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(loose.is_empty(), "{}", loose.join("\n"));
    assert!(refused.len() <= MAX_REFUSED, "{}", refused.join("\n"));
}

#[test]
fn solutions_are_right_and_of_their_kind() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for line in include_str!("solutions.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [text, kind, roots, infimum, at] = fields[..] else { panic!("{line}") };
        cases += 1;
        let start = Instant::now();
        let answer = solve(&text.parse().unwrap(), 1.0);
        let seconds = start.elapsed().as_secs_f64();
        println!("{seconds:.4} s  {text}: {answer:?}");
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                wrong.push(format!("{text}: {error}"));
                continue;
            }
        };
        let is_right = match (kind, &answer.solution) {
            ("roots", Solution::Roots(seen)) => {
                let exact: Vec<f64> = roots.split(',').map(|root| root.parse().unwrap()).collect();
                exact.len() == seen.len()
                    && exact.iter().zip(seen).all(|(a, b)| (b.sigma_p / a - 1.0).abs() < 1e-9)
            }
            ("every", Solution::Every) => true,
            ("none", Solution::None { infimum: seen, approached_at }) => {
                let exact: f64 = infimum.parse().unwrap();
                let is_there = match (at, *approached_at) {
                    ("everywhere", place) => place == Approach::Everywhere,
                    // Where both ends reach the infimum either is right.
                    ("infinity" | "0.0", place) => place != Approach::Everywhere,
                    (place, Approach::At(seen)) => {
                        (seen / place.parse::<f64>().unwrap() - 1.0).abs() < 1e-5
                    }
                    _ => false,
                };
                is_there && (seen - exact).abs() <= 1e-10 * exact.max(1e-2)
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{text}: {answer:?}, not {kind} {roots} {infimum} {at}"));
        }
    }
    assert_eq!(cases, 48);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
