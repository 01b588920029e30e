//! Frames in memory, on their way in and out.

use std::borrow::Cow;

use ndarray::{ArrayD, ArrayView, Dimension, IxDyn};

use super::{Element, FrameFormat, Geometry};
use crate::error::{Error, Result};

/// Raw bytes of consecutive frames with their geometry: what a backend works on.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The planes of the frames.
    pub geometry: &'a Geometry,
    /// The bytes of the frames.
    pub raw: &'a [u8],
}

/// Owned frames: little-endian bytes in C order, one frame after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    format: FrameFormat,
    frames: usize,
    bytes: Vec<u8>,
}

impl Frames {
    /// Frames from their bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless `bytes` holds exactly `frames` frames of
    /// `format`.
    pub fn new(format: FrameFormat, frames: usize, bytes: Vec<u8>) -> Result<Self> {
        format.check_frames(frames, bytes.len())?;
        Ok(Self { format, frames, bytes })
    }

    /// Copies an array of any strides whose first axis is the frame.
    ///
    /// # Errors
    /// As [`FrameFormat::from_shape`]; a 0-dimensional array is invalid.
    pub fn from_array<T: Element, D: Dimension>(array: ArrayView<'_, T, D>) -> Result<Self> {
        let (format, frames) = format_of_view(&array)?;
        Self::new(format, frames, bytes_of_view(array).into_owned())
    }

    /// Format of each frame.
    pub fn format(&self) -> &FrameFormat {
        &self.format
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// All bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The frames of all `parts`, which have this format, one after another.
    pub(crate) fn concatenated(format: FrameFormat, parts: Vec<Self>) -> Result<Self> {
        let frames = parts.iter().map(Self::frames).sum();
        let length: usize = parts.iter().map(|part| part.bytes.len()).sum();
        let mut parts = parts.into_iter();
        let mut bytes = parts.next().map_or_else(Vec::new, Self::into_bytes);
        bytes.reserve_exact(length - bytes.len());
        parts.for_each(|part| bytes.extend(part.bytes));
        Self::new(format, frames, bytes)
    }

    /// The frames of `range`, as a copy.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the range is not within the frames.
    pub fn part(&self, range: std::ops::Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.frames {
            return Err(Error::invalid(format!("frames: expected a range within 0..{}, found {range:?}", self.frames)));
        }
        let frame_bytes = self.format.frame_bytes();
        let bytes = self.bytes[range.start * frame_bytes..range.end * frame_bytes].to_vec();
        Ok(Self { format: self.format.clone(), frames: range.len(), bytes })
    }

    /// Shape as an array, the frame axis first.
    pub fn shape(&self) -> Vec<usize> {
        let mut shape = vec![self.frames];
        shape.extend(self.format.shape());
        shape
    }

    /// The frames as an array of `T`, frame axis first.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if `T` is not the frames' dtype, or if a `bool` sample
    /// is neither 0 nor 1 (read those as bytes).
    pub fn to_array<T: Element>(&self) -> Result<ArrayD<T>> {
        if T::DTYPE != self.format.dtype() {
            return Err(Error::invalid(format!(
                "dtype: the frames hold {}, {} was asked for",
                self.format.dtype(),
                T::DTYPE
            )));
        }
        let samples: Option<Vec<T>> = self.bytes.chunks_exact(T::DTYPE.bytes()).map(T::from_le).collect();
        let samples = samples
            .ok_or_else(|| Error::invalid("bool samples: expected only 0 and 1; use as_bytes for other values"))?;
        ArrayD::from_shape_vec(IxDyn(&self.shape()), samples).map_err(|error| Error::invalid(error.to_string()))
    }
}

/// The format of frames along the first axis of an array, and how many there are.
pub(crate) fn format_of_view<T: Element, D: Dimension>(array: &ArrayView<'_, T, D>) -> Result<(FrameFormat, usize)> {
    let Some((&frames, shape)) = array.shape().split_first() else {
        return Err(Error::invalid("array shape: expected at least one axis, found a 0-dimensional array"));
    };
    Ok((FrameFormat::from_shape(T::DTYPE, shape)?, frames))
}

/// Little-endian bytes of a view of any strides, in C order; no copy of those that lie so already.
pub fn bytes_of_view<T: Element, D: Dimension>(array: ArrayView<'_, T, D>) -> Cow<'_, [u8]> {
    if let Some(slice) = array.to_slice() {
        return Cow::Borrowed(T::le_bytes(slice));
    }
    let mut bytes = Vec::with_capacity(array.len() * T::DTYPE.bytes());
    for row in array.rows() {
        match row.to_slice() {
            Some(slice) => bytes.extend_from_slice(T::le_bytes(slice)),
            None => row.iter().for_each(|&sample| sample.extend_le(&mut bytes)),
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, s};

    use super::*;

    #[test]
    fn strides_are_resolved() {
        let array = Array3::from_shape_fn((3, 4, 5), |(f, y, x)| (100 * f + 10 * y + x) as u16);
        let view = array.slice(s![..;-1, ..;2, 1..;3]);
        let frames = Frames::from_array(view).unwrap();
        assert_eq!(frames.shape(), [3, 2, 2]);
        assert_eq!(frames.to_array::<u16>().unwrap(), view.into_dyn());
        assert!(frames.to_array::<i16>().is_err());
    }

    #[test]
    fn transposed_and_zero_dimensional() {
        let array = Array3::from_shape_fn((2, 3, 4), |(f, y, x)| (100 * f + 10 * y + x) as f32);
        let view = array.view().reversed_axes();
        assert_eq!(Frames::from_array(view).unwrap().to_array::<f32>().unwrap(), view.into_dyn());
        assert!(Frames::from_array(ndarray::arr0(1u8).view()).is_err());
    }
}
