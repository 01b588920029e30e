//! Which blocks a batch has: a consequence of its geometry and span, so never stored.

use std::ops::Range;

use crate::frame::Geometry;

/// The place of one block before it was encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Plane it is cut from.
    pub plane: usize,
    /// Bytes of a work buffer it holds.
    pub bytes: Range<usize>,
    /// Blocks of the same span that follow it: those of the higher bytes of its samples.
    pub higher: usize,
}

impl Block {
    /// The blocks of the higher bytes of the same samples, within the work buffer `bytes`.
    pub fn higher_blocks<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let length = self.bytes.len();
        (0..self.higher).map(|at| &bytes[self.bytes.end + at * length..][..length]).collect()
    }
}

/// The blocks of a batch in the order in which they are stored: for each plane, for each span of
/// `span_samples` samples (the last may be shorter), one block per byte of a sample, each as many
/// bytes long as the span has samples. A plane without samples has no blocks.
pub fn blocks(geometry: &Geometry, span_samples: u32) -> impl Iterator<Item = Block> + '_ {
    let span = span_length(span_samples);
    let sample_bytes = geometry.sample_bytes;
    (0..geometry.planes.len()).flat_map(move |plane| {
        let samples = geometry.plane_samples(plane);
        let base = geometry.planes[plane].base;
        (0..samples.div_ceil(span)).flat_map(move |at| {
            let first = at * span;
            let length = span.min(samples - first);
            (0..sample_bytes).map(move |part| {
                let start = base + first * sample_bytes + part * length;
                Block { plane, bytes: start..start + length, higher: sample_bytes - 1 - part }
            })
        })
    })
}

/// How many blocks [`blocks`] lists: at most one per raw byte.
pub fn block_count(geometry: &Geometry, span_samples: u32) -> usize {
    let span = span_length(span_samples);
    let spans = (0..geometry.planes.len()).map(|plane| geometry.plane_samples(plane).div_ceil(span));
    spans.sum::<usize>() * geometry.sample_bytes
}

/// The span as a length that can be divided by: a span of 0 is refused by
/// [`Plan::check`](crate::plan::Plan::check), a span above the address space is as good as infinite.
fn span_length(span_samples: u32) -> usize {
    usize::try_from(span_samples).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};

    fn listed(dtype: Dtype, layout: Layout, frames: usize, span_samples: u32) -> Vec<Block> {
        let geometry = Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), frames);
        let listed: Vec<Block> = blocks(&geometry, span_samples).collect();
        assert_eq!(listed.len(), block_count(&geometry, span_samples));
        for plane in 0..geometry.planes.len() {
            let mut end = geometry.plane_range(plane).start;
            for block in listed.iter().filter(|block| block.plane == plane) {
                assert_eq!(block.bytes.start, end, "blocks follow one another");
                end = block.bytes.end;
            }
            assert_eq!(end, geometry.plane_range(plane).end, "blocks cover the plane");
        }
        listed
    }

    #[test]
    fn spans_run_over_frames_and_split_by_byte() {
        let gray = Layout::Gray { width: 5, height: 2 };
        let lengths: Vec<usize> = listed(Dtype::U16, gray, 2, 8).iter().map(|block| block.bytes.len()).collect();
        assert_eq!(lengths, [8, 8, 8, 8, 4, 4]);
    }

    #[test]
    fn planes_in_order() {
        let packed = Layout::Packed { width: 3, height: 3, order: ChannelOrder::Rgba };
        let planes: Vec<usize> = listed(Dtype::U8, packed, 1, 8).iter().map(|block| block.plane).collect();
        assert_eq!(planes, [0, 0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn no_samples_no_blocks() {
        assert!(listed(Dtype::F64, Layout::Array { shape: vec![0, 4] }, 3, 8).is_empty());
        assert!(listed(Dtype::F64, Layout::Array { shape: vec![] }, 0, 8).is_empty());
    }
}
