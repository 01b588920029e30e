//! What a device that somebody else owns needs of the engine: its handlers are left alone, and buffers and textures that
//! are not ours are copied from and to. The only other file that encodes wgpu commands.

use super::engine::Engine;
use super::pool::Usage;
use super::recording::{Recording, Slot};
use crate::error::{Error, Result};

/// What the kernels need of any device, as numbers of `wgpu::Limits`.
const NEEDED: wgpu::Limits = wgpu::Limits::downlevel_defaults();

/// A copy that has a buffer or a texture of somebody else at one end. Offsets and sizes of buffers are multiples of 4.
pub(super) enum Copy<'a> {
    Buffer {
        from: (&'a wgpu::Buffer, u64),
        to: (&'a wgpu::Buffer, u64),
        bytes: u64,
    },
    /// Some layers, whose rows get a distance that is a multiple of 256.
    Texture {
        from: &'a wgpu::Texture,
        layers: std::ops::Range<u32>,
        to: (&'a wgpu::Buffer, u64),
        row_pitch: u32,
    },
}

impl Engine {
    /// An engine on a device that is lent. What happens to the device is its owner's to hear: every call fails by itself.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) naming the limits that the kernels do not fit.
    pub fn lent(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let offered = device.limits();
        let needed = wgpu::Limits {
            max_bind_groups: 1,
            max_bindings_per_bind_group: 6,
            max_storage_buffers_per_shader_stage: NEEDED.max_storage_buffers_per_shader_stage,
            max_uniform_buffers_per_shader_stage: 1,
            max_uniform_buffer_binding_size: 1024,
            max_compute_workgroup_storage_size: NEEDED.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: NEEDED.max_compute_invocations_per_workgroup,
            max_compute_workgroup_size_x: NEEDED.max_compute_workgroup_size_x,
            max_compute_workgroups_per_dimension: NEEDED.max_compute_workgroups_per_dimension,
            ..offered.clone()
        };
        let mut missing = Vec::new();
        needed.check_limits_with_fail_fn(&offered, false, |limit, needed, offered| {
            missing.push(format!("{limit} of {needed}, it has {offered}"));
        });
        if !missing.is_empty() {
            return Err(Error::gpu(format!(
                "device: was opened without what the kernels need: {}; ask for it in required_limits",
                missing.join("; ")
            )));
        }
        let info = device.adapter_info();
        Ok(Self::around(device, queue, &info))
    }

    /// A buffer of at least `bytes` bytes for kernels. [`give`](Self::give) it back.
    pub fn buffer(&self, bytes: usize) -> Result<wgpu::Buffer> {
        let mut recording = Recording::default();
        recording.buffer(bytes)?;
        self.attempt(&recording, 0, || Ok(self.take(Usage::Storage, recording.buffers[0])))
    }

    /// Takes back a buffer that is done with, or will be once all that was submitted is.
    pub fn give(&self, buffer: wgpu::Buffer) {
        self.give_back(vec![buffer]);
    }

    /// Submits copies. Whatever is submitted afterwards sees them done.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if wgpu does not like them.
    pub fn copy(&self, copies: &[Copy<'_>]) -> Result<()> {
        self.attempt(&Recording::default(), 0, || {
            let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            for copy in copies {
                match copy {
                    Copy::Buffer { from, to, bytes } => {
                        encoder.copy_buffer_to_buffer(from.0, from.1, to.0, to.1, *bytes);
                    }
                    Copy::Texture { from, layers, to, row_pitch } => {
                        let size = from.size();
                        let layout = wgpu::TexelCopyBufferLayout {
                            offset: to.1,
                            bytes_per_row: Some(*row_pitch),
                            rows_per_image: Some(size.height),
                        };
                        let mut source = from.as_image_copy();
                        source.origin.z = layers.start;
                        let depth_or_array_layers = layers.end - layers.start;
                        encoder.copy_texture_to_buffer(
                            source,
                            wgpu::TexelCopyBufferInfo { buffer: to.0, layout },
                            wgpu::Extent3d { depth_or_array_layers, ..size },
                        );
                    }
                }
            }
            self.queue().submit([encoder.finish()]);
            Ok(())
        })
    }

    /// Carries out `recording`, some of whose buffers are there before and stay: `input` is what it uploads, and `output`
    /// gets what it downloads. Then, on the same buffers, what `rest` makes of `output`, which has only downloads.
    /// Returns what that downloads.
    ///
    /// # Errors
    /// As [`execute_in_two`](Self::execute_in_two).
    pub fn execute_on(
        &self,
        recording: &Recording,
        kept: &[(Slot, &wgpu::Buffer)],
        input: &[u8],
        output: &mut [u8],
        rest: impl FnOnce(&[u8]) -> Result<Option<Recording>>,
    ) -> Result<Vec<u8>> {
        self.attempt(recording, input.len(), || {
            let is_kept = |slot: usize| kept.iter().find(|(kept, _)| kept.0 == slot);
            let storage = recording.buffers.iter().enumerate().map(|(slot, &bytes)| match is_kept(slot) {
                Some((_, buffer)) => (*buffer).clone(),
                None => self.take(Usage::Storage, bytes),
            });
            let storage: Vec<_> = storage.collect();
            self.run(recording, &storage, input, output)?;
            let mut downloaded = Vec::new();
            if let Some(rest) = rest(output)? {
                downloaded.resize(rest.download_bytes() as usize, 0);
                if !downloaded.is_empty() {
                    self.run(&rest, &storage, &[], &mut downloaded)?;
                }
            }
            let storage = storage.into_iter().enumerate().filter(|(slot, _)| is_kept(*slot).is_none());
            self.give_back(storage.map(|(_, buffer)| buffer).collect());
            Ok(downloaded)
        })
    }
}
