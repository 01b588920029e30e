//! Compiled kernels of a device.

use std::collections::HashMap;
use std::sync::Mutex;

use super::recording::Overrides;
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::pool::lock;

/// What one kernel needs to be dispatched.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub compute: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// The kernels of one device that were used, compiled.
#[derive(Default)]
pub(super) struct Pipelines {
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    compiled: Mutex<HashMap<(Kernel, Overrides), Pipeline>>,
}

impl Pipelines {
    /// The pipeline of a kernel, compiled if it is not at hand.
    pub fn get(&self, device: &wgpu::Device, kernel: Kernel, overrides: Overrides) -> Result<Pipeline> {
        if let Some(pipeline) = lock(&self.compiled).get(&(kernel, overrides)) {
            return Ok(pipeline.clone());
        }
        // Compiled outside the lock; two threads may do so at once and the result is the same. A
        // scope of its own keeps a pipeline that failed out of the cache.
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.create(device, kernel, overrides);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::gpu(format!("{kernel:?}: {error}")));
        }
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
            cache: None,
        });
        Pipeline { compute, layout }
    }
}
