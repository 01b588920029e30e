//! Bytes to blocks: which codec takes one, by what probes say.

use super::ans::contexts::{self, ContextKind, Surroundings};
use super::sparse::WithoutZeros;
use super::{CodecId, ans, lz4, model, pack, zstd};
use crate::cpu::SimdLevel;
use crate::error::Result;
use crate::plan::CodecChoice;

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

/// Whether no table makes bytes shorter by more than 1/64, as far as pieces of them tell: that is not worth the time that it
/// takes.
fn is_noise(bytes: &[u8]) -> bool {
    let step = bytes.len() / NOISE_PIECES;
    let piece = NOISE_PROBE_BYTES / NOISE_PIECES;
    if step < 2 * piece {
        return false;
    }
    let pieces: Vec<u8> = bytes.chunks_exact(step).flat_map(|part| &part[..piece]).copied().collect();
    ans::estimate(&pieces) > pieces.len() / 64 * 63
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
        let without = self.without_zeros(block, around);
        let is_mapped = without.as_ref().is_some_and(WithoutZeros::is_mapped);
        // What is left without zeros is noise: nothing makes less of it, or of where it is.
        if let Some(without) =
            without.as_ref().filter(|without| !self.thorough && !is_mapped && is_noise(without.kept()))
        {
            return without.encode(self.simd, false, block.len(), out);
        }
        let guess = if self.thorough { Guess::Either } else { self.guess(block, is_mapped) };
        let start = out.len();
        let by_entropy = if guess == Guess::Zstd { None } else { self.entropy(block, without, around, out) };
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

    /// Codes `block` by `ans`, as it is or `without` its zeros, or by contexts if these save more than they cost.
    fn entropy(
        &self,
        block: &[u8],
        without: Option<WithoutZeros>,
        around: Surroundings<'_>,
        out: &mut Vec<u8>,
    ) -> Option<CodecId> {
        let start = out.len();
        let contexts = self.best_contexts(block, around).filter(|plan| {
            let bytes = plan.payload_bytes() + plan.overhead_bytes();
            without.as_ref().is_none_or(|without| bytes < without.estimate())
        });
        let by_tables = match (contexts, without) {
            (Some(plan), _) => plan.encode(self.simd, block, out).then_some(CodecId::Contexts),
            (None, Some(without)) => without.encode(self.simd, true, block.len(), out),
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

    /// A block without its zeros, if a part from its middle takes `ans` much less so: by the higher bytes, if these say where
    /// zeros are, or else by a map.
    fn without_zeros(&self, block: &[u8], around: Surroundings<'_>) -> Option<WithoutZeros> {
        let (start, end) = middle(block.len(), CONTEXT_PROBE_BYTES);
        let sparse = |start: usize, end: usize| {
            let higher: Vec<&[u8]> = around.higher.iter().map(|bytes| &bytes[start..end]).collect();
            WithoutZeros::sparse(self.simd, &block[start..end], &higher)
        };
        let part = sparse(start, end).or_else(|| WithoutZeros::mapped(self.simd, &block[start..end]))?;
        if part.estimate() >= ans::estimate(&block[start..end]) / 16 * 15 {
            None
        } else if end - start == block.len() {
            Some(part)
        } else if part.is_mapped() {
            WithoutZeros::mapped(self.simd, block)
        } else {
            sparse(0, block.len())
        }
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

    /// Which codec a part from the middle of `block`, which may be mapped, speaks for.
    fn guess(&mut self, block: &[u8], is_mapped: bool) -> Guess {
        let (start, end) = middle(block.len(), PROBE_BYTES);
        let part = &block[start..end];
        let mut packed = Vec::new();
        let by_zstd = if self.zstd(part, &mut packed) { of_whole(packed.len()) } else { part.len() };
        let without = if is_mapped { WithoutZeros::mapped(self.simd, part) } else { None };
        let by_ans = without.map_or_else(|| ans::estimate(part), |without| without.estimate());
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
                let without = self.without_zeros(block, around);
                let by_tables = without.map_or_else(|| ans::estimate(block), |without| without.estimate());
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
