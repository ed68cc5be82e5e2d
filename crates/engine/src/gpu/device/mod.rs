//! A device and everything of wgpu's that kernels need: buffers, pipelines, commands.

mod info;

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;

use crate::EngineError;

pub(in crate::gpu) use info::MIN_BUFFER_BYTES;
pub use info::{DeviceInfo, DeviceKind, devices, no_driver};

/// An open device. No call of it panics: what wgpu reports later is kept and returned by the next
/// call that waits for the device.
#[derive(Debug)]
pub(super) struct Device {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: DeviceInfo,
    failure: Arc<Mutex<Option<String>>>,
    /// Whether storage buffers can be `@coherent`.
    pub(super) has_coherent: bool,
}

/// A buffer of numbers on the device.
#[derive(Debug, Clone)]
pub(super) struct Buffer(wgpu::Buffer);

impl Buffer {
    pub(super) fn bytes(&self) -> u64 {
        self.0.size()
    }
}

/// How a kernel uses a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A compiled kernel.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// A kernel's buffers.
#[derive(Debug, Clone)]
pub(super) struct Bindings(wgpu::BindGroup);

/// Whether a kernel's indices are checked on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// Every index is clamped to its buffer, which costs time: for tests.
    #[cfg_attr(not(test), allow(dead_code))]
    All,
    /// No index is checked: for kernels of the generators, whose indices are inside by construction.
    None,
}

/// The size in bytes of the constants that a dispatch passes to its kernel.
pub(super) const IMMEDIATE_BYTES: u32 = 32;

impl Device {
    /// Opens the device number `index` of [`devices`], or the first that is usable and not software.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if there is none or it cannot be opened.
    pub(super) fn open(index: Option<usize>) -> Result<Arc<Self>, EngineError> {
        let (adapter, info) = info::choose(index)?;
        let coherent = wgpu::Features::MEMORY_DECORATION_COHERENT;
        let required_features = wgpu::Features::IMMEDIATES | (adapter.features() & coherent);
        let descriptor = wgpu::DeviceDescriptor {
            label: None,
            required_features,
            required_limits: adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| EngineError::Device {
            seen: format!("{} cannot be opened: {error}", info.name),
            expected: "another device".into(),
        })?;
        let failure = Arc::new(Mutex::new(None));
        let keep = |failure: &Arc<Mutex<Option<String>>>| {
            let failure = Arc::clone(failure);
            move |text: String| {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
            }
        };
        let keep_error = keep(&failure);
        device
            .on_uncaptured_error(Arc::new(move |error: wgpu::Error| keep_error(error.to_string())));
        let keep_loss = keep(&failure);
        device.set_device_lost_callback(move |reason, text| {
            keep_loss(format!("the device was lost ({reason:?}) {text}"));
        });
        let has_coherent = required_features.contains(coherent);
        Ok(Arc::new(Self { device, queue, info, failure, has_coherent }))
    }

    pub(super) fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// A buffer of `count` numbers, all 0.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the device has no room for it.
    pub(super) fn buffer<T: Pod>(&self, count: usize) -> Result<Buffer, EngineError> {
        let bytes = (count.max(1) * size_of::<T>()).next_multiple_of(16) as u64;
        let full = || EngineError::Memory { mebibytes: bytes.div_ceil(1 << 20) as usize };
        if bytes > self.info.buffer_bytes {
            return Err(full());
        }
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match pollster::block_on(memory.pop()) {
            Some(_) => Err(full()),
            None => Ok(Buffer(buffer)),
        }
    }

    /// A buffer that holds `data`.
    ///
    /// # Errors
    /// Returns the errors of [`Device::buffer`].
    pub(super) fn upload<T: Pod>(&self, data: &[T]) -> Result<Buffer, EngineError> {
        let buffer = self.buffer::<T>(data.len())?;
        self.write(&buffer, 0, data);
        Ok(buffer)
    }

    /// Writes `data` from the number `start` of a buffer on, before all later commands.
    pub(super) fn write<T: Pod>(&self, buffer: &Buffer, start: usize, data: &[T]) {
        let offset = (start * size_of::<T>()) as u64;
        self.queue.write_buffer(&buffer.0, offset, bytemuck::cast_slice(data));
    }

    /// Waits for all earlier commands and reads `into.len()` numbers from the number `start` of a
    /// buffer on.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if a command failed or the device was lost, and
    /// [`EngineError::Memory`] if there is no room for a copy.
    pub(super) fn read<T: Pod>(
        &self,
        buffer: &Buffer,
        start: usize,
        into: &mut [T],
    ) -> Result<(), EngineError> {
        let bytes = size_of_val(into) as u64;
        if bytes == 0 {
            return self.check();
        }
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let copy = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if pollster::block_on(memory.pop()).is_some() {
            return Err(EngineError::Memory { mebibytes: bytes.div_ceil(1 << 20) as usize });
        }
        let mut commands = self.commands();
        let offset = (start * size_of::<T>()) as u64;
        commands.encoder.copy_buffer_to_buffer(&buffer.0, offset, &copy, 0, bytes);
        self.submit(commands);
        let slice = copy.slice(..);
        let failed = Arc::clone(&self.failure);
        slice.map_async(wgpu::MapMode::Read, move |result| {
            if let Err(error) = result {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert(error.to_string());
            }
        });
        self.wait()?;
        let view = slice.get_mapped_range().map_err(|error| self.failed(&error.to_string()))?;
        bytemuck::cast_slice_mut::<T, u8>(into).copy_from_slice(&view);
        Ok(())
    }

    /// Waits until all commands have ended.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if one failed or the device was lost.
    pub(super) fn wait(&self) -> Result<(), EngineError> {
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        waited.map(|_| ()).map_err(|error| self.failed(&error.to_string()))
    }

    /// The first failure that wgpu reported, if there is one.
    fn check(&self) -> Result<(), EngineError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map_or(Ok(()), |failure| Err(self.failed(failure)))
    }

    fn failed(&self, reason: &str) -> EngineError {
        EngineError::Device {
            seen: format!("{} failed: {reason}", self.info.name),
            expected: "a device that works: `vi3nr devices` lists them".into(),
        }
    }

    /// Compiles the entry point `main` of `source`, whose bindings 0, 1, … are accessed as in
    /// `accesses`.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if the source is not accepted or the driver cannot compile it.
    pub(super) fn kernel(
        &self,
        source: &str,
        accesses: &[Access],
        checks: Checks,
    ) -> Result<Kernel, EngineError> {
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        };
        let module = match checks {
            Checks::All => self.device.create_shader_module(descriptor),
            Checks::None => unchecked_module(&self.device, descriptor),
        };
        let entries: Vec<_> = (0..)
            .zip(accesses)
            .map(|(binding, access)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: *access == Access::Read },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: IMMEDIATE_BYTES,
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(validation.pop());
        match validation.or(internal) {
            Some(error) => Err(self.failed(&error.to_string())),
            None => Ok(Kernel { pipeline, layout }),
        }
    }

    /// Binds `buffers` to a kernel, in the order of its bindings.
    pub(super) fn bind(&self, kernel: &Kernel, buffers: &[&Buffer]) -> Bindings {
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.0.as_entire_binding(),
            })
            .collect();
        Bindings(self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &kernel.layout,
            entries: &entries,
        }))
    }

    /// Ends the device, as if it were lost.
    #[cfg(test)]
    pub(super) fn destroy(&self) {
        self.device.destroy();
    }

    pub(super) fn commands(&self) -> Commands {
        Commands { encoder: self.device.create_command_encoder(&Default::default()) }
    }

    /// Starts `commands`, after all that were submitted before.
    pub(super) fn submit(&self, commands: Commands) {
        self.queue.submit([commands.encoder.finish()]);
    }
}

/// A kernel without checks of its indices.
fn unchecked_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
) -> wgpu::ShaderModule {
    // SAFETY: the source comes from the generators in this folder. Their loops are bounded and their
    // indices stay inside the buffers, whose sizes the same layout determines; the tests run the same
    // kernels with `Checks::All` and compare the bytes.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

/// Commands that are recorded and then submitted together.
pub(super) struct Commands {
    encoder: wgpu::CommandEncoder,
}

/// One launch of a kernel.
pub(super) struct Dispatch<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) bindings: &'a Bindings,
    /// The constants of this launch.
    pub(super) immediates: [u32; IMMEDIATE_BYTES as usize / 4],
    /// The number of workgroups along x and y.
    pub(super) groups: [u32; 2],
}

impl Commands {
    /// Adds launches, each of which sees what the earlier ones wrote.
    pub(super) fn run<'a>(&mut self, dispatches: impl IntoIterator<Item = Dispatch<'a>>) {
        let mut pass = self.encoder.begin_compute_pass(&Default::default());
        for Dispatch { kernel, bindings, immediates, groups: [x, y] } in dispatches {
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, &bindings.0, &[]);
            pass.set_immediates(0, bytemuck::cast_slice(&immediates));
            pass.dispatch_workgroups(x, y, 1);
        }
    }

    /// Copies `count` vectors of four numbers, from the vector `.1` of a buffer on to that of another.
    pub(super) fn copy(&mut self, from: (&Buffer, usize), to: (&Buffer, usize), count: usize) {
        let bytes = |vectors: usize| 16 * vectors as u64;
        let (source, target) = (&from.0.0, &to.0.0);
        self.encoder.copy_buffer_to_buffer(
            source,
            bytes(from.1),
            target,
            bytes(to.1),
            bytes(count),
        );
    }
}

#[cfg(test)]
pub(super) mod tests;
