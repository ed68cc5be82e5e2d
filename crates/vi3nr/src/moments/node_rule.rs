//! A quadrature rule together with the derivative of the polynomial through its nodes.

/// A quadrature rule on [-1, 1] with all its nodes, and the derivative at the nodes of the polynomial
/// through them.
pub(super) struct NodeRule {
    pub(super) nodes: Vec<f64>,
    pub(super) weights: Vec<f64>,
    /// The derivative matrix, shape (n, n).
    differentiation: Vec<f64>,
    /// The root of the sum of squares of each row of the matrix: by how much independent errors of
    /// the values are amplified.
    pub(super) amplification: Vec<f64>,
}

impl NodeRule {
    /// The Gauss-Legendre rule with `count` points.
    pub(super) fn gauss(count: usize) -> Self {
        let (nodes, weights): (Vec<f64>, Vec<f64>) =
            (0..count).map(|index| node_and_weight(count, index)).unzip();
        // The barycentric weights of Gauss-Legendre nodes (Wang and Xiang, 2012, theorem 3.1).
        let barycentric: Vec<f64> = nodes
            .iter()
            .zip(&weights)
            .enumerate()
            .map(|(index, (node, weight))| {
                let size = libm::sqrt((1.0 - node * node) * weight);
                if index % 2 == 0 { size } else { -size }
            })
            .collect();
        let mut differentiation = vec![0.0; count * count];
        for row in 0..count {
            for column in (0..count).filter(|column| *column != row) {
                let entry = barycentric[column] / barycentric[row] / (nodes[row] - nodes[column]);
                differentiation[row * count + column] = entry;
                // The derivative of a constant is 0.
                differentiation[row * count + row] -= entry;
            }
        }
        let norm = |row: &[f64]| libm::sqrt(row.iter().map(|entry| entry * entry).sum());
        let amplification = differentiation.chunks_exact(count).map(norm).collect();
        Self { nodes, weights, differentiation, amplification }
    }

    /// The derivative of the polynomial through `values`, with respect to the coordinate on [-1, 1].
    pub(super) fn differentiate(&self, values: &[f64]) -> Vec<f64> {
        let row = |row: &[f64]| row.iter().zip(values).map(|(entry, value)| entry * value).sum();
        self.differentiation.chunks_exact(self.nodes.len()).map(row).collect()
    }
}

/// The node `index`, in ascending order, of the rule with `count` points, and its weight: a root of
/// the Legendre polynomial by Newton's method.
fn node_and_weight(count: usize, index: usize) -> (f64, f64) {
    let n = count as f64;
    let mut x = -libm::cos(std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5));
    let mut slope = 1.0;
    for _ in 0..8 {
        let (mut before, mut value) = (1.0, x);
        for degree in 2..=count {
            let k = degree as f64;
            (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
        }
        slope = n * (before - x * value) / (1.0 - x * x);
        x -= value / slope;
    }
    (x, 2.0 / ((1.0 - x * x) * slope * slope))
}

#[cfg(test)]
mod tests {
    use super::super::gauss::THIRTY_TWO;
    use super::*;

    #[test]
    fn nodes_and_weights_are_those_of_the_table() {
        let rule = NodeRule::gauss(32);
        for (node, weight) in THIRTY_TWO {
            let index = rule.nodes.iter().position(|own| (own - node).abs() < 1e-15).unwrap();
            assert!((rule.weights[index] - weight).abs() < 1e-15, "{node}");
        }
    }

    #[test]
    fn polynomials_are_differentiated_exactly() {
        for rule in [NodeRule::gauss(17), NodeRule::gauss(32)] {
            assert!((rule.weights.iter().sum::<f64>() - 2.0).abs() < 1e-14);
            let cubes: Vec<f64> = rule.nodes.iter().map(|x| x * x * x).collect();
            for (slope, x) in rule.differentiate(&cubes).into_iter().zip(&rule.nodes) {
                assert!((slope - 3.0 * x * x).abs() < 1e-12, "{x}: {slope}");
            }
        }
    }
}
