//! The plan of frames that are coded as the YUV planes they were made from, as it is recorded.

use super::{Conversion, Method};
use crate::cpu::recover::Picture;
use crate::error::{Error, Result};
use crate::frame::{ChromaSampling, Geometry, PlaneGeometry};

/// How packed frames were made from planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Making {
    /// The conversion.
    pub conversion: Conversion,
    /// How many pixels share U and V: those of a block have the same.
    pub sampling: ChromaSampling,
    /// Whether the first channel is blue and the third one red.
    pub blue_first: bool,
}

/// What is done to a batch whose planes are recovered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecoveredPlan {
    /// How the frames are made from the planes.
    pub making: Making,
    /// Pixels that are not made of the planes.
    pub exceptions: u32,
    /// Bytes that say where these are.
    pub place_bytes: u32,
    /// How the planes are coded; not by recovery again.
    pub method: Box<Method>,
}

impl Making {
    /// Whether frames of this geometry can be made from YUV.
    pub fn suits(geometry: &Geometry) -> bool {
        let [first, ..] = geometry.planes.as_slice() else { return false };
        geometry.colour
            && geometry.sample_bytes == 1
            && geometry.planes.len() >= 3
            && first.width > 0
            && first.height > 0
    }

    /// The frames as the converter sees them; they [suit](Self::suits).
    pub fn picture(&self, geometry: &Geometry) -> Picture {
        let PlaneGeometry { width, height, .. } = geometry.planes[0];
        let (sampling, blue_first) = (self.sampling, self.blue_first);
        Picture { width, height, channels: geometry.planes.len(), blue_first, sampling }
    }

    /// The geometry of the planes, one after another in each frame: Y, U, V, and what packed frames have besides.
    pub fn planes(&self, geometry: &Geometry) -> Geometry {
        let PlaneGeometry { width, height, .. } = geometry.planes[0];
        let chroma = self.sampling.chroma_size(width, height);
        let others = geometry.planes[3..].iter().map(|plane| (plane.width, plane.height));
        let mut frame_samples = 0;
        let planes = [(width, height), chroma, chroma]
            .into_iter()
            .chain(others)
            .map(|(width, height)| {
                let offset = frame_samples;
                frame_samples += width * height;
                PlaneGeometry { width, height, offset, step: 1, base: 0 }
            })
            .collect();
        Geometry { frame_samples, colour: false, ..geometry.clone() }.with_planes(planes)
    }
}

impl RecoveredPlan {
    /// Checks that the plan can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        check_making(geometry, &self.making)?;
        let pixels = geometry.plane_samples(0);
        if self.exceptions as usize > pixels {
            return Err(Error::corrupt(format!("recovery: {} exceptions among {pixels} pixels", self.exceptions)));
        }
        if self.place_bytes as usize > geometry.raw_bytes() || (self.exceptions == 0) != (self.place_bytes == 0) {
            return Err(Error::corrupt(format!(
                "recovery: {} bytes of places for {} exceptions",
                self.place_bytes, self.exceptions
            )));
        }
        if matches!(*self.method, Method::Recovered(_) | Method::Patched(_)) {
            return Err(Error::corrupt("recovery: of planes that are recovered already"));
        }
        self.method.check(&self.making.planes(geometry))
    }

    /// Raw bytes of the blocks that hold the exceptions: their places, their pixels.
    pub fn exception_blocks(&self) -> impl Iterator<Item = u64> + use<> {
        let blocks = [u64::from(self.place_bytes), 3 * u64::from(self.exceptions)];
        blocks.into_iter().filter(|&bytes| bytes > 0)
    }
}

/// Checks how frames of `geometry` were made.
pub(crate) fn check_making(geometry: &Geometry, making: &Making) -> Result<()> {
    if !Making::suits(geometry) {
        return Err(Error::corrupt("recovery: frames that are not made from YUV"));
    }
    making.conversion.check()
}
