//! The resolved plan, as it is recorded with each batch.

use super::Values;
use crate::error::{Error, Result};
use crate::frame::Geometry;

macro_rules! wire_enum {
    ($name:ident, $what:literal, $($variant:ident),*) => {
        impl $name {
            /// Every value, in order of id.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The value with this id on the wire.
            pub fn from_id(id: u8) -> Result<Self> {
                Self::ALL.get(usize::from(id)).copied().ok_or_else(|| {
                    Error::unsupported(format!("{}: id {id} is not known to this version; update framepress", $what))
                })
            }
        }
    };
}

/// Reversible colour transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Colour {
    /// Channels as they are.
    None = 0,
    /// The first and third channel minus the second.
    SubtractGreen = 1,
}
wire_enum!(Colour, "colour transform", None, SubtractGreen);

/// Prediction of a sample from its neighbours left (a), up (b) and up-left (c); samples outside the
/// plane are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Predictor {
    /// 0.
    None = 0,
    /// a.
    Left = 1,
    /// b.
    Up = 2,
    /// Floor of (a + b) / 2.
    Average = 3,
    /// a + b - c.
    Gradient = 4,
    /// Median of a, b and a + b - c (LOCO-I, ITU-T T.87).
    Median = 5,
}
wire_enum!(Predictor, "predictor", None, Left, Up, Average, Gradient, Median);

/// Reordering of a span of residuals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Shuffle {
    /// Samples one after another.
    None = 0,
    /// All lowest bytes, then all second bytes, and so on.
    Byte = 1,
    /// All lowest bits, then all second bits, and so on.
    Bit = 2,
}
wire_enum!(Shuffle, "shuffle", None, Byte, Bit);

/// What is done to one plane of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanePlan {
    /// Predictor within the first frame.
    pub intra: Predictor,
    /// Whether frames after the first are differences from the frame before.
    pub temporal: bool,
    /// Predictor within those frames (or within their differences).
    pub inter: Predictor,
    /// Reordering of the residuals.
    pub shuffle: Shuffle,
}

impl PlanePlan {
    /// Predictor and temporal difference of one frame.
    pub fn of_frame(&self, frame: usize) -> (bool, Predictor) {
        if frame == 0 { (false, self.intra) } else { (self.temporal, self.inter) }
    }
}

/// What is done to a batch: resolved, and recorded with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The values that occur, if samples are places among them. They are so before the colour transform.
    pub values: Values,
    /// Colour transform of planes 0 to 2.
    pub colour: Colour,
    /// Samples in a span: each span of a plane is shuffled by itself and coded as one block per
    /// byte of a sample. A positive multiple of 8.
    pub span_samples: u32,
    /// One entry per plane.
    pub planes: Vec<PlanePlan>,
}

impl Plan {
    /// A plan that leaves samples as they are.
    pub fn identity(geometry: &Geometry) -> Self {
        let plane =
            PlanePlan { intra: Predictor::None, temporal: false, inter: Predictor::None, shuffle: Shuffle::None };
        Self {
            values: Values::default(),
            colour: Colour::None,
            span_samples: 1 << 18,
            planes: vec![plane; geometry.planes.len()],
        }
    }

    /// Whether the samples of such a batch are shuffled and nothing else, as they are in its one plane.
    pub(crate) fn leaves_samples(&self, geometry: &Geometry) -> bool {
        let same = |frame| self.planes[0].of_frame(frame) == (false, Predictor::None);
        let is_raw = matches!(geometry.planes.as_slice(), [plane] if plane.step == 1 && plane.offset == 0);
        is_raw && self.colour == Colour::None && (0..geometry.frames.min(2)).all(same)
    }

    /// Checks that the plan can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        if self.planes.len() != geometry.planes.len() {
            return Err(Error::corrupt(format!(
                "plan: expected {} planes, found {}",
                geometry.planes.len(),
                self.planes.len()
            )));
        }
        self.values.check(geometry)?;
        if self.colour != Colour::None && !geometry.colour {
            return Err(Error::corrupt("plan: a colour transform on frames that have no colour channels"));
        }
        if self.span_samples == 0 || !self.span_samples.is_multiple_of(8) {
            return Err(Error::corrupt(format!(
                "plan: span: expected a positive multiple of 8 samples, found {}",
                self.span_samples
            )));
        }
        if geometry.sample_bytes == 1 && self.planes.iter().any(|plane| plane.shuffle == Shuffle::Byte) {
            return Err(Error::corrupt("plan: byte shuffle of samples that have one byte"));
        }
        Ok(())
    }
}
