//! Codecs: they change the size of a block of bytes.
//!
//! A block's decoded length is known from the geometry and the plan, so no codec stores it. A block
//! that its codec cannot shrink is stored.

pub mod ans;
pub(crate) mod bits;
pub mod discrete;
pub mod exceptions;
mod lz4;
pub mod model;
pub mod pack;
mod sparse;
pub(crate) mod sums;
mod tiles;
mod zstd;

#[doc(hidden)]
pub use ans::lanes::{DecodeTable, EncodeTable};
pub(crate) use ans::segments::{check_code, decode as rans_decode, encode as rans_encode};
#[cfg(feature = "gpu")]
pub(crate) use ans::segments::{check_codes, check_ends};
#[doc(hidden)]
pub use tiles::{
    DecodedTiles, TileClasses, TileCounts, TileDecoder, TileDecoderTables, TileEncoder, TileEncoderTables, TileTables,
    packed as packed_tiles,
};
#[cfg(feature = "gpu")]
pub(crate) use tiles::{TWO_CODES, check_escapes};

use self::ans::contexts;
pub use self::ans::contexts::{ContextKind, Surroundings};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::plan::CodecChoice;

/// A codec by its id on the wire. The ids are append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CodecId {
    /// The bytes as they are.
    Store = 0,
    /// An LZ4 block (without LZ4's frame).
    Lz4 = 1,
    /// One Zstandard frame (RFC 8878).
    Zstd = 2,
    /// Interleaved rANS with a table per class of groups.
    Ans = 3,
    /// Fixed-width bit packing of small groups.
    Pack = 4,
    /// Interleaved rANS with a table per class of contexts.
    Contexts = 5,
    /// Whole frames of few values, coded by which neighbour a unit is equal to.
    Discrete = 6,
    /// A sequential adaptive model of planes.
    Model = 7,
    /// Bytes by distributions that adapt.
    Adaptive = 8,
    /// The bytes of samples whose higher bytes are not all zero, by another codec.
    Sparse = 9,
}

impl CodecId {
    /// Every codec, in order of id.
    pub const ALL: [CodecId; 10] = [
        Self::Store,
        Self::Lz4,
        Self::Zstd,
        Self::Ans,
        Self::Pack,
        Self::Contexts,
        Self::Discrete,
        Self::Model,
        Self::Adaptive,
        Self::Sparse,
    ];

    /// The codec with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for an id of a later version.
    pub fn from_id(id: u8) -> Result<Self> {
        Self::ALL.get(usize::from(id)).copied().ok_or_else(|| {
            Error::unsupported(format!("codec: id {id} is not known to this version; update framepress"))
        })
    }

    /// The name that `--codec` takes.
    pub const fn name(self) -> &'static str {
        match self {
            CodecId::Store => "store",
            CodecId::Lz4 => "lz4",
            CodecId::Zstd => "zstd",
            CodecId::Ans => "ans",
            CodecId::Pack => "pack",
            CodecId::Contexts => "contexts",
            CodecId::Discrete => "discrete",
            CodecId::Model => "model",
            CodecId::Adaptive => "adaptive",
            CodecId::Sparse => "sparse",
        }
    }
}

/// What is known of a block of bytes of a plane's samples. Those of one byte are left to `ans`.
pub fn surroundings<'a>(geometry: &Geometry, plane: usize, higher: &'a [&'a [u8]]) -> Surroundings<'a> {
    let plane = &geometry.planes[plane];
    let width = if geometry.sample_bytes > 1 { plane.width } else { 0 };
    Surroundings { width, picture: plane.frame_samples(), higher }
}

/// Codes blocks in one way. Not for use by two threads at once; cheap to use again.
pub struct Encoder {
    choice: CodecChoice,
    zstd: Option<zstd::Encoder>,
    /// Tells what the other one is likely to make of a block, if that one is slow.
    quick_zstd: Option<zstd::Encoder>,
    thorough: bool,
    contexts: &'static [ContextKind],
    adaptive: bool,
    simd: SimdLevel,
}

/// Bytes of a block on which Zstandard is tried before it gets the whole block.
const PROBE_BYTES: usize = 1 << 14;

/// Bytes of a block on which contexts are tried.
const CONTEXT_PROBE_BYTES: usize = 1 << 16;

/// Zstandard's level that blocks are looked at with before a slow one: it sees repeats over 2 MiB.
const QUICK_ZSTD_LEVEL: i32 = 3;

/// Bytes of a block on which the levels are compared.
const ZSTD_PROBE_BYTES: usize = 1 << 16;

/// Bytes of a block, in so many pieces, by which noise is known.
const NOISE_PROBE_BYTES: usize = 1 << 14;
const NOISE_PIECES: usize = 16;

/// Whether no table makes bytes shorter by more than 1/128, as far as pieces of them tell.
fn is_noise(bytes: &[u8]) -> bool {
    let step = bytes.len() / NOISE_PIECES;
    let piece = NOISE_PROBE_BYTES / NOISE_PIECES;
    if step < 2 * piece {
        return false;
    }
    let pieces: Vec<u8> = bytes.chunks_exact(step).flat_map(|part| &part[..piece]).copied().collect();
    ans::estimate(&pieces) > pieces.len() / 128 * 127
}

/// Start and end of the `part` in the middle of `length` bytes.
fn middle(length: usize, part: usize) -> (usize, usize) {
    let start = length.saturating_sub(part) / 2;
    (start, length.min(start + part))
}

/// What Zstandard makes of a whole block, from what it made of a part that has less to refer to.
const fn of_whole(packed_bytes: usize) -> usize {
    packed_bytes / 8 * 7
}

/// What a probe says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    Ans,
    Either,
    Zstd,
}

impl Encoder {
    /// An encoder of `choice`, with Zstandard at `zstd_level`. With [`CodecChoice::Auto`] a block goes to
    /// `ans` or to Zstandard, whichever does much better on a part of it; if neither does, to both, and the
    /// smaller result stays. One that is `thorough` leaves out Zstandard only where that is sure to lose.
    pub fn new(choice: CodecChoice, zstd_level: i32, thorough: bool) -> Result<Self> {
        let zstd = match choice {
            CodecChoice::Zstd | CodecChoice::Auto => Some(zstd::Encoder::new(zstd_level)?),
            CodecChoice::Store | CodecChoice::Lz4 | CodecChoice::Ans | CodecChoice::Pack => None,
        };
        let quick_zstd = match choice {
            CodecChoice::Auto if thorough => Some(zstd::Encoder::new(QUICK_ZSTD_LEVEL)?),
            _ => None,
        };
        Ok(Self { choice, zstd, quick_zstd, thorough, contexts: &[], adaptive: false, simd: SimdLevel::detect() })
    }

    /// With [`CodecChoice::Auto`], tries contexts of these kinds where it would take `ans`.
    #[must_use]
    pub fn with_contexts(mut self, contexts: &'static [ContextKind]) -> Self {
        self.contexts = contexts;
        self
    }

    /// With [`CodecChoice::Auto`], tries distributions that adapt on the highest bytes, if `adaptive`.
    #[must_use]
    pub fn with_adaptive(mut self, adaptive: bool) -> Self {
        self.adaptive = adaptive;
        self
    }

    /// Appends the coded `block` to `out`: never more than the block's own length.
    pub fn encode(&mut self, block: &[u8], around: Surroundings<'_>, out: &mut Vec<u8>) -> CodecId {
        let start = out.len();
        let coded = match self.choice {
            CodecChoice::Store => None,
            CodecChoice::Lz4 => lz4::encode(block, out).then_some(CodecId::Lz4),
            CodecChoice::Zstd => self.zstd(block, out).then_some(CodecId::Zstd),
            CodecChoice::Ans => ans::encode(self.simd, block, out).then_some(CodecId::Ans),
            CodecChoice::Pack => pack::encode(self.simd, block, out).then_some(CodecId::Pack),
            CodecChoice::Auto => self.smaller(block, around, out),
        };
        coded.unwrap_or_else(|| {
            out.truncate(start);
            out.extend_from_slice(block);
            CodecId::Store
        })
    }

    fn smaller(&mut self, block: &[u8], around: Surroundings<'_>, out: &mut Vec<u8>) -> Option<CodecId> {
        if !self.thorough && is_noise(block) {
            return None;
        }
        let guess = if self.thorough { Guess::Either } else { self.guess(block) };
        let start = out.len();
        let by_entropy = if guess == Guess::Zstd { None } else { self.entropy(block, around, out) };
        if by_entropy.is_none() {
            out.truncate(start);
        }
        if guess != Guess::Ans {
            let (entropy_bytes, middle) =
                (if by_entropy.is_some() { out.len() - start } else { block.len() }, out.len());
            let may_win = self.zstd_may_win(block, entropy_bytes);
            if may_win && self.zstd(block, out) && out.len() - middle < entropy_bytes {
                out.drain(start..middle);
                return Some(CodecId::Zstd);
            }
            out.truncate(middle);
        }
        by_entropy
    }

    /// Whether Zstandard might make less than `rival` bytes of a block: from what a quick level makes of it, and from
    /// how the two compare on a part.
    fn zstd_may_win(&mut self, block: &[u8], rival: usize) -> bool {
        let Some(quick) = &mut self.quick_zstd else { return true };
        if block.len() < 4 * ZSTD_PROBE_BYTES {
            return true;
        }
        let mut packed = Vec::new();
        let mut bytes = |zstd: &mut zstd::Encoder, block: &[u8]| {
            packed.clear();
            if zstd.encode(block, &mut packed) { packed.len() } else { block.len() }
        };
        let by_quick = bytes(quick, block);
        let (start, end) = middle(block.len(), ZSTD_PROBE_BYTES);
        let part = &block[start..end];
        let part_by_quick = bytes(quick, part);
        let part_by_zstd = self.zstd.as_mut().map_or(part.len(), |zstd| bytes(zstd, part));
        // What does not repeat at all is left to entropy coding. A part has less to refer to, so there is a margin.
        by_quick < block.len() && by_quick / 16 * 15 * part_by_zstd < rival * part_by_quick.max(1)
    }

    /// Codes `block` by `ans`, as it is or without its zeros, or by contexts if these save more than they cost.
    fn entropy(&self, block: &[u8], around: Surroundings<'_>, out: &mut Vec<u8>) -> Option<CodecId> {
        let start = out.len();
        let kept = self.without_zeros(block, around);
        let is_lost = !self.thorough && kept.as_ref().is_some_and(|kept| is_noise(kept));
        let contexts = if is_lost { None } else { self.best_contexts(block, around) };
        let contexts = contexts.filter(|plan| {
            let bytes = plan.payload_bytes() + plan.overhead_bytes();
            kept.as_ref().is_none_or(|kept| bytes < ans::estimate(kept))
        });
        let by_tables = match (contexts, kept) {
            (Some(plan), _) => plan.encode(self.simd, block, out).then_some(CodecId::Contexts),
            (None, Some(kept)) => {
                sparse::encode(self.simd, &kept, !is_lost, block.len(), out).then_some(CodecId::Sparse)
            }
            (None, None) => ans::encode(self.simd, block, out).then_some(CodecId::Ans),
        };
        // Lower bytes are noise, for the most part, or follow from the higher ones.
        let highest = around.width > 0 && around.higher.iter().all(|bytes| bytes.iter().all(|&byte| byte == 0));
        let (middle, rival) = (out.len(), if by_tables.is_some() { out.len() - start } else { block.len() });
        if self.adaptive && highest && rival > block.len() / 64 {
            if model::bytes::encode(self.simd, block, around, out) && out.len() - middle < rival {
                out.drain(start..middle);
                return Some(CodecId::Adaptive);
            }
            out.truncate(middle);
        }
        by_tables
    }

    /// The bytes of samples whose higher bytes are not all zero: if all others are zero, and if a part from the middle
    /// takes `ans` much less without those.
    fn without_zeros(&self, block: &[u8], around: Surroundings<'_>) -> Option<Vec<u8>> {
        let kept = |start: usize, end: usize| {
            let higher: Vec<&[u8]> = around.higher.iter().map(|bytes| &bytes[start..end]).collect();
            sparse::Marks::of(self.simd, end - start, &higher).compact(&block[start..end])
        };
        if around.higher.is_empty() {
            return None;
        }
        let (start, end) = middle(block.len(), CONTEXT_PROBE_BYTES);
        let pays = ans::estimate(&kept(start, end)?) < ans::estimate(&block[start..end]) / 16 * 15;
        if pays { kept(0, block.len()) } else { None }
    }

    /// The contexts that do best, if they do better than `ans`. A part of the block picks the kind, unless the
    /// encoder is `thorough`.
    fn best_contexts(&self, block: &[u8], around: Surroundings<'_>) -> Option<contexts::Plan> {
        if self.contexts.is_empty() {
            return None;
        }
        let (start, end) = middle(block.len(), CONTEXT_PROBE_BYTES);
        let higher: Vec<&[u8]> = around.higher.iter().map(|bytes| &bytes[start..end]).collect();
        let part = (&block[start..end], Surroundings { higher: &higher, ..around });
        let (part_bytes, around_part) = if self.thorough { (block, around) } else { part };
        let by_ans = ans::estimate(part_bytes);
        // What is next to nothing cannot get much less, and noise is noise in any context.
        if by_ans < part_bytes.len() / 64 || by_ans > part_bytes.len() / 128 * 127 {
            return None;
        }
        let shared = block.len() / part_bytes.len().max(1);
        let bytes = |plan: &contexts::Plan| plan.payload_bytes() + plan.overhead_bytes() / shared.max(1);
        let of = |&kind| contexts::Plan::of(self.simd, part_bytes, around_part, kind);
        let best = self.contexts.iter().filter_map(of).min_by_key(bytes).filter(|plan| bytes(plan) < by_ans)?;
        if part_bytes.len() == block.len() {
            return Some(best);
        }
        contexts::Plan::of(self.simd, block, around, best.kind())
    }

    /// Which codec a part from the middle of `block` speaks for.
    fn guess(&mut self, block: &[u8]) -> Guess {
        let (start, end) = middle(block.len(), PROBE_BYTES);
        let part = &block[start..end];
        let mut packed = Vec::new();
        let by_zstd = if self.zstd(part, &mut packed) { of_whole(packed.len()) } else { part.len() };
        let by_ans = ans::estimate(part);
        if by_zstd >= by_ans {
            Guess::Ans
        } else if by_zstd > by_ans / 2 || by_ans < part.len() / 64 {
            Guess::Either
        } else {
            Guess::Zstd
        }
    }

    /// About the bytes that `block` adds to a larger one like it.
    pub fn estimate(&mut self, block: &[u8], around: Surroundings<'_>) -> usize {
        let mut packed = Vec::new();
        match self.choice {
            CodecChoice::Ans => ans::estimate(block),
            CodecChoice::Auto => {
                let by_zstd = self.zstd(block, &mut packed);
                let by_contexts = self.best_contexts(block, around).map(|plan| plan.payload_bytes());
                let kept = self.without_zeros(block, around);
                let by_tables = kept.map_or_else(|| ans::estimate(block), |kept| ans::estimate(&kept));
                let estimate = by_contexts.unwrap_or(usize::MAX).min(by_tables);
                if by_zstd { packed.len().min(estimate) } else { estimate }
            }
            _ => {
                self.encode(block, around, &mut packed);
                packed.len()
            }
        }
    }

    fn zstd(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
        self.zstd.as_mut().is_some_and(|zstd| zstd.encode(block, out))
    }
}

/// What Zstandard's quickest level makes of `bytes`: far less than their number if they repeat.
pub(crate) fn repeats(bytes: &[u8]) -> Result<usize> {
    let mut packed = Vec::new();
    let shrunk = zstd::Encoder::new(1)?.encode(bytes, &mut packed);
    Ok(if shrunk { packed.len() } else { bytes.len() })
}

/// Decodes blocks of every codec. Not for use by two threads at once; cheap to use again.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<zstd::Decoder>,
}

impl Decoder {
    /// Decodes `packed` into exactly `block`.
    pub fn decode(&mut self, codec: CodecId, packed: &[u8], around: Surroundings<'_>, block: &mut [u8]) -> Result<()> {
        let decoded = match codec {
            CodecId::Discrete | CodecId::Model => {
                return Err(Error::corrupt(format!("{} code where a block of a plane is expected", codec.name())));
            }
            CodecId::Store if packed.len() == block.len() => {
                block.copy_from_slice(packed);
                block.len()
            }
            CodecId::Store => packed.len(),
            CodecId::Lz4 => lz4::decode(packed, block)?,
            CodecId::Ans => {
                ans::decode(SimdLevel::detect(), packed, block)?;
                block.len()
            }
            CodecId::Pack => {
                pack::decode(SimdLevel::detect(), packed, block)?;
                block.len()
            }
            CodecId::Contexts => {
                contexts::decode(SimdLevel::detect(), packed, around, block)?;
                block.len()
            }
            CodecId::Adaptive => {
                model::bytes::decode(SimdLevel::detect(), packed, around, block)?;
                block.len()
            }
            CodecId::Sparse => {
                self.sparse(packed, around, block)?;
                block.len()
            }
            CodecId::Zstd => match &mut self.zstd {
                Some(zstd) => zstd.decode(packed, block)?,
                none => none.insert(zstd::Decoder::new()?).decode(packed, block)?,
            },
        };
        if decoded != block.len() {
            return Err(Error::corrupt(format!(
                "{} block: expected {} bytes decoded, found {decoded}",
                codec.name(),
                block.len()
            )));
        }
        Ok(())
    }

    fn sparse(&mut self, packed: &[u8], around: Surroundings<'_>, block: &mut [u8]) -> Result<()> {
        let (&id, packed) = packed.split_first().ok_or_else(|| Error::corrupt("sparse block: it is empty"))?;
        let codec = CodecId::from_id(id)?;
        if around.higher.is_empty() || !sparse::CODECS.contains(&codec) {
            return Err(Error::corrupt(format!("sparse block: of the highest bytes, or by {}", codec.name())));
        }
        let marks = sparse::Marks::of(SimdLevel::detect(), block.len(), around.higher);
        let mut kept = vec![0; marks.kept()];
        self.decode(codec, packed, Surroundings::default(), &mut kept)?;
        marks.spread(kept, block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn round_trips_never_expand() {
        for choice in [
            CodecChoice::Store,
            CodecChoice::Lz4,
            CodecChoice::Zstd,
            CodecChoice::Ans,
            CodecChoice::Pack,
            CodecChoice::Auto,
        ] {
            let mut encoder = Encoder::new(choice, 3, true).unwrap();
            for length in [0, 1, 2, 12, 13, 100, 70_000] {
                for block in
                    [vec![7; length], noise(length), [noise(length / 2), vec![0; length - length / 2]].concat()]
                {
                    let mut packed = b"before".to_vec();
                    let codec = encoder.encode(&block, Surroundings::default(), &mut packed);
                    let packed = packed.strip_prefix(b"before").unwrap();
                    assert!(packed.len() <= block.len());
                    let mut decoded = vec![1; length];
                    Decoder::default().decode(codec, packed, Surroundings::default(), &mut decoded).unwrap();
                    assert_eq!(decoded, block, "{choice:?} {length}");
                }
            }
        }
    }

    #[test]
    fn adaptive_blocks_round_trip() {
        let simd = SimdLevel::detect();
        for (length, width, picture) in
            [(1, 1, 1), (2, 5, 0), (300, 1, 7), (5000, 2, 2), (5000, 77, 770), (5000, 4999, 5000), (70_000, 1 << 40, 3)]
        {
            let [many, few] = span(length);
            let around = Surroundings { width, picture, higher: &[] };
            for block in [many, few] {
                let packs = SimdLevel::available().into_iter().map(|simd| {
                    let mut packed = Vec::new();
                    model::bytes::encode(simd, &block, around, &mut packed);
                    packed
                });
                let packs: Vec<_> = packs.collect();
                for (simd, packed) in SimdLevel::available().into_iter().zip(&packs) {
                    assert_eq!(packed, &packs[0], "{length} {width} {picture} {}", simd.name());
                    let mut decoded = vec![1; length];
                    model::bytes::decode(simd, packed, around, &mut decoded).unwrap();
                    assert_eq!(decoded, block, "{length} {width} {picture} {}", simd.name());
                }
            }
        }
        let [_, few] = span(3000);
        let around = Surroundings { width: 40, picture: 400, higher: &[] };
        let mut packed = Vec::new();
        assert!(model::bytes::encode(simd, &few, around, &mut packed));
        let refused = |packed: &[u8]| model::bytes::decode(simd, packed, around, &mut vec![0; 3000]).is_err();
        assert!((0..packed.len()).all(|end| refused(&packed[..end])));
        // A value that is no longer there, the last of all.
        let last = packed[..32].iter().rposition(|&bits| bits != 0).unwrap();
        packed[last] &= packed[last] - 1;
        assert!(refused(&packed));
    }

    #[test]
    fn long_blocks_go_where_they_are_smaller() {
        let repeated = noise(100_000).repeat(3);
        let skewed: Vec<u8> = noise(300_000).into_iter().map(|byte| byte.leading_zeros() as u8).collect();
        for (block, expected) in [(repeated, CodecId::Zstd), (skewed, CodecId::Ans), (noise(300_000), CodecId::Store)] {
            let mut packed = Vec::new();
            let mut encoder = Encoder::new(CodecChoice::Auto, 19, true).unwrap();
            assert_eq!(encoder.encode(&block, Surroundings::default(), &mut packed), expected);
        }
    }

    /// Two blocks of one span: sparse large values of either sign, so that contexts of either kind pay.
    fn span(length: usize) -> [Vec<u8>; 2] {
        let noise = noise(3 * length);
        let active = |at: usize| noise[at / 50] < 60;
        let high = (0..length).map(|at| if active(at) { noise[at + length] % 8 + 100 } else { 0 }).collect();
        let low = (0..length).map(|at| if active(at) { noise[at + 2 * length] } else { 0 }).collect();
        [low, high]
    }

    #[test]
    fn contexts_round_trip() {
        for kind in [ContextKind::Higher, ContextKind::Neighbours] {
            for (length, width) in [(1, 1), (2, 1), (300, 1), (5000, 2), (5000, 77), (5000, 4999), (70_000, 1 << 40)] {
                let [low, high] = span(length);
                let higher = [high.as_slice()];
                for (block, higher) in [(&low, &higher[..]), (&high, &[])] {
                    let around = Surroundings { width, picture: 5 * width, higher };
                    let Some(plan) = contexts::Plan::of(SimdLevel::detect(), block, around, kind) else {
                        assert!(kind == ContextKind::Higher && higher.is_empty());
                        continue;
                    };
                    for simd in SimdLevel::available() {
                        let (mut packed, mut decoded) = (Vec::new(), vec![1; length]);
                        plan.encode(simd, block, &mut packed);
                        contexts::decode(simd, &packed, around, &mut decoded).unwrap();
                        assert_eq!(&decoded, block, "{kind:?} {length} {width} {}", simd.name());
                    }
                }
            }
        }
    }

    #[test]
    fn lower_bytes_of_sparse_samples_leave_out_zeros() {
        let [low, high] = span(70_000);
        let around = Surroundings { width: 350, picture: 0, higher: &[&high] };
        let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap();
        let mut packed = Vec::new();
        assert_eq!(encoder.encode(&low, around, &mut packed), CodecId::Sparse);
        let kept = high.iter().filter(|&&byte| byte != 0).count();
        assert!(packed.len() <= kept + 1);
        let decode = |packed: &[u8], around| {
            let mut decoded = vec![1; low.len()];
            Decoder::default().decode(CodecId::Sparse, packed, around, &mut decoded).map(|()| decoded)
        };
        assert_eq!(decode(&packed, around).unwrap(), low);
        assert!((0..packed.len()).all(|cut| decode(&packed[..cut], around).is_err()));
        // Of the highest bytes, or by a codec that itself looks at others.
        assert!(decode(&packed, Surroundings { higher: &[], ..around }).is_err());
        for id in [CodecId::Contexts as u8, CodecId::Adaptive as u8, CodecId::Sparse as u8, CodecId::Model as u8, 77] {
            packed[0] = id;
            assert!(decode(&packed, around).is_err());
        }
    }

    #[test]
    fn contexts_pay_where_bytes_depend_on_others() {
        let [_, high] = span(70_000);
        let low = |(noise, high): (&u8, &u8)| (high / 2).wrapping_mul(40).wrapping_add(noise % 8);
        let low: Vec<u8> = noise(70_000).iter().zip(&high).map(low).collect();
        let around = Surroundings { width: 350, picture: 0, higher: &[&high] };
        for contexts in [&[ContextKind::Higher][..], &[ContextKind::Higher, ContextKind::Neighbours], &[]] {
            let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap().with_contexts(contexts);
            let codec = encoder.encode(&low, around, &mut Vec::new());
            assert_eq!(codec == CodecId::Contexts, !contexts.is_empty(), "{codec:?}");
        }
        let noise = noise(70_000);
        let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap().with_contexts(&[ContextKind::Higher]);
        assert_eq!(encoder.encode(&noise, around, &mut Vec::new()), CodecId::Store);
    }

    #[test]
    fn hostile_contexts_are_refused() {
        let [low, high] = span(1500);
        let around = Surroundings { width: 40, picture: 0, higher: &[&high] };
        for kind in [ContextKind::Higher, ContextKind::Neighbours] {
            let mut packed = Vec::new();
            let simd = SimdLevel::detect();
            contexts::Plan::of(simd, &low, around, kind).unwrap().encode(simd, &low, &mut packed);
            for cut in 0..packed.len() {
                assert!(contexts::decode(simd, &packed[..cut], around, &mut vec![0; 1500]).is_err(), "cut at {cut}");
            }
            for length in [0, 1, 1499, 1501] {
                let around = Surroundings { higher: &[&vec![0; length]], ..around };
                assert!(contexts::decode(simd, &packed, around, &mut vec![0; length]).is_err(), "{length} bytes");
            }
            for bit in 0..8 * packed.len() {
                let mut flipped = packed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                // Any outcome but a panic: checksums are the container's.
                let _ = contexts::decode(simd, &flipped, around, &mut vec![0; 1500]);
            }
        }
    }

    #[test]
    fn hostile_blocks_are_refused() {
        let block = [noise(50), vec![3; 500], noise(50)].concat();
        for choice in [CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans, CodecChoice::Pack] {
            let mut packed = Vec::new();
            let codec = Encoder::new(choice, 1, false).unwrap().encode(&block, Surroundings::default(), &mut packed);
            let decode = |packed: &[u8], length| {
                Decoder::default().decode(codec, packed, Surroundings::default(), &mut vec![0; length])
            };
            // `ans` and `pack` fill up with zeros: only the container knows the length.
            let group = match choice {
                CodecChoice::Ans => 256,
                CodecChoice::Pack => 64 * pack::GROUP,
                _ => 1,
            };
            assert!(decode(&packed, (block.len() + 1).next_multiple_of(group) + 1).is_err(), "too little");
            assert!(decode(&packed, block.len() - 1).is_err(), "too much");
            for cut in 0..packed.len() {
                assert!(decode(&packed[..cut], block.len()).is_err(), "cut at {cut}");
            }
            for bit in 0..8 * packed.len() {
                let mut flipped = packed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                // Any outcome but a panic: checksums are the container's.
                let _ = decode(&flipped, block.len());
            }
        }
    }
}
