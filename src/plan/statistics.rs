//! What was measured on a sample of a batch.

use super::{Colour, Predictor};
use crate::error::Result;
use crate::frame::Batch;
use crate::stage::Backend;

/// One way to predict every plane, to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Colour transform of the batch.
    pub colour: Colour,
    /// Whether frames are differences from the frame before.
    pub temporal: bool,
    /// Predictor within a frame or difference.
    pub predictor: Predictor,
}

/// Cost of every candidate on every plane of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statistics {
    candidates: Vec<Candidate>,
    planes: usize,
    costs: Vec<u64>,
}

impl Statistics {
    /// Measures `candidates` on `sample`.
    pub fn measure(backend: &dyn Backend, sample: Batch<'_>, candidates: Vec<Candidate>) -> Result<Self> {
        let costs = backend.costs(sample, &candidates)?;
        Ok(Self { candidates, planes: sample.geometry.planes.len(), costs })
    }

    /// The candidates with their costs on `plane`, in the order in which they were given.
    pub fn of_plane(&self, plane: usize) -> impl Iterator<Item = (Candidate, u64)> + '_ {
        self.candidates
            .iter()
            .enumerate()
            .map(move |(at, &candidate)| (candidate, self.costs[at * self.planes + plane]))
    }

    /// Planes that were measured.
    pub fn planes(&self) -> usize {
        self.planes
    }
}
