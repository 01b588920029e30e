//! Frames in textures.

use std::num::NonZeroUsize;

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat};
use framepress::{ErrorKind, Gpu, GpuFrames, Settings, wgpu};

use super::{compressor, frames};
use crate::cases::{gray, packed, yuv};

/// Layers of textures, `bytes` in all.
fn texture(gpu: &Gpu, format: wgpu::TextureFormat, size: [usize; 3], bytes: &[u8]) -> wgpu::Texture {
    let [width, height, layers] = size.map(|size| size as u32);
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: layers };
    let texture = gpu.device().create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let row_bytes = bytes.len() as u32 / (height * layers);
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row_bytes), rows_per_image: Some(height) };
    gpu.queue().write_texture(texture.as_image_copy(), bytes, layout, size);
    texture
}

/// A texture for each frame, and some frames in one texture.
pub fn textures(gpu: &Gpu) {
    use wgpu::TextureFormat as Format;
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    for (layout, texels) in [
        (packed(70, 41, ChannelOrder::Rgba), Format::Rgba8Unorm),
        (packed(64, 32, ChannelOrder::Rgba), Format::Rgba8UnormSrgb),
        (packed(33, 18, ChannelOrder::Bgra), Format::Bgra8Unorm),
        (gray(99, 50), Format::R8Unorm),
        (gray(256, 20), Format::R8Uint),
    ] {
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        let frames = frames(format.clone(), 5);
        let expected = compressor(&settings).compress_frames(&frames).unwrap();
        let [height, width] = [0, 1].map(|axis| format.shape()[axis]);
        let bytes = format.frame_bytes();
        let single = |frame: usize, layers: usize| {
            let bytes = &frames.as_bytes()[frame * bytes..(frame + layers) * bytes];
            texture(gpu, texels, [width, height, layers], bytes)
        };
        let each: Vec<_> = (0..5).map(|frame| single(frame, 1)).collect();
        let some = [single(0, 1), single(1, 3), single(4, 1)];
        for textures in [each.iter().collect::<Vec<_>>(), some.iter().collect()] {
            let compressor = compressor(&settings);
            let frames = GpuFrames::in_textures(format.clone(), &[&textures]).unwrap();
            assert!(compressor.compress_gpu(gpu, &frames).unwrap() == expected, "{texels:?}");
            assert_eq!(compressor.statistics().resident, 2, "{texels:?}");
        }
        let of_others = texture(gpu, Format::Rg8Unorm, [width, height, 1], &vec![0; width * height * 2]);
        let larger = texture(gpu, texels, [width + 1, height, 1], &vec![0; (width + 1) * bytes / width]);
        for (wrong, what) in [(of_others, "texels"), (larger, "expected")] {
            let error = GpuFrames::in_textures(format.clone(), &[&[&each[0], &wrong]]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}

/// NV12 as decoders leave it, and planes apart from one another.
pub fn planes_in_textures(gpu: &Gpu) {
    use wgpu::TextureFormat as Format;
    for (width, height) in [(66, 34), (65, 33)] {
        for chroma in [ChromaOrder::UvInterleaved, ChromaOrder::Planar] {
            let format = FrameFormat::new(Dtype::U8, yuv(width, height, ChromaSampling::Cs420, chroma)).unwrap();
            let frames = frames(format.clone(), 4);
            let (w, h) = ChromaSampling::Cs420.chroma_size(width, height);
            let mut planes: [Vec<u8>; 3] = Default::default();
            for frame in frames.as_bytes().chunks_exact(format.frame_bytes()) {
                let (luma, rest) = frame.split_at(width * height);
                planes[0].extend(luma);
                let first = if chroma == ChromaOrder::Planar { w * h } else { 2 * w * h };
                planes[1].extend(&rest[..first]);
                planes[2].extend(&rest[first..]);
            }
            let luma = texture(gpu, Format::R8Unorm, [width, height, 4], &planes[0]);
            let others = match chroma {
                ChromaOrder::Planar => {
                    planes[1..].iter().map(|plane| texture(gpu, Format::R8Unorm, [w, h, 4], plane)).collect()
                }
                _ => vec![texture(gpu, Format::Rg8Unorm, [w, h, 4], &planes[1])],
            };
            let planes: Vec<Vec<&wgpu::Texture>> = [&luma].into_iter().chain(&others).map(|it| vec![it]).collect();
            let planes: Vec<&[&wgpu::Texture]> = planes.iter().map(Vec::as_slice).collect();
            let on_gpu = GpuFrames::in_textures(format.clone(), &planes).unwrap();
            assert_eq!((on_gpu.frames(), on_gpu.format()), (4, &format));
            let compressor = compressor(&Settings::new());
            let packed = compressor.compress_gpu(gpu, &on_gpu).unwrap();
            assert!(packed == compressor.compress_frames(&frames).unwrap(), "{format:?}");
            assert_eq!(compressor.statistics().resident, 1);
            assert!(GpuFrames::in_textures(format, &planes[..1]).is_err(), "a plane is missing");
        }
    }
}
