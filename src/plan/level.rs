//! What each level does.

use super::{Candidate, CodecChoice, Colour, Predictor};

/// Effort of one level. Levels differ in these numbers only.
#[derive(Debug, Clone, Copy)]
pub struct LevelParameters {
    /// Predictors to measure, each with and without temporal differences and each colour transform.
    pub predictors: &'static [Predictor],
    /// Level of Zstandard, for blocks and trials; `None` uses LZ4.
    pub zstd_level: Option<i32>,
    /// Samples in a span, and so bytes in a block.
    pub span_samples: u32,
}

const FEW: &[Predictor] = &[Predictor::None, Predictor::Left, Predictor::Gradient];
const SOME: &[Predictor] = &[Predictor::None, Predictor::Left, Predictor::Up, Predictor::Gradient, Predictor::Median];

const LEVELS: [LevelParameters; 9] = [
    level(FEW, None, 17),
    level(SOME, Some(1), 17),
    level(Predictor::ALL, Some(1), 18),
    level(Predictor::ALL, Some(1), 20),
    level(Predictor::ALL, Some(8), 20),
    level(Predictor::ALL, Some(10), 21),
    level(Predictor::ALL, Some(12), 21),
    level(Predictor::ALL, Some(16), 22),
    level(Predictor::ALL, Some(19), 23),
];

const fn level(predictors: &'static [Predictor], zstd_level: Option<i32>, span_log2: u32) -> LevelParameters {
    LevelParameters { predictors, zstd_level, span_samples: 1 << span_log2 }
}

impl LevelParameters {
    /// The parameters of a level from 1 to 9.
    pub fn of(level: u8) -> Self {
        LEVELS[usize::from(level.clamp(1, 9)) - 1]
    }

    /// Level of Zstandard where it is used.
    pub fn zstd_level(&self) -> i32 {
        self.zstd_level.unwrap_or(1)
    }

    /// The codec that `choice` means at this level.
    pub fn codec(&self, choice: CodecChoice) -> CodecChoice {
        match (choice, self.zstd_level) {
            (CodecChoice::Auto, None) => CodecChoice::Lz4,
            (CodecChoice::Auto, Some(_)) => CodecChoice::Zstd,
            (chosen, _) => chosen,
        }
    }

    /// What to measure on frames that have colour channels or not, and are several or one.
    pub fn candidates(&self, colour: bool, temporal: bool) -> Vec<Candidate> {
        let colours = if colour { Colour::ALL } else { &[Colour::None] };
        let temporals: &[bool] = if temporal { &[false, true] } else { &[false] };
        let mut candidates = Vec::new();
        for &colour in colours {
            for &temporal in temporals {
                candidates.extend(self.predictors.iter().map(|&predictor| Candidate { colour, temporal, predictor }));
            }
        }
        candidates
    }
}
