//! Batches and frames count up from 0 without gaps, unless damage has hidden a record.

use super::prefix::Prefix;
use crate::error::{Error, Result};

/// What the next record must be.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    number: u64,
    frame: u64,
    /// A record may be missing, so that the next one need only be further on.
    gap: bool,
}

impl Sequence {
    /// Takes the next record, or says how it is out of order; records further on can be taken after
    /// that.
    pub fn admit(&mut self, prefix: &Prefix) -> Result<()> {
        let next = prefix.number == self.number && prefix.first_frame == self.frame;
        let further_on = self.gap && prefix.number >= self.number && prefix.first_frame >= self.frame;
        if !next && !further_on {
            self.gap = true;
            return Err(Error::corrupt(format!(
                "batch record: expected batch {} from frame {}, found batch {} from frame {}",
                self.number, self.frame, prefix.number, prefix.first_frame
            )));
        }
        // `Prefix::parse` has made sure that neither sum overflows.
        *self = Self { number: prefix.number + 1, frame: prefix.first_frame + prefix.frames, gap: false };
        Ok(())
    }

    /// Notes that records may be missing here.
    pub fn lose(&mut self) {
        self.gap = true;
    }
}
