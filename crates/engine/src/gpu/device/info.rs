//! The GPUs of the machine.

use std::fmt;

use crate::EngineError;

/// The kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the memory of the CPU.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A driver that computes on the CPU, such as Mesa's lavapipe. It is for tests.
    Software,
    /// Another kind.
    Other,
}

impl DeviceKind {
    /// The name, as in messages and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        }
    }

    fn of(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Cpu => Self::Software,
            wgpu::DeviceType::Other => Self::Other,
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A device that the machine's drivers offer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The number of the device, counted from 0 in the order of [`devices`].
    pub index: usize,
    /// The name of the device.
    pub name: String,
    /// The kind of the device.
    pub kind: DeviceKind,
    /// The interface, `Vulkan` or `Metal`.
    pub interface: &'static str,
    /// The name and version of the driver.
    pub driver: String,
    /// The largest buffer that a kernel can use, in bytes.
    pub buffer_bytes: u64,
    /// The memory that the invocations of a workgroup share, in bytes.
    pub workgroup_bytes: u32,
    /// The largest number of invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Why the device cannot be used, or `None` if it can be.
    pub problem: Option<String>,
}

/// The least that a device must offer.
const MIN_WORKGROUP_BYTES: u32 = 16 << 10;
const MIN_WORKGROUP_INVOCATIONS: u32 = 256;
pub(in crate::gpu) const MIN_BUFFER_BYTES: u64 = 128 << 20;
const MIN_STORAGE_BUFFERS: u32 = 8;

impl DeviceInfo {
    fn of(index: usize, adapter: &wgpu::Adapter) -> Self {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let interface = match info.backend {
            wgpu::Backend::Metal => "Metal",
            wgpu::Backend::Vulkan => "Vulkan",
            _ => "another interface",
        };
        let driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
        Self {
            index,
            name: info.name,
            kind: DeviceKind::of(info.device_type),
            interface,
            driver,
            buffer_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            problem: problem(adapter, &limits),
        }
    }
}

/// Why the kernels cannot run on `adapter`.
fn problem(adapter: &wgpu::Adapter, limits: &wgpu::Limits) -> Option<String> {
    if !adapter.features().contains(wgpu::Features::IMMEDIATES) || limits.max_immediate_size < 32 {
        return Some("it has no push constants of 32 bytes".into());
    }
    let short =
        |what: &str, seen: u64, least: u64| format!("it has {seen} {what}, of {least} needed");
    let buffer = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let at_least = [
        (
            "bytes of workgroup memory",
            limits.max_compute_workgroup_storage_size,
            MIN_WORKGROUP_BYTES,
        ),
        (
            "invocations in a workgroup",
            limits.max_compute_invocations_per_workgroup,
            MIN_WORKGROUP_INVOCATIONS,
        ),
        (
            "storage buffers for a kernel",
            limits.max_storage_buffers_per_shader_stage,
            MIN_STORAGE_BUFFERS,
        ),
    ];
    let small = at_least.into_iter().find(|(_, seen, least)| seen < least);
    match small {
        Some((what, seen, least)) => Some(short(what, seen.into(), least.into())),
        None if buffer < MIN_BUFFER_BYTES => {
            Some(short("bytes for a buffer", buffer, MIN_BUFFER_BYTES))
        }
        None => None,
    }
}

/// The devices that the drivers of the machine offer, software among them. The list is empty if there
/// is no driver.
pub fn devices() -> Vec<DeviceInfo> {
    let adapters = adapters();
    adapters.iter().enumerate().map(|(index, adapter)| DeviceInfo::of(index, adapter)).collect()
}

/// The adapters in the order of [`devices`].
fn adapters() -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL;
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.flags = wgpu::InstanceFlags::empty();
    pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends))
}

/// The adapter number `index`, or the first that is usable and not software.
///
/// # Errors
/// Returns [`EngineError::Device`] if there is none.
pub(super) fn choose(index: Option<usize>) -> Result<(wgpu::Adapter, DeviceInfo), EngineError> {
    let adapters = adapters();
    let infos: Vec<_> = adapters
        .iter()
        .enumerate()
        .map(|(index, adapter)| DeviceInfo::of(index, adapter))
        .collect();
    if infos.is_empty() {
        return Err(no_driver());
    }
    let failure = |seen: String, expected: &str| {
        Err(EngineError::Device { seen, expected: expected.to_owned() })
    };
    let is_real = |info: &DeviceInfo| info.problem.is_none() && info.kind != DeviceKind::Software;
    let chosen = match index {
        Some(index) => index,
        None => match infos.iter().position(is_real) {
            Some(index) => index,
            None => {
                let names: Vec<_> = infos.iter().map(refusal).collect();
                let seen = format!("no GPU that can be used was found, only {}", names.join(", "));
                let expected = "a GPU with its driver, or the number of a device, which may be \
                                software";
                return failure(seen, expected);
            }
        },
    };
    let Some(info) = infos.get(chosen) else {
        let seen = format!("there is no device {chosen}");
        let last = infos.len() - 1;
        return failure(seen, &format!("a device from 0 to {last}"));
    };
    if let Some(problem) = &info.problem {
        return failure(
            format!("device {chosen} ({}) cannot be used: {problem}", info.name),
            "another device",
        );
    }
    Ok((adapters[chosen].clone(), info.clone()))
}

/// A device that is not chosen by itself, and why.
fn refusal(info: &DeviceInfo) -> String {
    let reason = info.problem.as_deref().unwrap_or(info.kind.as_str());
    format!("device {} ({}: {reason})", info.index, info.name)
}

/// The error of a machine for which [`devices`] is empty. It says what to install.
pub fn no_driver() -> EngineError {
    EngineError::Device {
        seen: "no GPU driver was found".into(),
        expected: "a Vulkan driver (on Debian and Ubuntu libvulkan1 with the driver of the GPU's \
                   vendor or mesa-vulkan-drivers; in a container also the vendor's Vulkan ICD file)"
            .into(),
    }
}
