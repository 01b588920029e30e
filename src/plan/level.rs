//! What each level does.

use crate::codec::ContextKind;
use crate::codec::discrete::Effort;
use crate::motion::SearchEffort;

use super::{Candidate, CodecChoice, Colour, Predictor};
use crate::stage::TileEffort;

/// Effort of one level. Levels differ in these numbers only.
#[derive(Debug, Clone, Copy)]
pub struct LevelParameters {
    /// Predictors to measure, each with and without temporal differences and each colour transform.
    pub predictors: &'static [Predictor],
    /// Codec where the caller leaves the choice to the level.
    pub codec: CodecChoice,
    /// Level of Zstandard where it is used.
    pub zstd_level: i32,
    /// Whether every block is tried with every codec that may win.
    pub thorough: bool,
    /// Contexts that are tried for samples of more than one byte.
    pub contexts: &'static [ContextKind],
    /// Predictors that tiles are tried with.
    pub tiles: TileEffort,
    /// Whether residuals of tiles are packed and not entropy-coded, where the codec is not said.
    pub packed: bool,
    /// Whether the planes that packed frames were made from are recovered: that takes longer than packing does.
    pub recovers: bool,
    /// How motion is searched for, if what is predicted is tried with it.
    pub motion: Option<SearchEffort>,
    /// Whether the adaptive model is tried, and frames may refer to later ones.
    pub model: bool,
    /// Whether the model is tried where frames move, too: tiles are decoded several times as fast then.
    pub moving_model: bool,
    /// How hard the discrete coder tries.
    pub discrete: Effort,
    /// What the discrete coder's results are multiplied with when they are compared, in quarters: where it
    /// models units it is slower than other paths.
    pub discrete_quarters: u64,
    /// Samples in a span, and so bytes in a block.
    pub span_samples: u32,
}

const FEW: &[Predictor] = &[Predictor::None, Predictor::Left, Predictor::Gradient];
const SOME: &[Predictor] = &[Predictor::None, Predictor::Left, Predictor::Up, Predictor::Gradient, Predictor::Median];

const NONE: &[ContextKind] = &[];
const HIGHER: &[ContextKind] = &[ContextKind::Higher];
const BOTH: &[ContextKind] = &[ContextKind::Higher, ContextKind::Neighbours];

const LEVELS: [LevelParameters; 9] = [
    level(FEW, CodecChoice::Auto, 1, NONE, 18, TileEffort::Few, true),
    level(SOME, CodecChoice::Auto, 1, HIGHER, 18, TileEffort::Few, false),
    level(Predictor::ALL, CodecChoice::Auto, 1, HIGHER, 18, TileEffort::Some, false),
    level(Predictor::ALL, CodecChoice::Auto, 1, BOTH, 19, TileEffort::All, false),
    level(Predictor::ALL, CodecChoice::Auto, 8, BOTH, 20, TileEffort::All, false),
    level(Predictor::ALL, CodecChoice::Auto, 10, BOTH, 21, TileEffort::All, false),
    level(Predictor::ALL, CodecChoice::Auto, 12, BOTH, 21, TileEffort::All, false),
    level(Predictor::ALL, CodecChoice::Auto, 16, BOTH, 22, TileEffort::All, false),
    level(Predictor::ALL, CodecChoice::Auto, 19, BOTH, 23, TileEffort::All, false),
];

/// The lowest level of Zstandard at which the time it takes is given to every block.
const THOROUGH_ZSTD_LEVEL: i32 = 8;

/// The lowest level of Zstandard beside which the time that a full search for motion takes is no matter.
const FULL_SEARCH_ZSTD_LEVEL: i32 = 12;

/// The lowest level of Zstandard beside which the time that the model takes is no matter.
const MODEL_ZSTD_LEVEL: i32 = 16;

/// The lowest level of Zstandard beside which the time that decoding the model takes is no matter, either.
const MOVING_MODEL_ZSTD_LEVEL: i32 = 19;

const fn level(
    predictors: &'static [Predictor],
    codec: CodecChoice,
    zstd_level: i32,
    contexts: &'static [ContextKind],
    span_log2: u32,
    tiles: TileEffort,
    packed: bool,
) -> LevelParameters {
    let thorough = zstd_level >= THOROUGH_ZSTD_LEVEL;
    let model = zstd_level >= MODEL_ZSTD_LEVEL;
    let discrete = match (packed, thorough) {
        (true, _) => Effort::Quick,
        (false, false) => Effort::Usual,
        (false, true) => Effort::Thorough,
    };
    let motion = match (thorough, zstd_level >= FULL_SEARCH_ZSTD_LEVEL) {
        (false, _) => None,
        (true, false) => Some(SearchEffort::Light),
        (true, true) => Some(SearchEffort::Full),
    };
    let discrete_quarters = if matches!(discrete, Effort::Usual) { 5 } else { 4 };
    LevelParameters {
        predictors,
        codec,
        zstd_level,
        thorough,
        contexts,
        tiles,
        packed,
        recovers: !packed,
        motion,
        model,
        moving_model: zstd_level >= MOVING_MODEL_ZSTD_LEVEL,
        discrete,
        discrete_quarters,
        span_samples: 1 << span_log2,
    }
}

impl LevelParameters {
    /// The parameters of a level from 1 to 9.
    pub fn of(level: u8) -> Self {
        LEVELS[usize::from(level.clamp(1, 9)) - 1]
    }

    /// The codec that `choice` means at this level.
    pub fn codec(&self, choice: CodecChoice) -> CodecChoice {
        if choice == CodecChoice::Auto { self.codec } else { choice }
    }

    /// Whether `codec` packs residuals of tiles.
    pub fn packs(&self, codec: CodecChoice) -> bool {
        codec == CodecChoice::Pack || codec == CodecChoice::Auto && self.packed
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
