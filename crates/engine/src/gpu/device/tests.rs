use super::*;

/// The device of the tests: the one that the environment variable VI3NR_DEVICE names, else the first
/// software device, else the first usable one. `None`, with a line in the file of skipped tests, if
/// the machine has none.
pub(in crate::gpu) fn device() -> Option<Arc<Device>> {
    let all = devices();
    let named = std::env::var("VI3NR_DEVICE").ok().and_then(|text| text.parse().ok());
    let usable = || all.iter().filter(|info| info.problem.is_none());
    let software = usable().find(|info| info.kind == DeviceKind::Software);
    let index = named.or_else(|| software.or_else(|| usable().next()).map(|info| info.index));
    match index {
        Some(index) => Some(Device::open(Some(index)).unwrap()),
        None => {
            vi3nr_test_data::skip_without_gpu();
            None
        }
    }
}

const DOUBLE: &str = "
@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> results: array<f32>;
struct Launch { first: u32, count: u32 }
var<immediate> launch: Launch;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < launch.count) { results[id.x] = 2.0 * source[launch.first + id.x]; }
}";

#[test]
fn a_kernel_reads_what_was_written_and_sees_its_constants() {
    let Some(device) = device() else { return };
    let from = device.upload(&[1.0f32, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let to = device.buffer::<f32>(3).unwrap();
    for checks in [Checks::All, Checks::None] {
        let kernel = device.kernel(DOUBLE, &[Access::Read, Access::Write], checks).unwrap();
        let bindings = device.bind(&kernel, &[&from, &to]);
        let mut commands = device.commands();
        let immediates = [2, 3, 0, 0, 0, 0, 0, 0];
        commands.run([Dispatch {
            kernel: &kernel,
            bindings: &bindings,
            immediates,
            groups: [1, 1],
        }]);
        device.submit(commands);
        let mut seen = [0.0f32; 3];
        device.read(&to, 0, &mut seen).unwrap();
        assert_eq!(seen, [6.0, 8.0, 10.0]);
    }
}

#[test]
fn mistakes_and_sizes_are_errors() {
    let Some(device) = device() else { return };
    let error = device.kernel("fn main() { unknown(); }", &[], Checks::All).unwrap_err();
    assert!(error.to_string().contains("unknown"), "{error}");
    let error = device.buffer::<f32>(usize::MAX / 8).unwrap_err();
    assert!(matches!(error, EngineError::Memory { .. }), "{error}");
    let error = Device::open(Some(999)).unwrap_err();
    assert!(error.to_string().starts_with("there is no device 999; expected a device from 0 to"));
}
