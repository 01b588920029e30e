//! The compiled kernels of a device.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::pipeline_cache::PipelineCache;
use super::recording::Overrides;
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::pool::lock;

/// A kernel, specialised and compiled.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub compute: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// Pipelines of one device, each compiled when it is first asked for.
pub(super) struct Pipelines {
    /// What earlier processes have compiled.
    cache: Option<PipelineCache>,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    compiled: Mutex<HashMap<(Kernel, Overrides), Pipeline>>,
    compiling: Mutex<Duration>,
}

impl Pipelines {
    pub fn new(cache: Option<PipelineCache>) -> Self {
        Self { cache, modules: Mutex::default(), compiled: Mutex::default(), compiling: Mutex::default() }
    }

    /// Keeps what has been compiled for later processes, where that is possible.
    pub fn store(&self) {
        if let Some(cache) = &self.cache {
            cache.store();
        }
    }

    /// How many there are, and what it took to compile them.
    pub fn compiled(&self) -> (usize, Duration) {
        (lock(&self.compiled).len(), *lock(&self.compiling))
    }

    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device refuses the kernel.
    pub fn get(&self, device: &wgpu::Device, kernel: Kernel, overrides: Overrides) -> Result<Pipeline> {
        if let Some(pipeline) = lock(&self.compiled).get(&(kernel, overrides)) {
            return Ok(pipeline.clone());
        }
        // Compiled outside the lock; two threads may do so at once and the result is the same. A
        // scope of its own keeps a pipeline that failed out of the cache.
        let start = Instant::now();
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.create(device, kernel, overrides);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::gpu(format!("{kernel:?}: {error}")));
        }
        *lock(&self.compiling) += start.elapsed();
        lock(&self.compiled).insert((kernel, overrides), pipeline.clone());
        Ok(pipeline)
    }

    fn create(&self, device: &wgpu::Device, kernel: Kernel, overrides: Overrides) -> Pipeline {
        let (shader, entry) = kernel.row();
        let module = lock(&self.modules)
            .entry(shader.name)
            .or_insert_with(|| {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
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
        let layout = device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader.name), entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(shader.name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let mut constants = vec![("SAMPLE_BYTES", f64::from(overrides.sample_bytes))];
        constants.extend(overrides.predictor.map(|predictor| ("PREDICTOR", f64::from(predictor as u8))));
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(entry.name),
            // Kernels write workgroup memory before they read it.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: self.cache.as_ref().map(PipelineCache::cache),
        });
        Pipeline { compute, layout }
    }
}
