//! rANS with a table per class of contexts.
//!
//! The context of a byte is a number that the decoder knows before it decodes the byte: from the
//! higher bytes of the same sample, or from the bytes to the left and above. Bytes are put in the order of
//! the classes of their contexts, so that each class is one run with one table, and those runs are coded as
//! `ans` codes its groups. The entropy decoder thus knows nothing of contexts and keeps its speed;
//! only putting the bytes back in place follows them.

mod cluster;
mod keys;

use self::cluster::Clusters;
use self::keys::{Keys, NEIGHBOUR_KEYS, Neighbours, Ranks};
use super::GROUP;
use super::lanes::{DecodeTable, EncodeTable, Words};
use super::table::Frequencies;
use crate::codec::bits::{BitDecoder, BitEncoder, Nibble};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// What is known about a block before it is decoded.
#[derive(Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// Samples in a row of the plane; 0 if the encoder is not to look at neighbours.
    pub width: usize,
    /// Samples in a picture of the plane.
    pub picture: usize,
    /// The blocks of the higher bytes of the same samples, the lowest of them first.
    pub higher: &'a [&'a [u8]],
}

/// What the context of a byte is made of. The ids are on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ContextKind {
    /// The higher bytes of the sample.
    Higher = 0,
    /// The bytes to the left and above, and whether the sample has higher bytes.
    Neighbours = 1,
}

/// Classes at most: a nibble names one.
const CLASSES: usize = 16;
/// Runs are filled up to a multiple of this.
const RUN: usize = GROUP;

/// Bytes that are handled at once where they are in one context: in sparse data most are.
const EQUALS: usize = 8;

fn all_equal<T: PartialEq + Copy>(values: &[T; EQUALS]) -> bool {
    *values == [values[0]; EQUALS]
}

/// A block with the contexts of its bytes.
pub(in crate::codec) struct Plan {
    kind: ContextKind,
    ranks: Ranks,
    keys: Vec<u16>,
    clusters: Clusters,
}

impl Plan {
    /// Classes for the contexts of `kind`; none where there are no such contexts.
    pub fn of(simd: SimdLevel, block: &[u8], around: Surroundings<'_>, kind: ContextKind) -> Option<Self> {
        let unknown = match kind {
            ContextKind::Higher => around.higher.is_empty(),
            ContextKind::Neighbours => around.width == 0,
        };
        if unknown || block.is_empty() {
            return None;
        }
        let ranks = Ranks::of(block, kind);
        let keys = match kind {
            ContextKind::Higher => keys::higher(simd, around.higher, block.len()),
            ContextKind::Neighbours => keys::neighbours(simd, block, &ranks, around),
        };
        let clusters = Clusters::of(simd, block, &ranks, &keys.keys, keys.count);
        Some(Self { kind, ranks, keys: keys.keys, clusters })
    }

    /// What the contexts are made of.
    pub fn kind(&self) -> ContextKind {
        self.kind
    }

    /// Bytes that the block needs, about, without its model.
    pub fn payload_bytes(&self) -> usize {
        self.clusters.payload_bytes()
    }

    /// Bytes of the model and of filling up, about.
    pub fn overhead_bytes(&self) -> usize {
        self.clusters.overhead_bytes()
    }

    /// Appends the coded block if it is shorter than `block`, which the plan was made for.
    pub fn encode(&self, simd: SimdLevel, block: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let frequencies: Vec<Frequencies> = self.clusters.counts.iter().map(Frequencies::of).collect();
        out.extend([0; 4]);
        self.write_model(&frequencies, out);
        // A model is far shorter than 4 GiB.
        let model_bytes = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&model_bytes.to_le_bytes());

        let sorted = self.sorted(block);
        let tables: Vec<EncodeTable> = frequencies.iter().map(EncodeTable::new).collect();
        let mut groups = sorted.as_chunks::<GROUP>().0.iter();
        let mut coded = Vec::with_capacity(sorted.len() / GROUP);
        for ((table, frequencies), &run) in tables.iter().zip(&frequencies).zip(&self.clusters.runs) {
            let run = groups.by_ref().take(run.div_ceil(RUN)).map(|group| (table, group));
            // What takes no bits takes no time either.
            match frequencies.only() {
                Some(_) => run.for_each(drop),
                None => coded.extend(run),
            }
        }
        super::encode_groups(simd, &coded, &mut Words::default(), out);
        out.len() - start < block.len()
    }

    /// The ranks of the bytes, run after run; each is filled up with its most frequent one.
    fn sorted(&self, block: &[u8]) -> Vec<u8> {
        let (mut next, sorted_bytes) = run_starts(&self.clusters.runs);
        let mut sorted = vec![0; sorted_bytes];
        let mut put = |bytes: &[u8], key: u16| {
            let at = &mut next[usize::from(self.clusters.classes[usize::from(key)])];
            for (rank, &byte) in sorted[*at..].iter_mut().zip(bytes) {
                *rank = self.ranks.of[usize::from(byte)];
            }
            *at += bytes.len();
        };
        let ((bytes, last_bytes), (keys, last_keys)) = (block.as_chunks::<EQUALS>(), self.keys.as_chunks::<EQUALS>());
        for (bytes, keys) in bytes.iter().zip(keys) {
            if all_equal(keys) {
                put(bytes, keys[0]);
            } else {
                bytes.iter().zip(keys).for_each(|(&byte, &key)| put(&[byte], key));
            }
        }
        last_bytes.iter().zip(last_keys).for_each(|(&byte, &key)| put(&[byte], key));
        for (counts, &end) in self.clusters.counts.iter().zip(&next) {
            let frequent = (0..=255).rev().max_by_key(|&symbol: &u8| counts[usize::from(symbol)]).unwrap_or(0);
            let filled = end.next_multiple_of(RUN);
            sorted[end..filled].fill(frequent);
        }
        sorted
    }

    fn write_model(&self, frequencies: &[Frequencies], out: &mut Vec<u8>) {
        let mut out = BitEncoder::new(out);
        out.direct(self.kind as u32, 1);
        self.ranks.write(self.kind, &mut out);
        out.direct(frequencies.len() as u32 - 1, 4);
        let mut lengths = <[Nibble; 16]>::default();
        for (frequencies, &run) in frequencies.iter().zip(&self.clusters.runs) {
            // A span has less than 2^32 samples.
            out.direct(run as u32, 32);
            frequencies.write(&mut out, &mut lengths);
        }
        let mut by_class_before = <[Nibble; 16]>::default();
        let mut before = 0;
        for &class in &self.clusters.classes {
            out.nibble(&mut by_class_before[before], u32::from(class));
            before = usize::from(class);
        }
        out.finish();
    }
}

/// Where each run begins, and the bytes of all of them, filled up.
fn run_starts(runs: &[usize]) -> ([usize; CLASSES], usize) {
    let mut at = 0;
    let mut starts = [0; CLASSES];
    for (start, run) in starts.iter_mut().zip(runs) {
        *start = at;
        at += run.next_multiple_of(RUN);
    }
    (starts, at)
}

/// What the decoder reads before the bytes.
struct Model {
    kind: ContextKind,
    ranks: Ranks,
    runs: Vec<usize>,
    frequencies: Vec<Frequencies>,
    classes: Vec<u8>,
}

impl Model {
    fn read(model: &[u8], block_bytes: usize) -> Result<Self> {
        let mut input = BitDecoder::new(model);
        let kind = if input.direct(1) == 0 { ContextKind::Higher } else { ContextKind::Neighbours };
        let ranks = Ranks::read(kind, &mut input)?;
        let tables = input.direct(4) as usize + 1;
        let mut lengths = <[Nibble; 16]>::default();
        let (mut runs, mut frequencies, mut left) = (Vec::new(), Vec::new(), block_bytes);
        for _ in 0..tables {
            let run = input.direct(32) as usize;
            left = left.checked_sub(run).ok_or_else(|| Error::corrupt("contexts block: its runs are too long"))?;
            runs.push(run);
            frequencies.push(Frequencies::read(&mut input, &mut lengths)?);
        }
        if left > 0 {
            return Err(Error::corrupt(format!("contexts block: {left} bytes are in no run")));
        }
        let mut by_class_before = <[Nibble; 16]>::default();
        let mut before = 0;
        let mut classes = Vec::with_capacity(kind.keys());
        for _ in 0..kind.keys() {
            let class = input.nibble(&mut by_class_before[before]);
            if class as usize >= tables {
                return Err(Error::corrupt(format!("contexts block: class {class} of {tables}")));
            }
            before = class as usize;
            classes.push(class as u8);
        }
        Ok(Self { kind, ranks, runs, frequencies, classes })
    }
}

impl ContextKind {
    /// Contexts of this kind.
    fn keys(self) -> usize {
        match self {
            ContextKind::Higher => keys::HIGHER_KEYS,
            ContextKind::Neighbours => NEIGHBOUR_KEYS,
        }
    }
}

/// Decodes exactly `block`.
pub(in crate::codec) fn decode(
    simd: SimdLevel,
    packed: &[u8],
    around: Surroundings<'_>,
    block: &mut [u8],
) -> Result<()> {
    let short = || Error::corrupt("contexts block: it ends within its model");
    let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
    let (model, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
    let model = Model::read(model, block.len())?;
    let (next, sorted_bytes) = run_starts(&model.runs);
    let mut sorted = vec![0; sorted_bytes];
    {
        let tables: Vec<DecodeTable> = model.frequencies.iter().map(DecodeTable::new).collect();
        let mut groups = sorted.as_chunks_mut::<GROUP>().0.iter_mut();
        let mut coded = Vec::with_capacity(sorted_bytes / GROUP);
        for ((table, frequencies), &run) in tables.iter().zip(&model.frequencies).zip(&model.runs) {
            let run = groups.by_ref().take(run.div_ceil(RUN));
            match frequencies.only() {
                Some(0) => run.for_each(drop),
                Some(byte) => run.for_each(|group| group.fill(byte)),
                None => coded.extend(run.map(|group| (table, group))),
            }
        }
        super::decode_groups(simd, rest, &mut coded)?;
    }
    let mut runs = Runs { sorted: &sorted, next, classes: &model.classes };
    match model.kind {
        ContextKind::Higher => {
            let Keys { keys, .. } = keys::higher(simd, around.higher, block.len());
            let ((bytes, last_bytes), (keys, last_keys)) =
                (block.as_chunks_mut::<EQUALS>(), keys.as_chunks::<EQUALS>());
            for (bytes, keys) in bytes.iter_mut().zip(keys) {
                if all_equal(keys) {
                    runs.take_all(runs.classes[usize::from(keys[0])], bytes);
                } else {
                    bytes.iter_mut().zip(keys).for_each(|(byte, &key)| *byte = runs.take_by_key(key));
                }
            }
            last_bytes.iter_mut().zip(last_keys).for_each(|(byte, &key)| *byte = runs.take_by_key(key));
        }
        ContextKind::Neighbours => Neighbours::new(simd, around, block.len()).decode(&model.ranks, &mut runs, block),
    }
    if next.iter().zip(&model.runs).zip(runs.next).any(|((start, run), end)| start + run != end) {
        return Err(Error::corrupt("contexts block: its contexts do not use up its runs"));
    }
    Ok(())
}

/// Runs that are taken from by class.
struct Runs<'a> {
    sorted: &'a [u8],
    next: [usize; CLASSES],
    /// The class of each context.
    classes: &'a [u8],
}

impl Runs<'_> {
    /// The next rank of the run of `class`. One that has been used up gives anything; that shows at the end.
    #[inline(always)]
    fn take(&mut self, class: u8) -> u8 {
        let next = &mut self.next[usize::from(class) % CLASSES];
        let rank = self.sorted.get(*next).copied().unwrap_or(0);
        *next += 1;
        rank
    }
    #[inline(always)]
    fn take_by_key(&mut self, key: u16) -> u8 {
        self.take(self.classes[usize::from(key)])
    }

    /// As many ranks of the run of `class` as there is room for.
    fn take_all(&mut self, class: u8, ranks: &mut [u8; EQUALS]) {
        let next = &mut self.next[usize::from(class) % CLASSES];
        if let Some(run) = self.sorted.get(*next..).and_then(|run| run.first_chunk()) {
            *ranks = *run;
        }
        *next += EQUALS;
    }

    /// Passes over the next ranks of the run of `class` if all of them are 0.
    fn skip_zeros(&mut self, class: u8) -> bool {
        let next = &mut self.next[usize::from(class) % CLASSES];
        let zeros = self.sorted.get(*next..).is_some_and(|run| run.first_chunk() == Some(&[0; EQUALS]));
        *next += if zeros { EQUALS } else { 0 };
        zeros
    }
}
