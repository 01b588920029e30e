//! Frames in buffers and textures of somebody else.

use std::ops::Range;

use super::lending::Copy;
use crate::error::{Error, Result};
use crate::frame::{BufferLayout, ChannelOrder, Dtype, FrameFormat, Layout, Pitch, PitchedFrames, stretches};

/// Distances of rows in copies of textures are multiples of this.
const ROW_ALIGNMENT: usize = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as usize;

/// Copies of buffers begin with multiples of this; batches of frames that are no whole words need not.
pub(super) const COPY_ALIGNMENT: usize = wgpu::COPY_BUFFER_ALIGNMENT as usize;

/// Frames that are on a GPU: in a buffer, or in textures, of the device that they are compressed on. They stay as they are.
#[derive(Debug, Clone)]
pub struct GpuFrames<'a> {
    format: FrameFormat,
    frames: usize,
    place: Place<'a>,
}

#[derive(Debug, Clone)]
enum Place<'a> {
    Buffer(&'a wgpu::Buffer, BufferLayout),
    /// The layers of each plane, each a frame.
    Textures(Vec<Vec<(&'a wgpu::Texture, Range<u32>)>>),
}

impl<'a> GpuFrames<'a> {
    /// Frames in a buffer, which may be copied from (`COPY_SRC`).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if it must not be, or is too short.
    pub fn in_buffer(buffer: &'a wgpu::Buffer, layout: BufferLayout) -> Result<Self> {
        check_buffer(buffer, &layout, wgpu::BufferUsages::COPY_SRC, "COPY_SRC")?;
        let (format, frames) = (layout.format().clone(), layout.frames());
        Ok(Self { format, frames, place: Place::Buffer(buffer, layout) })
    }

    /// Frames of `format` in textures, which may be copied from (`COPY_SRC`): for each plane that the format has in memory,
    /// those whose layers are the frames, one after another. Packed pixels, gray ones and planes have one
    /// list of textures (`rgba8unorm`, `bgra8unorm`, `r8unorm`, and what else has the same texels), NV12 has two (`r8unorm`
    /// and `rg8unorm`), planar YUV three.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if a texture is not of such texels, of the size of the
    /// frames, with one sample and the right usage, or if planes have different numbers of frames.
    pub fn in_textures(format: FrameFormat, planes: &[&[&'a wgpu::Texture]]) -> Result<Self> {
        let texels = texels(&format)?;
        if planes.len() != texels.len() {
            return Err(Error::invalid(format!("textures: expected {} planes, found {}", texels.len(), planes.len())));
        }
        let mut frames = None;
        let mut places = Vec::new();
        for (&textures, texels) in planes.iter().zip(&texels) {
            textures.iter().try_for_each(|texture| texels.check(texture))?;
            let layers = || textures.iter().map(|texture| texture.depth_or_array_layers());
            let of_plane: usize = layers().map(|layers| layers as usize).sum();
            if *frames.get_or_insert(of_plane) != of_plane {
                return Err(Error::invalid("textures: not as many frames in every plane"));
            }
            places.push(textures.iter().copied().zip(layers().map(|layers| 0..layers)).collect());
        }
        Ok(Self { format, frames: frames.unwrap_or(0), place: Place::Textures(places) })
    }

    /// Format of the frames.
    pub fn format(&self) -> &FrameFormat {
        &self.format
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// So many of the frames from `first` on, which are within.
    pub(crate) fn part(&self, first: usize, frames: usize) -> Self {
        let place = match &self.place {
            Place::Buffer(buffer, layout) => Place::Buffer(buffer, layout.part(first, frames)),
            Place::Textures(planes) => {
                Place::Textures(planes.iter().map(|textures| layers_of(textures, first, frames)).collect())
            }
        };
        Self { format: self.format.clone(), frames, place }
    }

    /// How the frames, which are not empty, lie in what they are copied to.
    pub(super) fn pitched(&self) -> PitchedFrames {
        match &self.place {
            Place::Buffer(_, layout) => layout.pitched().after(layout.offset() % COPY_ALIGNMENT),
            Place::Textures(_) => {
                let mut offset = 0;
                let pitched = stretches(&self.format).into_iter().map(|stretch| {
                    let row = stretch.row_bytes.next_multiple_of(ROW_ALIGNMENT);
                    let pitch = Pitch { offset, row, frame: row * stretch.rows };
                    offset += self.frames * pitch.frame;
                    (stretch, pitch)
                });
                let stretches = pitched.collect();
                PitchedFrames { frames: self.frames, frame_bytes: self.format.frame_bytes(), stretches }
            }
        }
    }

    /// What brings them to the beginning of `to` like that.
    pub(super) fn copies<'c>(&'c self, pitched: &PitchedFrames, to: &'c wgpu::Buffer) -> Vec<Copy<'c>> {
        match &self.place {
            Place::Buffer(buffer, layout) => {
                let bytes = pitched.pitched_bytes().next_multiple_of(4) as u64;
                let first = layout.offset() / COPY_ALIGNMENT * COPY_ALIGNMENT;
                vec![Copy::Buffer { from: (buffer, first as u64), to: (to, 0), bytes }]
            }
            Place::Textures(planes) => {
                let mut copies = Vec::new();
                for (textures, (_, pitch)) in planes.iter().zip(&pitched.stretches) {
                    let mut offset = pitch.offset;
                    for (texture, layers) in textures {
                        let (to, row_pitch) = ((to, offset as u64), pitch.row as u32);
                        copies.push(Copy::Texture { from: texture, layers: layers.clone(), to, row_pitch });
                        offset += layers.len() * pitch.frame;
                    }
                }
                copies
            }
        }
    }
}

/// So many layers from the `first` on.
fn layers_of<'a>(
    textures: &[(&'a wgpu::Texture, Range<u32>)],
    first: usize,
    frames: usize,
) -> Vec<(&'a wgpu::Texture, Range<u32>)> {
    let (mut skipped, mut left) = (first, frames);
    let mut part = Vec::new();
    for (texture, layers) in textures {
        let skip = skipped.min(layers.len());
        let taken = left.min(layers.len() - skip);
        (skipped, left) = (skipped - skip, left - taken);
        if taken > 0 {
            let start = layers.start + skip as u32;
            part.push((*texture, start..start + taken as u32));
        }
    }
    part
}

/// Checks that frames can be copied to a buffer.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if it must not be copied to, or is too short.
pub fn check_target(buffer: &wgpu::Buffer, layout: &BufferLayout) -> Result<()> {
    check_buffer(buffer, layout, wgpu::BufferUsages::COPY_DST, "COPY_DST")
}

fn check_buffer(buffer: &wgpu::Buffer, layout: &BufferLayout, usage: wgpu::BufferUsages, name: &str) -> Result<()> {
    if !buffer.usage().contains(usage) {
        return Err(Error::invalid(format!("buffer: was made without the usage {name}")));
    }
    // Copies have lengths that are multiples of 4.
    let needed = layout.end().next_multiple_of(4) as u64;
    if !layout.is_empty() && needed > buffer.size() {
        return Err(Error::invalid(format!(
            "buffer: has {} bytes, the frames end within its first {needed}",
            buffer.size()
        )));
    }
    Ok(())
}

/// What the textures of a plane must be.
struct Texels {
    channels: usize,
    sample_bytes: usize,
    blue_first: bool,
    width: usize,
    height: usize,
}

/// The same for all planes of a format.
fn texels(format: &FrameFormat) -> Result<Vec<Texels>> {
    let sample_bytes = format.dtype().bytes();
    let plane = |channels, (width, height)| Texels { channels, sample_bytes, blue_first: false, width, height };
    let planes = match format.layout() {
        Layout::Gray { width, height } => vec![plane(1, (*width, *height))],
        Layout::Packed { width, height, order: order @ (ChannelOrder::Rgba | ChannelOrder::Bgra) } => {
            vec![Texels { blue_first: *order == ChannelOrder::Bgra, ..plane(4, (*width, *height)) }]
        }
        Layout::Yuv { width, height, sampling, .. } => {
            let chroma = sampling.chroma_size(*width, *height);
            let mut planes = vec![plane(1, (*width, *height))];
            match stretches(format).len() {
                2 => planes.push(plane(2, chroma)),
                _ => planes.extend([plane(1, chroma), plane(1, chroma)]),
            }
            planes
        }
        Layout::Packed { .. } | Layout::Array { .. } => Vec::new(),
    };
    if planes.is_empty() || !matches!(format.dtype(), Dtype::U8 | Dtype::U16) {
        return Err(Error::invalid(format!(
            "textures: none has texels like frames of {}, {:?}; copy them to a buffer",
            format.dtype(),
            format.layout()
        )));
    }
    Ok(planes)
}

impl Texels {
    fn check(&self, texture: &wgpu::Texture) -> Result<()> {
        let format = texture.format();
        if !self.suits(format) {
            let order = if self.blue_first { ", blue first" } else { "" };
            return Err(Error::invalid(format!(
                "texture: expected texels of {} samples of {} bytes{order}, found {format:?}",
                self.channels, self.sample_bytes
            )));
        }
        let size = (texture.width() as usize, texture.height() as usize);
        if size != (self.width, self.height) || texture.dimension() != wgpu::TextureDimension::D2 {
            return Err(Error::invalid(format!(
                "texture: expected {} x {}, found {} x {} ({:?})",
                self.width,
                self.height,
                size.0,
                size.1,
                texture.dimension()
            )));
        }
        if texture.sample_count() != 1 {
            return Err(Error::invalid("texture: has several samples in a texel; resolve it before"));
        }
        if !texture.usage().contains(wgpu::TextureUsages::COPY_SRC) {
            return Err(Error::invalid("texture: was made without the usage COPY_SRC"));
        }
        Ok(())
    }

    fn suits(&self, format: wgpu::TextureFormat) -> bool {
        use wgpu::TextureFormat as Format;
        let known = match format {
            Format::R8Unorm | Format::R8Uint => (1, 1, false),
            Format::Rg8Unorm | Format::Rg8Uint => (2, 1, false),
            Format::Rgba8Unorm | Format::Rgba8UnormSrgb | Format::Rgba8Uint => (4, 1, false),
            Format::Bgra8Unorm | Format::Bgra8UnormSrgb => (4, 1, true),
            Format::R16Unorm | Format::R16Uint => (1, 2, false),
            Format::Rg16Unorm | Format::Rg16Uint => (2, 2, false),
            Format::Rgba16Unorm | Format::Rgba16Uint => (4, 2, false),
            _ => return false,
        };
        known == (self.channels, self.sample_bytes, self.blue_first)
    }
}
