//! Frames whose rows lie at some distance of one another, as copies of textures leave them.

/// Rows of one length that follow one another: a whole frame, or one plane of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First byte within a frame without gaps.
    pub start: usize,
    /// Bytes of a row.
    pub row_bytes: usize,
    /// Rows.
    pub rows: usize,
}

/// Where the rows of a stretch lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pitch {
    /// First byte of the first row of the first frame.
    pub offset: usize,
    /// From one row to the next.
    pub row: usize,
    /// From one frame to the next.
    pub frame: usize,
}

/// Frames with gaps between rows, planes or frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PitchedFrames {
    /// How many.
    pub frames: usize,
    /// Bytes of one without gaps, at least one.
    pub frame_bytes: usize,
    /// Their stretches.
    pub stretches: Vec<(Stretch, Pitch)>,
}

impl PitchedFrames {
    /// Bytes of the frames without gaps.
    pub fn dense_bytes(&self) -> usize {
        self.frames * self.frame_bytes
    }

    /// The same with so many more bytes before them.
    #[cfg(feature = "gpu")]
    pub fn after(mut self, bytes: usize) -> Self {
        self.stretches.iter_mut().for_each(|(_, pitch)| pitch.offset += bytes);
        self
    }

    /// Bytes from the beginning to the end of the last row.
    pub fn pitched_bytes(&self) -> usize {
        let end = |(stretch, pitch): &(Stretch, Pitch)| {
            pitch.offset + (self.frames - 1) * pitch.frame + (stretch.rows - 1) * pitch.row + stretch.row_bytes
        };
        if self.frames == 0 { 0 } else { self.stretches.iter().map(end).max().unwrap_or(0) }
    }

    /// Whether there are no gaps.
    pub fn is_dense(&self) -> bool {
        self.stretches.iter().all(|(stretch, pitch)| {
            let rows = stretch.rows == 1 || pitch.row == stretch.row_bytes;
            rows && pitch.offset == stretch.start && (self.frames == 1 || pitch.frame == self.frame_bytes)
        })
    }
}
