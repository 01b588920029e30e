//! The table of shaders: one row per file in `shaders/`, each the twin of a file in `src/cpu/`.

/// A row of the table.
pub(super) struct Shader {
    /// Name of the shader, and of its CPU twin.
    pub name: &'static str,
    /// The shader without what all of them share.
    source: &'static str,
    pub entries: &'static [Entry],
}

/// An entry point.
pub(super) struct Entry {
    pub kernel: Kernel,
    pub name: &'static str,
    /// Invocations of a workgroup.
    pub lanes: u32,
    /// What is bound besides the parameters, which are always binding 0.
    pub storage: &'static [Storage],
}

/// A storage buffer of an entry point. The value is the number of its binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// Read only.
    Input = 1,
    /// Written, and read by kernels that work in place.
    Output = 2,
    /// Counters that workgroups add to.
    Bins = 3,
}

/// Every entry point of every shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    ColourForward,
    ColourInverse,
    TemporalForward,
    TemporalInverse,
    PredictForward,
    PredictInverseZigzag,
    PredictInverseLeft,
    PredictInverseUp,
    PredictInverseWavefront,
    ByteShuffleForward,
    ByteShuffleInverse,
    BitShuffleForward,
    BitShuffleInverse,
    HistogramForward,
    EntropyForward,
}

/// What every shader starts with.
const COMMON: &str = include_str!("../../shaders/common.wgsl");

const FROM_TO: &[Storage] = &[Storage::Input, Storage::Output];
const IN_PLACE: &[Storage] = &[Storage::Output];

/// Invocations of a workgroup in most kernels.
const LANES: u32 = 256;
/// Invocations of a workgroup that shares a row or a band of rows.
const ROW_LANES: u32 = 64;

/// One row per shader.
pub(super) static TABLE: [Shader; 7] = [
    Shader {
        name: "colour",
        source: include_str!("../../shaders/colour.wgsl"),
        entries: &[
            entry(Kernel::ColourForward, "forward", LANES, FROM_TO),
            entry(Kernel::ColourInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "temporal",
        source: include_str!("../../shaders/temporal.wgsl"),
        entries: &[
            entry(Kernel::TemporalForward, "forward", LANES, FROM_TO),
            entry(Kernel::TemporalInverse, "inverse", LANES, IN_PLACE),
        ],
    },
    Shader {
        name: "predict",
        source: include_str!("../../shaders/predict.wgsl"),
        entries: &[
            entry(Kernel::PredictForward, "forward", LANES, FROM_TO),
            entry(Kernel::PredictInverseZigzag, "inverse_zigzag", LANES, FROM_TO),
            entry(Kernel::PredictInverseLeft, "inverse_left", ROW_LANES, IN_PLACE),
            entry(Kernel::PredictInverseUp, "inverse_up", LANES, IN_PLACE),
            entry(Kernel::PredictInverseWavefront, "inverse_wavefront", ROW_LANES, IN_PLACE),
        ],
    },
    Shader {
        name: "byte_shuffle",
        source: include_str!("../../shaders/byte_shuffle.wgsl"),
        entries: &[
            entry(Kernel::ByteShuffleForward, "forward", LANES, FROM_TO),
            entry(Kernel::ByteShuffleInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "bit_shuffle",
        source: include_str!("../../shaders/bit_shuffle.wgsl"),
        entries: &[
            entry(Kernel::BitShuffleForward, "forward", LANES, FROM_TO),
            entry(Kernel::BitShuffleInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "histogram",
        source: include_str!("../../shaders/histogram.wgsl"),
        entries: &[entry(Kernel::HistogramForward, "forward", LANES, &[Storage::Input, Storage::Bins])],
    },
    Shader {
        name: "entropy",
        source: include_str!("../../shaders/entropy.wgsl"),
        entries: &[entry(Kernel::EntropyForward, "forward", LANES, FROM_TO)],
    },
];

const fn entry(kernel: Kernel, name: &'static str, lanes: u32, storage: &'static [Storage]) -> Entry {
    Entry { kernel, name, lanes, storage }
}

impl Shader {
    /// The whole source.
    pub fn wgsl(&self) -> String {
        [COMMON, self.source].concat()
    }
}

impl Kernel {
    /// The shader and the entry point.
    pub fn row(self) -> (&'static Shader, &'static Entry) {
        TABLE
            .iter()
            .find_map(|shader| Some((shader, shader.entries.iter().find(|entry| entry.kernel == self)?)))
            .expect("every kernel has a row")
    }
}
