//! Which derivatives with respect to the coordinates pass through a network beside its values.

/// The channels of a forward pass: the value, one tangent for each coordinate, and second
/// derivatives.
///
/// With f, f', f'' at the preactivation z, the channels pass an activation h = f(z) as
///
/// - ∂_a h = f' ∂_a z for the tangent of the coordinate a,
/// - Σ ∂_a∂_b h = f' Σ ∂_a∂_b z + f'' Σ ∂_a z ∂_b z for a second derivative, which is a sum over
///   pairs (a, b).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channels {
    /// The number of coordinates; 0 if only values are needed.
    pub(crate) tangents: usize,
    /// The pairs of coordinates of each second derivative.
    pub(crate) seconds: Vec<Vec<(usize, usize)>>,
}

impl Channels {
    /// The channels of the derivatives up to `order`: of order 2, the Laplacian alone.
    pub(crate) fn of_order(order: usize, inputs: usize) -> Self {
        let laplacian = || (0..inputs).map(|a| (a, a)).collect();
        Self {
            tangents: if order > 0 { inputs } else { 0 },
            seconds: if order > 1 { vec![laplacian()] } else { Vec::new() },
        }
    }

    /// The channels of all second derivatives ∂_a∂_b with a <= b, in the order of
    /// [`hessian_index`].
    pub(crate) fn hessian(inputs: usize) -> Self {
        let pairs = (0..inputs).flat_map(|a| (a..inputs).map(move |b| vec![(a, b)]));
        Self { tangents: inputs, seconds: pairs.collect() }
    }

    /// The number of channels.
    pub(crate) fn count(&self) -> usize {
        1 + self.tangents + self.seconds.len()
    }

    /// The highest derivative of the activation that the forward pass needs, from 0 to 2.
    pub(crate) fn order(&self) -> usize {
        match (self.tangents, self.seconds.len()) {
            (0, _) => 0,
            (_, 0) => 1,
            _ => 2,
        }
    }
}

/// The index of ∂_a∂_b among the second derivatives of [`Channels::hessian`].
pub(crate) fn hessian_index(a: usize, b: usize, inputs: usize) -> usize {
    let (a, b) = (a.min(b), a.max(b));
    (0..a).map(|row| inputs - row).sum::<usize>() + b - a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_channel() {
        for inputs in 1..5 {
            let channels = Channels::hessian(inputs);
            for a in 0..inputs {
                for b in 0..inputs {
                    let pair = &channels.seconds[hessian_index(a, b, inputs)];
                    assert_eq!(*pair, [(a.min(b), a.max(b))]);
                }
            }
            assert_eq!(channels.count(), 1 + inputs + inputs * (inputs + 1) / 2);
        }
    }
}
