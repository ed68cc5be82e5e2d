//! A runtime for the operations of exported graphs, which computes in float32.

use std::collections::HashMap;

use super::wire::{integers, part, parts, text, texts};

/// A tensor; a shape without sizes is that of a single number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Array {
    fn at(&self, index: usize) -> f32 {
        if self.values.len() == 1 { self.values[0] } else { self.values[index] }
    }
}

/// The output `values` of an ONNX file for the coordinates `points`, shape (n, `inputs`).
pub(super) fn run(file: &[u8], points: &[f32], inputs: usize) -> Vec<f32> {
    let graph = part(file, 7);
    let shape = vec![points.len() / inputs, inputs];
    let input = Array { shape, values: points.to_vec() };
    let mut known = HashMap::from([("coordinates".to_owned(), input)]);
    for tensor in parts(&graph, 5) {
        assert_eq!(integers(&tensor, 2), [1], "float32");
        let shape: Vec<usize> = integers(&tensor, 1).into_iter().map(|n| n as usize).collect();
        let values: Vec<f32> =
            part(&tensor, 9).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(values.len(), shape.iter().product::<usize>());
        let old = known.insert(text(&tensor, 8), Array { shape, values });
        assert!(old.is_none(), "{} is there twice", text(&tensor, 8));
    }
    for node in parts(&graph, 1) {
        let operands: Vec<&Array> = texts(&node, 1).iter().map(|name| &known[name]).collect();
        let result = operate(&text(&node, 4), &operands);
        let old = known.insert(text(&node, 2), result);
        assert!(old.is_none(), "{} is there twice", text(&node, 2));
    }
    known.remove("values").unwrap().values
}

fn operate(operator: &str, operands: &[&Array]) -> Array {
    match (operator, operands) {
        ("Gemm", [x, weights, biases]) => gemm(x, weights, biases),
        ("Shape", [x]) => Array {
            shape: vec![x.shape.len()],
            values: x.shape.iter().map(|n| *n as f32).collect(),
        },
        ("Expand", [x, sizes]) => {
            let shape: Vec<usize> = sizes.values.iter().map(|n| *n as usize).collect();
            Array { values: vec![x.values[0]; shape.iter().product()], shape }
        }
        _ => {
            let widest = operands.iter().max_by_key(|one| one.shape.len()).unwrap();
            let value = |index| {
                let numbers: Vec<f32> = operands.iter().map(|one| one.at(index)).collect();
                scalar(operator, &numbers)
            };
            let values = (0..widest.values.len()).map(value).collect();
            Array { shape: widest.shape.clone(), values }
        }
    }
}

/// x Wᵀ + b.
fn gemm(x: &Array, weights: &Array, biases: &Array) -> Array {
    let (fan_out, fan_in) = (weights.shape[0], weights.shape[1]);
    assert_eq!((x.shape[1], &biases.shape[..]), (fan_in, &[fan_out][..]));
    let row = |x: &[f32]| {
        let rows = weights.values.chunks(fan_in).zip(&biases.values);
        let sum = |(row, bias): (&[f32], &f32)| {
            row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>() as f32 + bias
        };
        rows.map(sum).collect::<Vec<f32>>()
    };
    let values = x.values.chunks(fan_in).flat_map(row).collect();
    Array { shape: vec![x.shape[0], fan_out], values }
}

fn scalar(operator: &str, numbers: &[f32]) -> f32 {
    let truth = |condition: bool| f32::from(u8::from(condition));
    match (operator, numbers) {
        ("Add", [a, b]) => a + b,
        ("Sub", [a, b]) => a - b,
        ("Mul", [a, b]) => a * b,
        ("Div", [a, b]) => a / b,
        ("Max", [a, b]) => a.max(*b),
        ("Min", [a, b]) => a.min(*b),
        ("Clip", [x, low, high]) => x.clamp(*low, *high),
        ("Greater", [a, b]) => truth(a > b),
        ("Less", [a, b]) => truth(a < b),
        ("Equal", [a, b]) => truth(a == b),
        ("Where", [condition, a, b]) => {
            if *condition == 0.0 {
                *b
            } else {
                *a
            }
        }
        ("Neg", [x]) => -x,
        ("Abs", [x]) => x.abs(),
        ("Sign", [x]) => {
            if *x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        ("Sqrt", [x]) => x.sqrt(),
        // Correctly rounded, which a runtime is not quite.
        _ => smooth(operator, f64::from(numbers[0])) as f32,
    }
}

fn smooth(operator: &str, x: f64) -> f64 {
    use vi3nr::Real;
    match operator {
        "Exp" => x.exp(),
        "Log" => x.ln(),
        "Sin" => x.sin(),
        "Cos" => x.cos(),
        "Tan" => x.tan(),
        "Tanh" => x.tanh(),
        "Sinh" => x.sinh(),
        "Cosh" => x.cosh(),
        "Atan" => x.atan(),
        "Erf" => Real::erf(x),
        "Softplus" => Real::softplus(x),
        other => panic!("no operation {other}"),
    }
}
