//! Carries out recordings on a device. The only file that encodes wgpu commands.
//!
//! Errors of wgpu arrive late and are per thread: everything here runs within error scopes, whatever
//! escapes them marks the device as lost, and every wait is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::pool::{Pool, Usage};
use super::recording::{Command, Dispatch, Overrides, Recording, Slot};
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::pool::lock;

/// A device that computes slower than this many bytes a second, summed over the buffers of all
/// dispatches, counts as hung.
const LEAST_BYTES_PER_SECOND: u64 = 16 << 20;

/// Time that any recording has, on top of what its size earns it: kernels may have to be compiled.
const LEAST_PATIENCE: Duration = Duration::from_secs(30);

/// After the work is done its callbacks are due at once, perhaps on another thread.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

/// A device with its compiled kernels and spare buffers. Calls from several threads are independent
/// of one another.
pub(super) struct Engine {
    device: wgpu::Device,
    queue: wgpu::Queue,
    limits: wgpu::Limits,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    pipelines: Mutex<HashMap<(Kernel, Overrides), Pipeline>>,
    pool: Pool,
    lost: Arc<Mutex<Option<String>>>,
}

#[derive(Clone)]
struct Pipeline {
    compute: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// The buffers of one recording.
struct Buffers {
    storage: Vec<wgpu::Buffer>,
    uniform: wgpu::Buffer,
    upload: wgpu::Buffer,
    download: wgpu::Buffer,
}

impl Engine {
    /// Opens `adapter`, with its largest buffers and otherwise the limits of any adapter.
    pub fn new(adapter: &wgpu::Adapter) -> Result<Self> {
        let offered = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            max_buffer_size: offered.max_buffer_size,
            ..wgpu::Limits::downlevel_defaults()
        };
        let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| Error::gpu(format!("device: {error}")))?;
        let lost = Arc::new(Mutex::new(None));
        let reason = Arc::clone(&lost);
        device.set_device_lost_callback(move |why, message| {
            lock(&reason).get_or_insert(format!("device lost ({why:?}): {message}"));
        });
        let reason = Arc::clone(&lost);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&reason).get_or_insert(error.to_string());
        }));
        let limits = device.limits();
        Ok(Self {
            device,
            queue,
            limits,
            modules: Mutex::default(),
            pipelines: Mutex::default(),
            pool: Pool::default(),
            lost,
        })
    }

    /// Why the device can no longer be used, if so.
    pub fn lost(&self) -> Option<String> {
        lock(&self.lost).clone()
    }

    /// Takes the device away, as if a cable had come loose.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Carries out `recording`: `input` is what it uploads, and `output` gets what it downloads.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) for a batch that is too large for the device, and
    /// for a device that fails, after which `output` is unspecified.
    pub fn execute(&self, recording: &Recording, input: &[u8], output: &mut [u8]) -> Result<()> {
        self.check_sizes(recording)?;
        self.check_lost()?;
        // wgpu panics on some failures of a driver for which it has no other way out.
        let attempt = std::panic::AssertUnwindSafe(|| self.in_error_scopes(recording, input, output));
        match std::panic::catch_unwind(attempt) {
            Ok(result) => result.and_then(|()| self.check_lost()),
            Err(_) => {
                let reason = "the driver failed in a way that wgpu cannot report";
                lock(&self.lost).get_or_insert(reason.to_string());
                Err(Error::gpu(reason))
            }
        }
    }

    fn check_lost(&self) -> Result<()> {
        match self.lost() {
            Some(reason) => Err(Error::gpu(reason)),
            None => Ok(()),
        }
    }

    fn largest_buffer(&self) -> u64 {
        self.limits.max_buffer_size.min(self.limits.max_storage_buffer_binding_size)
    }

    fn check_sizes(&self, recording: &Recording) -> Result<()> {
        let needed = recording.buffers.iter().copied().max().unwrap_or(0);
        let largest = self.largest_buffer();
        if needed > largest {
            return Err(Error::gpu(format!(
                "batch too large: a buffer of {needed} bytes is needed, the device has at most {largest}; use fewer \
                 frames per batch"
            )));
        }
        Ok(())
    }

    fn in_error_scopes(&self, recording: &Recording, input: &[u8], output: &mut [u8]) -> Result<()> {
        let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let result = self.run(recording, input, output);
        // The innermost scope goes first. What wgpu says is the cause of what followed.
        let errors: Vec<_> = scopes.into_iter().rev().filter_map(|scope| pollster::block_on(scope.pop())).collect();
        match errors.into_iter().next() {
            Some(error) => {
                self.pool.clear();
                Err(Error::gpu(error.to_string()))
            }
            None => result,
        }
    }

    fn run(&self, recording: &Recording, input: &[u8], output: &mut [u8]) -> Result<()> {
        let storage = recording.buffers.iter().map(|&bytes| self.take(Usage::Storage, bytes));
        let storage: Vec<_> = storage.collect::<Result<_>>()?;
        for (slot, content) in &recording.tables {
            self.queue.write_buffer(&storage[slot.0], 0, content);
        }
        let (uniform, param_offsets) = self.uniform(recording)?;
        let buffers = Buffers {
            storage,
            uniform,
            upload: self.upload(input)?,
            download: self.take(Usage::Download, recording.download_bytes())?,
        };
        let commands = self.encode(recording, &buffers, &param_offsets, input.len())?;
        let submission = self.queue.submit([commands]);
        self.wait(submission, &buffers.download, patience(recording))?;
        {
            let view = buffers.download.get_mapped_range(..);
            copy_downloads(recording, &view.map_err(|error| Error::gpu(format!("download buffer: {error}")))?, output);
        }
        buffers.download.unmap();

        for buffer in buffers.storage {
            self.pool.give(Usage::Storage, buffer);
        }
        self.pool.give(Usage::Uniform, buffers.uniform);
        self.pool.give(Usage::Upload, buffers.upload);
        self.pool.give(Usage::Download, buffers.download);
        Ok(())
    }

    /// A buffer with `input`, to be copied to the device.
    fn upload(&self, input: &[u8]) -> Result<wgpu::Buffer> {
        let upload = self.take(Usage::Upload, padded(input.len()))?;
        {
            let view = upload.get_mapped_range_mut(..);
            let mut view = view.map_err(|error| Error::gpu(format!("upload buffer: {error}")))?;
            view.slice(..input.len()).copy_from_slice(input);
        }
        upload.unmap();
        Ok(upload)
    }

    fn encode(
        &self,
        recording: &Recording,
        buffers: &Buffers,
        param_offsets: &[u64],
        input_bytes: usize,
    ) -> Result<wgpu::CommandBuffer> {
        let Buffers { storage, upload, download, .. } = buffers;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut param_offsets = param_offsets.iter();
        // Neighbouring dispatches share a pass; wgpu orders those that share a buffer.
        let are_dispatches =
            |a: &Command, b: &Command| matches!(a, Command::Dispatch(_)) && matches!(b, Command::Dispatch(_));
        for commands in recording.commands.chunk_by(are_dispatches) {
            match &commands[0] {
                Command::Upload { to } => {
                    encoder.copy_buffer_to_buffer(upload, 0, &storage[to.0], 0, padded(input_bytes));
                }
                Command::Clear { buffer } => {
                    encoder.clear_buffer(&storage[buffer.0], 0, Some(recording.buffers[buffer.0]));
                }
                Command::Download { from, offset, bytes } => {
                    encoder.copy_buffer_to_buffer(&storage[from.0], *offset, download, *offset, *bytes);
                }
                Command::Dispatch(_) => {
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    for (command, &offset) in commands.iter().zip(param_offsets.by_ref()) {
                        if let Command::Dispatch(dispatch) = command {
                            self.dispatch(&mut pass, dispatch, buffers, &recording.buffers, offset)?;
                        }
                    }
                }
            }
        }
        Ok(encoder.finish())
    }

    /// Waits until `submission` is done and `download`, which it fills, is mapped.
    fn wait(&self, submission: wgpu::SubmissionIndex, download: &wgpu::Buffer, patience: Duration) -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        download.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody waits any more if the receiver is gone.
            let _ = sender.send(result);
        });
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(patience) };
        if let Err(error) = self.device.poll(wait) {
            let reason = format!("the device hung: {error}");
            lock(&self.lost).get_or_insert(reason.clone());
            return Err(Error::gpu(reason));
        }
        match receiver.recv_timeout(CALLBACK_TIMEOUT) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::gpu(format!("download buffer: {error}"))),
            Err(error) => Err(Error::gpu(format!("download buffer: no answer: {error}"))),
        }
    }

    fn take(&self, usage: Usage, bytes: u64) -> Result<wgpu::Buffer> {
        self.pool.take(&self.device, &self.queue, usage, bytes, self.largest_buffer())
    }

    /// A buffer with the parameters of all dispatches, and where those of each start.
    fn uniform(&self, recording: &Recording) -> Result<(wgpu::Buffer, Vec<u64>)> {
        let alignment = self.limits.min_uniform_buffer_offset_alignment as usize;
        let mut bytes = Vec::new();
        let mut offsets = Vec::new();
        for dispatch in recording.dispatches() {
            offsets.push(bytes.len() as u64);
            bytes.extend_from_slice(&dispatch.params);
            bytes.resize(bytes.len().next_multiple_of(alignment), 0);
        }
        let buffer = self.take(Usage::Uniform, bytes.len() as u64)?;
        self.queue.write_buffer(&buffer, 0, &bytes);
        Ok((buffer, offsets))
    }

    fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        dispatch: &Dispatch,
        buffers: &Buffers,
        sizes: &[u64],
        param_offset: u64,
    ) -> Result<()> {
        let pipeline = self.pipeline(dispatch.kernel, dispatch.overrides)?;
        let binding = |binding: u32, buffer, offset, bytes: u64| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: wgpu::BufferSize::new(bytes),
            }),
        };
        let mut entries = vec![binding(0, &buffers.uniform, param_offset, dispatch.params.len() as u64)];
        let bindings = dispatch.kernel.row().1.storage;
        for (&kind, &Slot(slot)) in bindings.iter().zip(&dispatch.storage) {
            entries.push(binding(kind as u32, &buffers.storage[slot], 0, sizes[slot]));
        }
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        });
        pass.set_pipeline(&pipeline.compute);
        pass.set_bind_group(0, &group, &[]);
        let [columns, rows] = dispatch.workgroups;
        pass.dispatch_workgroups(columns, rows, 1);
        Ok(())
    }

    fn pipeline(&self, kernel: Kernel, overrides: Overrides) -> Result<Pipeline> {
        if let Some(pipeline) = lock(&self.pipelines).get(&(kernel, overrides)) {
            return Ok(pipeline.clone());
        }
        // Compiled outside the lock; two threads may do so at once and the result is the same. A
        // scope of its own keeps a pipeline that failed out of the cache.
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.create_pipeline(kernel, overrides);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::gpu(format!("{kernel:?}: {error}")));
        }
        lock(&self.pipelines).insert((kernel, overrides), pipeline.clone());
        Ok(pipeline)
    }

    fn create_pipeline(&self, kernel: Kernel, overrides: Overrides) -> Pipeline {
        let (shader, entry) = kernel.row();
        let module = lock(&self.modules)
            .entry(shader.name)
            .or_insert_with(|| {
                self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(shader.name),
                    source: wgpu::ShaderSource::Wgsl(shader.wgsl().into()),
                })
            })
            .clone();
        let binding = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let mut entries = vec![binding(0, wgpu::BufferBindingType::Uniform)];
        entries.extend(
            entry
                .storage
                .iter()
                .map(|&kind| binding(kind as u32, wgpu::BufferBindingType::Storage { read_only: kind.is_read_only() })),
        );
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader.name), entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(shader.name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let mut constants = vec![("SAMPLE_BYTES", f64::from(overrides.sample_bytes))];
        constants.extend(overrides.predictor.map(|predictor| ("PREDICTOR", f64::from(predictor as u8))));
        let compute = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(entry.name),
            // Kernels write workgroup memory before they read it.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Pipeline { compute, layout }
    }
}

fn copy_downloads(recording: &Recording, downloaded: &[u8], output: &mut [u8]) {
    for command in &recording.commands {
        if let Command::Download { offset, bytes, .. } = *command {
            let start = offset as usize;
            let end = output.len().min(start + bytes as usize);
            output[start..end].copy_from_slice(&downloaded[start..end]);
        }
    }
}

/// Copies have sizes that are multiples of 4.
fn padded(bytes: usize) -> u64 {
    (bytes as u64).next_multiple_of(4)
}

/// Longest time that `recording` may take.
fn patience(recording: &Recording) -> Duration {
    let dispatches = recording.dispatches().flat_map(|dispatch| &dispatch.storage);
    let bytes: u64 = dispatches.map(|&Slot(slot)| recording.buffers[slot]).sum();
    LEAST_PATIENCE + Duration::from_secs(bytes / LEAST_BYTES_PER_SECOND)
}
