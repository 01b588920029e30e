//! Devices that are lent, and lost.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use framepress::frame::{BufferLayout, Dtype, FrameFormat};
use framepress::{Decompressor, ErrorKind, Gpu, GpuFrames, Settings, wgpu};

use super::{SOURCE, YUV, buffer, check, clip, compressor, frames};
use crate::backends::Adapter;
use crate::cases::gray;

/// Devices that are not framepress's.
fn other_devices<const N: usize>(adapter: &Adapter, limits: &wgpu::Limits) -> [(wgpu::Device, wgpu::Queue); N] {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let is_it = |info: wgpu::AdapterInfo| {
        (&info.name, &info.device_pci_bus_id) == (&adapter.description.name, &adapter.description.pci_bus_id)
    };
    let found = all.into_iter().find(|other| is_it(other.get_info())).unwrap();
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits.clone(), ..Default::default() };
    [(); N].map(|()| pollster::block_on(found.request_device(&descriptor)).unwrap())
}

/// A device of somebody else, with the limits of any.
pub fn lent_device(adapter: &Adapter) {
    let [(device, queue), (other, _)] = other_devices(adapter, &wgpu::Limits::downlevel_defaults());
    let gpu = Gpu::lent(device, queue).unwrap();
    assert_eq!(gpu.description().name, adapter.description.name);
    let frames = clip(YUV);
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);

    let size = frames.as_bytes().len().next_multiple_of(4) as u64;
    let of_other = wgpu::BufferDescriptor { label: None, size, usage: SOURCE, mapped_at_creation: false };
    let of_other = other.create_buffer(&of_other);
    let is_refused = |buffer: &wgpu::Buffer, layout: &BufferLayout, what: &str| {
        let settings = Settings::new().with_batch_frames(NonZeroUsize::new(layout.frames()));
        let frames = GpuFrames::in_buffer(buffer, layout.clone()).unwrap();
        let error = compressor(&settings).compress_gpu(&gpu, &frames).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gpu, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    is_refused(&of_other, &layout, "evice");
    // More than a kernel can be bound to.
    let large = FrameFormat::new(Dtype::U8, gray(1 << 10, 1 << 10)).unwrap();
    let large = BufferLayout::new(large, 129).unwrap();
    let size = large.end() as u64;
    let buffer = wgpu::BufferDescriptor { label: None, size, usage: SOURCE, mapped_at_creation: false };
    is_refused(&gpu.device().create_buffer(&buffer), &large, "use fewer frames per batch");
    // Neither was a reason to stop.
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);
}

/// A device that was opened with less than the kernels need.
pub fn lent_without_limits(adapter: &Adapter) {
    let limits = wgpu::Limits { max_compute_invocations_per_workgroup: 128, ..wgpu::Limits::downlevel_defaults() };
    let [(device, queue)] = other_devices(adapter, &limits);
    let offered = device.limits().max_compute_invocations_per_workgroup;
    let error = Gpu::lent(device, queue).err().unwrap();
    assert_eq!((error.kind(), offered), (ErrorKind::Gpu, 128));
    assert!(error.to_string().contains("max_compute_invocations_per_workgroup of 256, it has 128"), "{error}");
}

/// Calls fail, and its owner is told of the loss.
pub fn lost_device(adapter: &Adapter) {
    let [(device, queue)] = other_devices(adapter, &wgpu::Limits::downlevel_defaults());
    let is_told = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_told);
    device.set_device_lost_callback(move |_, _| told.store(true, Ordering::SeqCst));
    let gpu = Gpu::lent(device.clone(), queue).unwrap();
    let frames = frames(FrameFormat::new(Dtype::U8, gray(64, 48)).unwrap(), 3);
    let layout = BufferLayout::new(frames.format().clone(), 3).unwrap();
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);
    let source = buffer(&gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&source, layout.clone()).unwrap();
    device.destroy();
    let compressor = compressor(&Settings::new());
    let file = compressor.compress_frames(&frames).unwrap();
    for _ in 0..2 {
        assert_eq!(compressor.compress_gpu(&gpu, &on_gpu).unwrap_err().kind(), ErrorKind::Gpu);
        let result = Decompressor::default().decompress_gpu(&gpu, &file, &source, &layout);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Gpu);
    }
    assert!(is_told.load(Ordering::SeqCst));
}
