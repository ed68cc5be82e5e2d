//! The text of the kernels without a device: naga validates it and translates it to SPIR-V, which
//! `spirv-val` checks where it is installed.

use std::io::Write;
use std::process::{Command, Stdio};

use naga::back::spv;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use vi3nr::Network;

use super::super::tile::Tile;
use super::super::wgsl;
use super::*;
use crate::channels::Channels;

/// Fails if `text` is not valid; `name` says what it is.
fn validate(name: &str, text: &str) -> (naga::Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(text)));
    let capabilities = Capabilities::IMMEDIATES | Capabilities::MEMORY_DECORATION_COHERENT;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    match validator.validate(&module) {
        Ok(info) => (module, info),
        Err(error) => panic!("{name}: {}", error.emit_to_string(text)),
    }
}

/// Whether `spirv-val` is installed.
fn has_spirv_val() -> bool {
    let found = Command::new("spirv-val").arg("--version").stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

fn check_spirv(name: &str, (module, info): &(naga::Module, ModuleInfo)) {
    let words = spv::write_vec(module, info, &spv::Options::default(), None).unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut child = Command::new("spirv-val")
        .args(["--target-env", "vulkan1.1", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {message}");
}

/// Every pass, for every kind of block, number of channels and order of derivatives.
#[test]
fn passes_are_valid() {
    let has_spirv_val = has_spirv_val();
    for (inputs, width) in
        [(1, 8), (2, 40), (2, 64), (2, 96), (2, 104), (2, 128), (2, 256), (3, 32), (4, 200)]
    {
        let dims = vec![inputs, width, width, 3];
        let network = Network::new(dims, "gelu".parse().unwrap()).unwrap();
        let tile = Tile::new(&network);
        for purpose in
            [Purpose::Evaluate, Purpose::Step, Purpose::Terms, Purpose::Factors, Purpose::Tangents]
        {
            let orders = [0, 1, 2].map(|order| Channels::of_order(order, inputs));
            let hessian = Channels::hessian(inputs);
            let all = match purpose {
                Purpose::Step => &orders[..1],
                Purpose::Evaluate => &[&orders[..2], &[hessian]].concat(),
                _ => &orders[..],
            };
            for channels in all {
                let name = format!("{purpose:?} of {inputs}, {width}, {channels:?}");
                let slopes = match purpose {
                    Purpose::Evaluate => channels::Slopes::Unused,
                    _ => channels::Slopes::Kept,
                };
                let order = channels::order(channels, slopes);
                let activation = wgsl::activation(network.activation(), order, "math_exp").unwrap();
                let text = pass(purpose, tile, channels, &activation, true);
                let validated = validate(&name, &text);
                if has_spirv_val {
                    check_spirv(&name, &validated);
                }
            }
        }
    }
}

#[test]
fn updates_and_the_peak_are_valid() {
    let kernels = [
        update::reduce(),
        update::adam(),
        update::displace().into(),
        update::sum().into(),
        peak::peak(),
    ];
    for text in kernels {
        let validated = validate("an update", &text);
        if has_spirv_val() {
            check_spirv("an update", &validated);
        }
    }
}

/// Barriers only stand where all invocations of a workgroup arrive, which naga does not check: in no
/// branch whose condition depends on the invocation.
#[test]
fn barriers_stand_in_uniform_control_flow() {
    let network = Network::new(vec![2, 64, 64, 3], "tanh".parse().unwrap()).unwrap();
    let channels = Channels::of_order(2, 2);
    let activation = wgsl::activation(network.activation(), 3, "math_exp").unwrap();
    for purpose in [Purpose::Terms, Purpose::Factors, Purpose::Tangents] {
        let text = pass(purpose, Tile::new(&network), &channels, &activation, true);
        let mut depends = Vec::new();
        let mut barriers = 0;
        for line in text.lines() {
            let opens = line.matches('{').count();
            let closes = line.matches('}').count();
            let branches =
                line.contains("if (") || line.contains("for (") || line.contains("switch");
            let differs = ["tid", "invocation", "unit", "column", "live"];
            let is_divergent = branches && differs.iter().any(|name| line.contains(name));
            if line.contains("Barrier()") {
                barriers += 1;
                assert!(!depends.contains(&true), "{purpose:?}: {line}");
            }
            for _ in 0..opens {
                depends.push(is_divergent);
            }
            for _ in 0..closes {
                depends.pop();
            }
        }
        assert!(barriers > 10 && depends.is_empty());
    }
}
