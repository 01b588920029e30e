//! The table of shaders: one row per file in `shaders/`, each the twin of a file in `src/cpu/`, `src/codec/` or
//! `src/motion/`.

/// A row of the table.
pub(super) struct Shader {
    /// Name of the shader, and of its CPU twin.
    pub name: &'static str,
    /// What it shares with some others.
    shared: &'static [&'static str],
    /// The shader without what is shared.
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
    /// Counters that workgroups add to, bits that they set, or what else is written.
    Bins = 3,
    /// Read only, and made when the work is recorded.
    Table = 4,
    /// Read only, beside the input: what others are predicted from, or vectors.
    Beside = 5,
}

impl Storage {
    pub fn is_read_only(self) -> bool {
        matches!(self, Storage::Input | Storage::Table | Storage::Beside)
    }
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
    ChooseForward,
    PackedEncode,
    PackedDecode,
    ListForward,
    EscapesInverse,
    RestoreInverse,
    PhasesInverse,
    SolveForward,
    ConvertInverse,
    ExceptionsInverse,
    ExpectForward,
    ExpectInverse,
    PictureForward,
    SearchForward,
    SettleForward,
    LanesEncode,
    LanesDecode,
    CopyForward,
    RowsForward,
    RowsInverse,
    PagesForward,
    PagesInverse,
    BlockSumsForward,
}

/// What every shader starts with.
const COMMON: &str = include_str!("../../shaders/common.wgsl");

const FROM_TO: &[Storage] = &[Storage::Input, Storage::Output];
const IN_PLACE: &[Storage] = &[Storage::Output];
const BY_TABLE: &[Storage] = &[Storage::Input, Storage::Output, Storage::Table];
const BESIDE: &[Storage] = &[Storage::Input, Storage::Output, Storage::Beside];
const BY_TABLE_AND_BESIDE: &[Storage] = &[Storage::Input, Storage::Output, Storage::Table, Storage::Beside];
const ALL: &[Storage] = &[Storage::Input, Storage::Output, Storage::Bins, Storage::Table];

/// What shaders of tiles share.
const TILING: &str = include_str!("../../shaders/tiles/tiling.wgsl");
const SAMPLES: &str = include_str!("../../shaders/tiles/samples.wgsl");
const BYTES: &str = include_str!("../../shaders/tiles/bytes.wgsl");
const CHOICE: &str = include_str!("../../shaders/tiles/choice.wgsl");
const RULES: &str = include_str!("../../shaders/tiles/rules.wgsl");
/// What shaders of motion share.
const BETWEEN: &str = include_str!("../../shaders/motion/between.wgsl");
const MPEG4: &str = include_str!("../../shaders/motion/mpeg4.wgsl");
const SEARCHED: &str = include_str!("../../shaders/motion/searched.wgsl");
/// What shaders of recovery share.
const CONVERSION: &str = include_str!("../../shaders/recover/conversion.wgsl");

/// Invocations of a workgroup in most kernels.
const LANES: u32 = 256;
/// Invocations of a workgroup that shares a row, a band of rows, some tiles or a page.
const ROW_LANES: u32 = 64;
/// Invocations of a workgroup that codes a segment.
const CODERS: u32 = 32;

/// One row per shader.
pub(super) static TABLE: [Shader; 25] = [
    Shader {
        name: "colour",
        shared: &[],
        source: include_str!("../../shaders/colour.wgsl"),
        entries: &[
            entry(Kernel::ColourForward, "forward", LANES, FROM_TO),
            entry(Kernel::ColourInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "temporal",
        shared: &[],
        source: include_str!("../../shaders/temporal.wgsl"),
        entries: &[
            entry(Kernel::TemporalForward, "forward", LANES, FROM_TO),
            entry(Kernel::TemporalInverse, "inverse", LANES, IN_PLACE),
        ],
    },
    Shader {
        name: "predict",
        shared: &[],
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
        shared: &[],
        source: include_str!("../../shaders/byte_shuffle.wgsl"),
        entries: &[
            entry(Kernel::ByteShuffleForward, "forward", LANES, FROM_TO),
            entry(Kernel::ByteShuffleInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "bit_shuffle",
        shared: &[],
        source: include_str!("../../shaders/bit_shuffle.wgsl"),
        entries: &[
            entry(Kernel::BitShuffleForward, "forward", LANES, FROM_TO),
            entry(Kernel::BitShuffleInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "histogram",
        shared: &[],
        source: include_str!("../../shaders/histogram.wgsl"),
        entries: &[entry(Kernel::HistogramForward, "forward", LANES, &[Storage::Input, Storage::Bins])],
    },
    Shader {
        name: "entropy",
        shared: &[],
        source: include_str!("../../shaders/entropy.wgsl"),
        entries: &[entry(Kernel::EntropyForward, "forward", LANES, FROM_TO)],
    },
    Shader {
        name: "tiles/choose",
        shared: &[TILING, SAMPLES, BYTES, RULES, CHOICE],
        source: include_str!("../../shaders/tiles/choose.wgsl"),
        entries: &[entry(Kernel::ChooseForward, "forward", ROW_LANES, BY_TABLE_AND_BESIDE)],
    },
    Shader {
        name: "tiles/packed",
        shared: &[TILING, SAMPLES, BYTES, RULES, CHOICE],
        source: include_str!("../../shaders/tiles/packed.wgsl"),
        entries: &[
            entry(Kernel::PackedEncode, "encode", ROW_LANES, ALL),
            entry(Kernel::PackedDecode, "decode", ROW_LANES, FROM_TO),
        ],
    },
    Shader {
        name: "tiles/list",
        shared: &[TILING],
        source: include_str!("../../shaders/tiles/list.wgsl"),
        entries: &[entry(Kernel::ListForward, "forward", LANES, BY_TABLE)],
    },
    Shader {
        name: "tiles/escapes",
        shared: &[],
        source: include_str!("../../shaders/tiles/escapes.wgsl"),
        entries: &[entry(Kernel::EscapesInverse, "inverse", ROW_LANES, ALL)],
    },
    Shader {
        name: "tiles/restore",
        shared: &[TILING, BYTES],
        source: include_str!("../../shaders/tiles/restore.wgsl"),
        entries: &[entry(Kernel::RestoreInverse, "inverse", ROW_LANES, BY_TABLE)],
    },
    Shader {
        name: "tiles/phases",
        shared: &[TILING],
        source: include_str!("../../shaders/tiles/phases.wgsl"),
        entries: &[entry(Kernel::PhasesInverse, "inverse", LANES, BY_TABLE)],
    },
    Shader {
        name: "recover/solve",
        shared: &[CONVERSION],
        source: include_str!("../../shaders/recover/solve.wgsl"),
        entries: &[entry(Kernel::SolveForward, "forward", ROW_LANES, &[Storage::Input, Storage::Bins])],
    },
    Shader {
        name: "recover/convert",
        shared: &[CONVERSION],
        source: include_str!("../../shaders/recover/convert.wgsl"),
        entries: &[entry(Kernel::ConvertInverse, "inverse", LANES, FROM_TO)],
    },
    Shader {
        name: "exceptions",
        shared: &[],
        source: include_str!("../../shaders/exceptions.wgsl"),
        entries: &[entry(Kernel::ExceptionsInverse, "inverse", LANES, &[Storage::Bins, Storage::Table])],
    },
    Shader {
        name: "motion/expect",
        shared: &[TILING, BETWEEN, MPEG4],
        source: include_str!("../../shaders/motion/expect.wgsl"),
        entries: &[
            entry(Kernel::ExpectForward, "forward", LANES, BESIDE),
            entry(Kernel::ExpectInverse, "inverse", LANES, BY_TABLE_AND_BESIDE),
        ],
    },
    Shader {
        name: "motion/picture",
        shared: &[BETWEEN, MPEG4],
        source: include_str!("../../shaders/motion/picture.wgsl"),
        entries: &[entry(Kernel::PictureForward, "forward", LANES, BESIDE)],
    },
    Shader {
        name: "motion/search",
        shared: &[SEARCHED],
        source: include_str!("../../shaders/motion/search.wgsl"),
        entries: &[entry(Kernel::SearchForward, "forward", ROW_LANES, BESIDE)],
    },
    Shader {
        name: "motion/settle",
        shared: &[SEARCHED],
        source: include_str!("../../shaders/motion/settle.wgsl"),
        entries: &[entry(Kernel::SettleForward, "forward", ROW_LANES, BESIDE)],
    },
    Shader {
        name: "ans/lanes",
        shared: &[],
        source: include_str!("../../shaders/ans/lanes.wgsl"),
        entries: &[
            entry(Kernel::LanesEncode, "encode", CODERS, ALL),
            entry(Kernel::LanesDecode, "decode", CODERS, ALL),
        ],
    },
    Shader {
        name: "copy",
        shared: &[],
        source: include_str!("../../shaders/copy.wgsl"),
        entries: &[entry(Kernel::CopyForward, "forward", LANES, FROM_TO)],
    },
    Shader {
        name: "rows",
        shared: &[],
        source: include_str!("../../shaders/rows.wgsl"),
        entries: &[
            entry(Kernel::RowsForward, "forward", LANES, FROM_TO),
            entry(Kernel::RowsInverse, "inverse", LANES, FROM_TO),
        ],
    },
    Shader {
        name: "pages",
        shared: &[],
        source: include_str!("../../shaders/pages.wgsl"),
        entries: &[
            entry(Kernel::PagesForward, "forward", ROW_LANES, BY_TABLE),
            entry(Kernel::PagesInverse, "inverse", ROW_LANES, BY_TABLE),
        ],
    },
    Shader {
        name: "block_sums",
        shared: &[],
        source: include_str!("../../shaders/block_sums.wgsl"),
        entries: &[entry(Kernel::BlockSumsForward, "forward", LANES, BY_TABLE)],
    },
];

const fn entry(kernel: Kernel, name: &'static str, lanes: u32, storage: &'static [Storage]) -> Entry {
    Entry { kernel, name, lanes, storage }
}

impl Shader {
    /// The whole source.
    pub fn wgsl(&self) -> String {
        [&[COMMON], self.shared, &[self.source]].concat().concat()
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
