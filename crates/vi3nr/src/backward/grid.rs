//! The paper's way to a σ_p: a grid, and Monte Carlo at every point of it (Sec. 3.5).

use crate::{Activation, Error, Gain, Moments, require_positive};

/// What the search tries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridSearch {
    /// The smallest σ_p.
    pub from: f64,
    /// The largest σ_p.
    pub to: f64,
    /// How many equally spaced values, both ends included (the paper: about 1000).
    pub points: u32,
    /// Samples at each point (the paper: a million).
    pub samples: u64,
    /// The seed; every point has its own samples.
    pub seed: u64,
}

/// The point of the grid whose estimated condition is closest to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GridAnswer {
    /// The σ_p.
    pub sigma_p: f64,
    /// The condition as estimated there.
    pub condition: f64,
    /// gain² as estimated there.
    pub gain_squared: f64,
}

/// Selects the σ_p on a grid at which the Monte Carlo estimate of Eq. (13) is closest to 1.
///
/// It always answers, which is its weakness: for tanh and sine, which have no solution, it returns
/// the place where sampling noise happens to win (the paper's 0.1 and 0.004).
///
/// # Errors
/// Returns [`Error::OutOfRange`] if the range is empty or reversed or there are too few points or
/// samples, and [`Error::Moment`] if a sum is not finite or gives no gain.
///
/// ```
/// use vi3nr::backward::{GridSearch, grid_search};
///
/// let search = GridSearch { from: 0.1, to: 10.0, points: 100, samples: 1000, seed: 1 };
/// let answer = grid_search(&"sinc:a=1".parse()?, &search)?;
/// assert!((answer.sigma_p - 2.2233).abs() < 0.5); // exactly 2.223335...
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn grid_search(activation: &Activation, search: &GridSearch) -> Result<GridAnswer, Error> {
    require_positive("the start of the grid", search.from)?;
    require_positive("the length of the grid", search.to - search.from)?;
    if search.points < 2 {
        return Err(Error::OutOfRange {
            quantity: "points of the grid".into(),
            value: f64::from(search.points),
            expected: "at least 2",
        });
    }
    let mut best: Option<GridAnswer> = None;
    for index in 0..search.points {
        let share = f64::from(index) / f64::from(search.points - 1);
        let sigma_p = search.from + share * (search.to - search.from);
        let seed = search.seed.wrapping_add(u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let moments = Moments::by_sampling(activation, sigma_p, search.samples, seed)?;
        let gain = Gain::from_moments(activation, sigma_p, moments)?;
        let condition = gain.condition.value;
        let closer = |best: &GridAnswer| (condition - 1.0).abs() < (best.condition - 1.0).abs();
        if best.as_ref().is_none_or(closer) {
            let gain_squared = gain.gain_squared.value;
            best = Some(GridAnswer { sigma_p, condition, gain_squared });
        }
    }
    best.ok_or(Error::OutOfRange {
        quantity: "points of the grid".into(),
        value: 0.0,
        expected: "at least 2",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_roots_roughly_and_invents_them() {
        let search = GridSearch { from: 0.1, to: 10.0, points: 100, samples: 2000, seed: 3 };
        let sigmoid = grid_search(&"sigmoid".parse().unwrap(), &search).unwrap();
        assert!((sigmoid.sigma_p - 6.754575).abs() < 1.0, "{sigmoid:?}");
        // tanh has no root, and the answer is the smallest sigma_p or next to it.
        let tanh = grid_search(&"tanh".parse().unwrap(), &search).unwrap();
        assert!(tanh.sigma_p < 0.35, "{tanh:?}");
    }

    #[test]
    fn impossible_grids_are_refused() {
        let tanh: Activation = "tanh".parse().unwrap();
        let search = GridSearch { from: 0.1, to: 10.0, points: 10, samples: 10, seed: 0 };
        for bad in [
            GridSearch { from: 0.0, ..search },
            GridSearch { to: 0.05, ..search },
            GridSearch { to: f64::NAN, ..search },
            GridSearch { points: 1, ..search },
            GridSearch { samples: 0, ..search },
        ] {
            assert!(grid_search(&tanh, &bad).is_err());
        }
    }
}
