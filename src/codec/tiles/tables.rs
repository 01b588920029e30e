//! Frequency tables of a batch: per set of statistics one for each class of groups.

use crate::codec::ans::classes::{self, Counts, LEVELS};
use crate::codec::ans::lanes::{DecodeTable, EncodeTable};
use crate::codec::ans::table::{Frequencies, SCALE_BITS};
use crate::codec::bits::{BitDecoder, BitEncoder, Nibble};
use crate::error::{Error, Result};

/// Stands for every residual that its table has no frequency for; the residual follows elsewhere.
pub(super) const ESCAPE: u8 = 255;

/// Most classes of a set.
const CLASSES: u32 = 15;

/// The tables of a batch, as they are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TileTables(Vec<Vec<Frequencies>>);

impl TileTables {
    /// Sets of statistics.
    pub fn sets(&self) -> usize {
        self.0.len()
    }

    /// Appends the tables.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut out = BitEncoder::new(out);
        let mut lengths = <[Nibble; 16]>::default();
        for set in &self.0 {
            out.direct(set.len() as u32, 4);
            set.iter().for_each(|frequencies| frequencies.write(&mut out, &mut lengths));
        }
        out.finish();
    }

    /// Reads the tables of `sets` sets.
    ///
    /// # Errors
    /// Corrupt unless each set has a table.
    pub fn read(input: &[u8], sets: usize) -> Result<Self> {
        let mut input = BitDecoder::new(input);
        let mut lengths = <[Nibble; 16]>::default();
        let mut set = || {
            let classes = input.direct(4);
            if classes == 0 {
                return Err(Error::corrupt("tile tables: a set without classes"));
            }
            (0..classes).map(|_| Frequencies::read(&mut input, &mut lengths)).collect()
        };
        (0..sets).map(|_| set()).collect::<Result<_>>().map(Self)
    }

    /// The tables for decoding, set by set.
    pub(super) fn decoders(&self) -> Vec<Vec<DecodeTable>> {
        self.0.iter().map(|set| set.iter().map(DecodeTable::new).collect()).collect()
    }
}

/// Counts of residuals, by set and level of the sum of their group.
#[derive(Clone)]
pub struct TileCounts(Vec<Vec<Counts>>);

impl TileCounts {
    /// Nothing counted.
    pub fn new(sets: usize) -> Self {
        Self(vec![vec![[0; 256]; LEVELS]; sets])
    }

    /// Counts a group whose residuals sum to `sum`, above 0.
    pub fn count(&mut self, set: usize, sum: u16, group: &[u8]) {
        let counts = &mut self.0[set][classes::level(sum.into())];
        group.iter().for_each(|&residual| counts[usize::from(residual)] += 1);
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        let counts = self.0.iter_mut().flatten().flatten();
        counts.zip(other.0.iter().flatten().flatten()).for_each(|(count, other)| *count += other);
    }

    /// Bits that the residuals need, about, with classes of their own for every level.
    pub fn bits(&self) -> u64 {
        self.0.iter().flatten().map(classes::payload_cost).sum::<u64>() >> classes::FRACTION_BITS
    }

    /// Tables, and which class of each set each level belongs to.
    pub fn tables(&self) -> (TileTables, TileClasses) {
        let (mut tables, mut levels) = (Vec::new(), Vec::new());
        for counts in &self.0 {
            let (classes, mut counts) = classes::merge(counts.iter().copied(), classes::CLASSES, classes::cost);
            if counts.is_empty() {
                counts.push(FALLBACK);
            }
            tables.push(counts.iter().map(frequencies).collect());
            levels.push(classes.try_into().unwrap_or([1; LEVELS]));
        }
        (TileTables(tables), TileClasses(levels))
    }
}

/// Counts where none of a set were seen: small residuals.
const FALLBACK: Counts = {
    let mut counts = [0; 256];
    let mut at = 0;
    while at < 32 {
        counts[at] = 1 << (16 - at / 2);
        at += 1;
    }
    counts
};

/// Which class the groups of each level are in, from 1, set by set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileClasses(Vec<[u8; LEVELS]>);

impl TileClasses {
    /// The class of groups of each level, set by set.
    #[cfg(feature = "gpu")]
    pub(super) fn as_slice(&self) -> &[[u8; LEVELS]] {
        &self.0
    }

    /// The class of a group by the sum of its residuals.
    pub(super) fn of(&self, set: usize, sum: u16) -> u8 {
        if sum == 0 { 0 } else { self.0[set][classes::level(sum.into())] }
    }
}

/// Frequencies of counts. What is too seldom for a frequency of its own is escaped.
fn frequencies(counts: &Counts) -> Frequencies {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let seldom = |count: u32| (u64::from(count) << (SCALE_BITS + 1)) < total;
    let mut kept = *counts;
    let mut escaped = 0;
    for (symbol, count) in kept.iter_mut().enumerate() {
        if symbol == usize::from(ESCAPE) || seldom(*count) {
            escaped += *count;
            *count = 0;
        }
    }
    kept[usize::from(ESCAPE)] = escaped.max(1);
    Frequencies::of(&kept)
}

/// A table for encoding, which knows what is escaped.
pub(super) struct Encode {
    pub table: EncodeTable,
    /// Residuals below this are not escaped.
    pub sure: u8,
    pub escaped: [bool; 256],
}

impl Encode {
    pub fn of_set(tables: &TileTables, set: usize) -> Vec<Self> {
        tables.0[set].iter().map(Self::new).collect()
    }

    fn new(frequencies: &Frequencies) -> Self {
        let mut escaped = frequencies.as_array().map(|frequency| frequency == 0);
        escaped[usize::from(ESCAPE)] = true;
        let table = EncodeTable::with_escape(frequencies, ESCAPE, &escaped);
        let sure = escaped.iter().position(|&escaped| escaped).unwrap_or(0) as u8;
        Self { table, sure, escaped }
    }
}

const _: () = assert!(classes::CLASSES - 1 == CLASSES as usize);
