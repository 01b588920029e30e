//! Carries out recordings on a device. Besides `lending.rs`, the only file that encodes wgpu commands.
//!
//! Errors of wgpu arrive late and are per thread: everything here runs within error scopes, whatever
//! escapes them marks the device as lost, and every wait is bounded.
//!
//! Runs of several threads overlap: while the device works for one, another writes what the next one uploads, and a third
//! reads what the one before has downloaded. No lock is held while anything is waited for.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::outstanding::Outstanding;
use super::pipeline_cache::PipelineCache;
use super::pipelines::Pipelines;
use super::pool::{Pool, Usage};
use super::recording::{Command, Dispatch, Recording, Slot};
use super::staging::{Staged, Staging};
use super::timestamps::Timestamps;
use super::upload::{self, Upload};
use crate::error::{Error, Result};
use crate::pool::lock;
use crate::stage::{Detail, DeviceRun, KernelRun};

/// A device that computes slower than this many bytes a second, of those that dispatches have to read and write, counts as
/// hung.
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
    pipelines: Pipelines,
    pool: Pool,
    outstanding: Outstanding,
    /// What has run since somebody watches, if so.
    watched: Mutex<Option<(Detail, Vec<DeviceRun>)>>,
    shared: Arc<Shared>,
}

/// What the callbacks of a device have to do with.
#[derive(Default)]
struct Shared {
    lost: Mutex<Option<String>>,
    staging: Staging,
}

impl Shared {
    /// The device can no longer be used.
    fn lose(&self, reason: impl FnOnce() -> String) {
        lock(&self.lost).get_or_insert_with(reason);
        self.staging.close();
    }
}

/// The buffers of one submission, besides storage.
struct Transfers<'a> {
    uniform: wgpu::Buffer,
    staged: Staged<'a>,
}

impl Engine {
    /// Opens `adapter`, with its largest buffers, of which kernels are to see `most_bound` bytes at most, and otherwise the
    /// limits of any adapter, and with timestamp queries and a cache of pipelines if it has them.
    pub fn new(adapter: &wgpu::Adapter, most_bound: u64) -> Result<Self> {
        let offered = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size.min(most_bound),
            max_buffer_size: offered.max_buffer_size,
            ..wgpu::Limits::downlevel_defaults()
        };
        let required_features = adapter.features() & (wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE);
        let descriptor = wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| Error::gpu(format!("device: {error}")))?;
        let engine = Self::around(device, queue, &adapter.get_info());
        // The device keeps its callbacks, and what is shared has buffers, which keep the device.
        let of_callback = Arc::downgrade(&engine.shared);
        let lose = move |reason: &dyn Fn() -> String| {
            if let Some(shared) = of_callback.upgrade() {
                shared.lose(reason);
            }
        };
        let (device, of_error) = (&engine.device, lose.clone());
        device.set_device_lost_callback(move |why, message| lose(&|| format!("device lost ({why:?}): {message}")));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| of_error(&|| error.to_string())));
        Ok(engine)
    }

    /// An engine on an open device, whose handlers it does not touch.
    pub(super) fn around(device: wgpu::Device, queue: wgpu::Queue, info: &wgpu::AdapterInfo) -> Self {
        let cache = PipelineCache::open(&device, info);
        Self {
            limits: device.limits(),
            device,
            queue,
            pipelines: Pipelines::new(cache),
            pool: Pool::default(),
            outstanding: Outstanding::default(),
            watched: Mutex::default(),
            shared: Arc::default(),
        }
    }

    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Why the device can no longer be used, if so.
    pub fn lost(&self) -> Option<String> {
        lock(&self.shared.lost).clone()
    }

    /// Watches what runs from now on, or no longer. Returns what has run since it was watched.
    pub fn watch(&self, detail: Option<Detail>) -> Vec<DeviceRun> {
        let before = std::mem::replace(&mut *lock(&self.watched), detail.map(|detail| (detail, Vec::new())));
        before.map_or_else(Vec::new, |(_, runs)| runs)
    }

    /// How many pipelines there are, and what it took to make them.
    pub fn compiled(&self) -> (usize, Duration) {
        self.pipelines.compiled()
    }

    /// Keeps the pipelines that there are for later processes, where that is possible.
    pub fn store_pipelines(&self) {
        self.pipelines.store();
    }

    /// The most submissions that the device had to do with at the same time.
    pub fn most_outstanding(&self) -> usize {
        self.outstanding.most()
    }

    /// What is on its way to the device and back is to take so many bytes of the host's memory at most.
    pub fn staging_within(&self, bytes: u64) {
        self.shared.staging.keep_within(bytes);
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
        self.attempt(recording, input.len(), || {
            let storage = self.storage(recording);
            self.run(recording, &storage, input, output)?;
            self.give_back(storage);
            Ok(())
        })
    }

    /// Whether the device has room for `recording`, which may not be one because no device has, and what it uploads.
    pub fn fits<R: Borrow<Recording>, E>(&self, recording: std::result::Result<R, E>, input_bytes: usize) -> bool {
        recording.is_ok_and(|recording| self.check_sizes(recording.borrow(), input_bytes).is_ok())
    }

    /// Checks that the device has room for `recording`, which may not be one because no device has, and what it uploads.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) with what is too large.
    pub fn check(&self, recording: Result<Recording>, input_bytes: usize) -> Result<()> {
        self.check_sizes(&recording?, input_bytes)
    }

    /// The same, and then what `rest` makes of `output`: a [continuation](Recording::continuation), which has only
    /// downloads. Returns what that downloads.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and those of `rest`.
    pub fn execute_in_two(
        &self,
        recording: &Recording,
        input: &[u8],
        output: &mut [u8],
        rest: impl FnOnce(&[u8]) -> Result<Recording>,
    ) -> Result<Vec<u8>> {
        self.attempt(recording, input.len(), || {
            let storage = self.storage(recording);
            self.run(recording, &storage, input, output)?;
            let rest = rest(output)?;
            let mut downloaded = vec![0; rest.download_bytes() as usize];
            if !downloaded.is_empty() {
                self.run(&rest, &storage, &[], &mut downloaded)?;
            }
            self.give_back(storage);
            Ok(downloaded)
        })
    }

    /// Does `work`, which carries out `recording`, if the device can, and says what became of the device.
    pub(super) fn attempt<R>(
        &self,
        recording: &Recording,
        input_bytes: usize,
        work: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        self.check_sizes(recording, input_bytes)?;
        self.check_lost()?;
        // wgpu panics on some failures of a driver for which it has no other way out.
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.in_error_scopes(work))) {
            Ok(result) => {
                let result = result?;
                self.check_lost()?;
                Ok(result)
            }
            Err(_) => {
                let reason = "the driver failed in a way that wgpu cannot report";
                self.shared.lose(|| reason.to_owned());
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

    pub fn largest_buffer(&self) -> u64 {
        self.limits.max_buffer_size.min(self.limits.max_storage_buffer_binding_size)
    }

    fn check_sizes(&self, recording: &Recording, input_bytes: usize) -> Result<()> {
        let storage = recording.buffers.iter().copied().max().unwrap_or(0);
        let alignment = self.limits.min_uniform_buffer_offset_alignment.into();
        let staging = upload::bytes(recording, input_bytes, alignment).max(recording.download_bytes());
        for (needed, largest) in [(storage, self.largest_buffer()), (staging, self.limits.max_buffer_size)] {
            if needed > largest {
                return Err(Error::gpu(format!(
                    "batch too large: a buffer of {needed} bytes is needed, the device has at most {largest}; use fewer \
                     frames per batch"
                )));
            }
        }
        Ok(())
    }

    fn in_error_scopes<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let result = work();
        if result.is_err() {
            // Nobody is told that a device is gone who does not ask.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        // The innermost scope goes first. What wgpu says is the cause of what followed.
        let errors: Vec<_> = scopes.into_iter().rev().filter_map(|scope| pollster::block_on(scope.pop())).collect();
        match errors.into_iter().next() {
            Some(error) => {
                self.pool.clear();
                self.shared.staging.clear();
                Err(Error::gpu(error.to_string()))
            }
            None => result,
        }
    }

    /// The storage buffers of a recording.
    fn storage(&self, recording: &Recording) -> Vec<wgpu::Buffer> {
        recording.buffers.iter().map(|&bytes| self.take(Usage::Storage, bytes)).collect()
    }

    pub(super) fn give_back(&self, storage: Vec<wgpu::Buffer>) {
        storage.into_iter().for_each(|buffer| self.pool.give(Usage::Storage, buffer));
    }

    pub(super) fn run(
        &self,
        recording: &Recording,
        storage: &[wgpu::Buffer],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<()> {
        let start = Instant::now();
        let by_kernel = lock(&self.watched).as_ref().is_some_and(|(detail, _)| *detail == Detail::Kernels);
        let dispatches = if by_kernel { recording.dispatches().count() } else { 0 };
        let timestamps = Timestamps::new(&self.device, &self.queue, dispatches);
        let upload = Upload::new(recording, input, self.limits.min_uniform_buffer_offset_alignment.into());
        let bytes = [upload.bytes(), downloaded_bytes(recording, timestamps.as_ref())];
        let staged = self.shared.staging.claim(&self.device, bytes)?;
        staged.fill(upload.parts())?;
        let params = upload.params();
        let transfers = Transfers { uniform: self.take(Usage::Uniform, params.end - params.start), staged };
        let uploaded = Instant::now();
        let commands = self.encode(recording, storage, &transfers, &upload, timestamps.as_ref())?;
        let outstanding = self.outstanding.begin(patience(recording));
        let submission = self.queue.submit([commands]);
        let mapping = transfers.staged.map();
        self.wait(submission, outstanding.patience())?;
        drop(outstanding);
        mapping.done(CALLBACK_TIMEOUT)?;
        let waited = Instant::now();
        let times = transfers.staged.read(|downloaded| {
            copy_downloads(recording, downloaded, output);
            let answers = &downloaded[recording.download_bytes() as usize..];
            timestamps.as_ref().map_or_else(Vec::new, |it| it.read(&answers[..it.bytes() as usize]))
        })?;
        if let Some((_, runs)) = lock(&self.watched).as_mut() {
            runs.push(DeviceRun {
                upload: uploaded - start,
                wait: waited - uploaded,
                download: waited.elapsed(),
                uploaded_bytes: input.len() as u64,
                downloaded_bytes: recording.download_bytes(),
                kernels: kernel_runs(recording, &times),
            });
        }

        self.pool.give(Usage::Uniform, transfers.uniform);
        transfers.staged.give_back();
        Ok(())
    }

    fn encode(
        &self,
        recording: &Recording,
        storage: &[wgpu::Buffer],
        transfers: &Transfers<'_>,
        upload: &Upload<'_>,
        timestamps: Option<&Timestamps>,
    ) -> Result<wgpu::CommandBuffer> {
        let Transfers { uniform, staged } = transfers;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let copy_in = |encoder: &mut wgpu::CommandEncoder, from: Range<u64>, to: &wgpu::Buffer, offset| {
            encoder.copy_buffer_to_buffer(&staged.upload, from.start, to, offset, from.end - from.start);
        };
        copy_in(&mut encoder, upload.params(), uniform, 0);
        for (slot, offset, from) in upload.tables() {
            copy_in(&mut encoder, from, &storage[slot.0], offset);
        }
        let mut param_offsets = upload.param_offsets().iter();
        // Neighbouring dispatches share a pass, unless they are timed; wgpu orders those that share a buffer.
        let share_a_pass = |a: &Command, b: &Command| {
            timestamps.is_none() && matches!(a, Command::Dispatch(_)) && matches!(b, Command::Dispatch(_))
        };
        let mut timed = 0..;
        for commands in recording.commands.chunk_by(share_a_pass) {
            match &commands[0] {
                Command::Upload { to } => copy_in(&mut encoder, upload.input(), &storage[to.0], 0),
                Command::Clear { buffer, offset, bytes } => {
                    encoder.clear_buffer(&storage[buffer.0], *offset, Some(*bytes));
                }
                Command::Download { from, offset, to, bytes } => {
                    encoder.copy_buffer_to_buffer(&storage[from.0], *offset, &staged.download, *to, *bytes);
                }
                Command::Dispatch(_) => {
                    let timestamp_writes = timestamps.zip(timed.next()).map(|(timestamps, at)| timestamps.writes(at));
                    let mut pass =
                        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
                    for (command, &offset) in commands.iter().zip(param_offsets.by_ref()) {
                        if let Command::Dispatch(dispatch) = command {
                            let params = (uniform, offset);
                            self.dispatch(&mut pass, dispatch, params, storage, &recording.buffers)?;
                        }
                    }
                }
            }
        }
        if let Some(timestamps) = timestamps {
            let resolved = timestamps.resolved();
            for (set, queries, offset) in timestamps.sets() {
                encoder.resolve_query_set(set, 0..queries, resolved, offset);
            }
            let end = recording.download_bytes();
            encoder.copy_buffer_to_buffer(resolved, 0, &staged.download, end, timestamps.bytes());
        }
        Ok(encoder.finish())
    }

    /// Waits until `submission` is done.
    fn wait(&self, submission: wgpu::SubmissionIndex, patience: Duration) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(patience) };
        let Err(error) = self.device.poll(wait) else { return Ok(()) };
        let reason = format!("the device hung: {error}");
        self.shared.lose(|| reason.clone());
        Err(Error::gpu(reason))
    }

    pub(super) fn take(&self, usage: Usage, bytes: u64) -> wgpu::Buffer {
        self.pool.take(&self.device, &self.queue, usage, bytes, self.largest_buffer())
    }

    fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        dispatch: &Dispatch,
        (uniform, param_offset): (&wgpu::Buffer, u64),
        storage: &[wgpu::Buffer],
        sizes: &[u64],
    ) -> Result<()> {
        let pipeline = self.pipelines.get(&self.device, dispatch.kernel, dispatch.overrides)?;
        let binding = |binding: u32, buffer, offset, bytes: u64| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: wgpu::BufferSize::new(bytes),
            }),
        };
        let mut entries = vec![binding(0, uniform, param_offset, dispatch.params.len() as u64)];
        let bindings = dispatch.kernel.row().1.storage;
        for (&kind, &Slot(slot)) in bindings.iter().zip(&dispatch.storage) {
            entries.push(binding(kind as u32, &storage[slot], 0, sizes[slot]));
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
}

/// Bytes that a run of `recording` hands out, with its timestamps after the downloads.
fn downloaded_bytes(recording: &Recording, timestamps: Option<&Timestamps>) -> u64 {
    recording.download_bytes() + timestamps.map_or(0, Timestamps::bytes)
}

/// The dispatches of `recording`, with what each took as far as that is known.
fn kernel_runs(recording: &Recording, times: &[Option<Duration>]) -> Vec<KernelRun> {
    let times = times.iter().copied().chain(std::iter::repeat(None));
    let run = |(dispatch, time): (&Dispatch, Option<Duration>)| {
        let (shader, entry) = dispatch.kernel.row();
        KernelRun { kernel: [shader.name, entry.name], moved_bytes: dispatch.moved_bytes, time }
    };
    recording.dispatches().zip(times).map(run).collect()
}

fn copy_downloads(recording: &Recording, downloaded: &[u8], output: &mut [u8]) {
    for command in &recording.commands {
        if let Command::Download { to, bytes, .. } = *command {
            let start = to as usize;
            let end = output.len().min(start + bytes as usize);
            output[start..end].copy_from_slice(&downloaded[start..end]);
        }
    }
}

/// Longest time that `recording` may take, once it is its turn.
fn patience(recording: &Recording) -> Duration {
    let bytes: u64 = recording.dispatches().map(|dispatch| dispatch.moved_bytes).sum();
    LEAST_PATIENCE + Duration::from_secs(bytes / LEAST_BYTES_PER_SECOND)
}
