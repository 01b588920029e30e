//! Groups of residuals on their way into and out of the rANS coders.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// How groups fall into segments, each of which is coded by itself.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    /// Groups of each segment.
    pub lengths: &'a [usize],
    /// Which of the tables codes each group.
    pub tables: &'a [u16],
}

/// A coded segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentCode<'a> {
    /// State of each coder after encoding.
    pub states: [u32; 32],
    /// Little-endian 16-bit words, in the order in which they are read.
    pub words: Cow<'a, [u8]>,
}

impl SegmentCode<'_> {
    /// Length of states and words.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.states) + self.words.len()
    }
}

impl Segments<'_> {
    /// Checks that these are segments of `groups` groups, coded with `tables` tables.
    ///
    /// # Errors
    /// Corrupt: what does not fit comes from a file.
    pub(crate) fn check(&self, tables: usize, groups: usize) -> Result<()> {
        let total = self.lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length));
        if total != Some(groups) || self.tables.len() != groups {
            return Err(Error::corrupt(format!("segments: not of {groups} groups")));
        }
        if self.tables.iter().any(|&table| usize::from(table) >= tables) {
            return Err(Error::corrupt(format!("segments: a group whose table is not among {tables}")));
        }
        Ok(())
    }
}
