//! `vi3nr devices`: the GPUs of the machine.

use serde_json::json;
use vi3nr_inr::backend::{Device, devices, no_driver};

use crate::CommandResult;
use crate::arguments::DevicesArguments;
use crate::output::{Failure, print};

/// Lists the devices; without one, says what to install.
pub(crate) fn run(arguments: &DevicesArguments) -> CommandResult {
    let devices = devices().map_err(Failure::failed)?;
    if devices.is_empty() {
        return Err(Failure::failed(no_driver()));
    }
    let text: Vec<String> = devices.iter().map(text).collect();
    print(arguments.json, &json!({"devices": devices}), &text.join("\n"))
}

/// A device for people.
fn text(device: &Device) -> String {
    let Device { index, name, kind, interface, driver, .. } = device;
    let use_of_it = match (&device.problem, *kind) {
        (Some(problem), _) => format!("cannot be used: {problem}"),
        (None, "software") => "usable, but only if its number is given".into(),
        (None, _) => "usable".into(),
    };
    format!(
        "{index}: {name}\n   \
         {kind}, {interface}, driver {driver}\n   \
         buffers up to {} MiB, workgroups up to {} KiB and {} invocations\n   \
         {use_of_it}\n",
        device.buffer_bytes >> 20,
        device.workgroup_bytes >> 10,
        device.workgroup_invocations,
    )
}
