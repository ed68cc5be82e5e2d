//! The computation of a network as an ONNX graph, and its messages.
//!
//! Field numbers are those of `onnx.proto`, which never change.

use std::collections::BTreeMap;

use super::protobuf::Message;

/// The version of the operators. For float32, those that are used here are the same from version 16
/// on.
pub(super) const OPSET: u64 = 20;
/// The version of the file format that belongs to [`OPSET`].
const IR_VERSION: u64 = 9;

/// The code of float32 tensors.
const FLOAT: u64 = 1;
/// The code of integer attributes.
const INTEGER: u64 = 2;

/// The name of a tensor.
pub(super) type Name = String;

/// An operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) operator: &'static str,
    pub(super) inputs: Vec<Name>,
    /// The name of its result, which is also the name of the node.
    pub(super) output: Name,
    /// Integer attributes.
    pub(super) attributes: &'static [(&'static str, u64)],
}

/// A tensor of float32 that is stored in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) name: Name,
    /// The shape; empty for a single number.
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// The input or output of a graph, shape (n, `width`) with any n.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Port {
    pub(super) name: &'static str,
    pub(super) width: usize,
    /// The meaning of its numbers.
    pub(super) description: String,
}

/// Operations in their order, with the tensors that they read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) tensors: Vec<Tensor>,
}

impl Graph {
    /// Adds an operation and returns the name of its result.
    pub(super) fn node(
        &mut self,
        operator: &'static str,
        inputs: &[&Name],
        output: Name,
        attributes: &'static [(&'static str, u64)],
    ) -> Name {
        let inputs = inputs.iter().map(|name| (*name).clone()).collect();
        self.nodes.push(Node { operator, inputs, output: output.clone(), attributes });
        output
    }

    /// Adds a stored tensor and returns its name.
    pub(super) fn tensor(&mut self, name: Name, shape: Vec<usize>, values: Vec<f32>) -> Name {
        self.tensors.push(Tensor { name: name.clone(), shape, values });
        name
    }

    /// The name of a single number. Equal numbers are stored once.
    pub(super) fn constant(&mut self, value: f32) -> Name {
        // Different numbers have different decimal forms.
        let name = format!("constant.{value}");
        if !self.tensors.iter().any(|tensor| tensor.name == name) {
            self.tensor(name.clone(), Vec::new(), vec![value]);
        }
        name
    }

    /// The file of a model with this graph.
    pub(super) fn into_file(
        self,
        input: &Port,
        output: &Port,
        metadata: BTreeMap<&'static str, String>,
    ) -> Vec<u8> {
        let graph = Message::default()
            .each(&self.nodes, |graph, node| graph.message(1, node.message()))
            .text(2, "vi3nr")
            .each(self.tensors, |graph, tensor| graph.message(5, tensor.into_message()))
            .message(11, input.message())
            .message(12, output.message());
        let entry = |model: Message, (key, value): (&str, String)| {
            model.message(14, Message::default().text(1, key).text(2, &value))
        };
        Message::default()
            .integer(1, IR_VERSION)
            .text(2, "vi3nr")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, graph)
            .message(8, Message::default().text(1, "").integer(2, OPSET))
            .each(metadata, entry)
            .into_bytes()
    }
}

impl Node {
    fn message(&self) -> Message {
        let attribute = |node: Message, (name, value): &(&str, u64)| {
            let attribute = Message::default().text(1, name).integer(3, *value);
            node.message(5, attribute.integer(20, INTEGER))
        };
        Message::default()
            .each(&self.inputs, |node, input| node.text(1, input))
            .text(2, &self.output)
            .text(3, &self.output)
            .text(4, self.operator)
            .each(self.attributes, attribute)
    }
}

impl Tensor {
    fn into_message(self) -> Message {
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Message::default()
            .each(&self.shape, |tensor, size| tensor.integer(1, *size as u64))
            .integer(2, FLOAT)
            .text(8, &self.name)
            .bytes(9, &bytes)
    }
}

impl Port {
    fn message(&self) -> Message {
        let dynamic = Message::default().text(2, "n");
        let fixed = Message::default().integer(1, self.width as u64);
        let shape = Message::default().message(1, dynamic).message(1, fixed);
        let tensor = Message::default().integer(1, FLOAT).message(2, shape);
        Message::default()
            .text(1, self.name)
            .message(2, Message::default().message(1, tensor))
            .text(3, &self.description)
    }
}
