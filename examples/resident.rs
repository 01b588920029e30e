//! Frames that a GPU has drawn, compressed where they are, and back to a buffer on the GPU.
//!
//! `cargo run --release --example resident`. Of the raw frames only samples and sums for the checksum come to the host.

use framepress::frame::{BufferLayout, ChannelOrder, Dtype, FrameFormat, Layout};
use framepress::{Compressor, Decompressor, Gpu, GpuFrames, Settings, wgpu};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
const FRAMES: u32 = 16;

/// Moving waves.
const SHADER: &str = "
override time: f32;
@group(0) @binding(0) var frame: texture_storage_2d<rgba8unorm, write>;

@compute @workgroup_size(8, 8)
fn draw(@builtin(global_invocation_id) at: vec3<u32>) {
    let place = (vec2<f32>(at.xy) + 4.0 * time) / 200.0;
    let waves = sin(place.x * 3.0) * cos(place.y * 2.0) + sin(length(place - vec2<f32>(3.0, 2.0)) * 8.0);
    textureStore(frame, at.xy, vec4<f32>(0.5 + 0.2 * waves, 0.4 + 0.1 * place.x * waves, 0.6 - 0.1 * waves, 1.0));
}";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A device as any program has it, which framepress uses as well.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;
    let gpu = Gpu::lent(device.clone(), queue.clone())?;

    let textures = draw(&device, &queue);
    let layout = Layout::Packed { width: WIDTH as usize, height: HEIGHT as usize, order: ChannelOrder::Rgba };
    let format = FrameFormat::new(Dtype::U8, layout)?;
    let planes: Vec<&wgpu::Texture> = textures.iter().collect();
    let frames = GpuFrames::in_textures(format.clone(), &[&planes])?;
    let compressor = Compressor::new(Settings::new())?;
    let file = compressor.compress_gpu(&gpu, &frames)?;
    let raw_bytes = frames.frames() * format.frame_bytes();
    let statistics = compressor.statistics();
    println!("{}: {raw_bytes} bytes to {}", gpu.description().name, file.len());
    println!("{} batches stayed on the GPU, {} were downloaded", statistics.resident, statistics.transferred);

    // Back, with rows at the distance that copies to textures want.
    let row_bytes = (4 * WIDTH).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let layout = BufferLayout::new(format, frames.frames())?.with_row_pitch(row_bytes as usize)?;
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("frames"),
        size: layout.end().next_multiple_of(4) as u64,
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    Decompressor::default().decompress_gpu(&gpu, &file, &buffer, &layout)?;
    let again = compressor.compress_gpu(&gpu, &GpuFrames::in_buffer(&buffer, layout)?)?;
    assert!(again == file, "the same frames");
    Ok(())
}

/// A texture for each frame.
fn draw(device: &wgpu::Device, queue: &wgpu::Queue) -> Vec<wgpu::Texture> {
    let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let frame = |time: u32| {
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &shader,
            entry_point: Some("draw"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[("time", f64::from(time))],
                ..Default::default()
            },
            cache: None,
        });
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: WIDTH, height: HEIGHT, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&view) }],
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(WIDTH / 8, HEIGHT / 8, 1);
        drop(pass);
        texture
    };
    let textures = (0..FRAMES).map(frame).collect();
    queue.submit([encoder.finish()]);
    textures
}
