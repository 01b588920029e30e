//! Making a whole file of what is intact in a damaged one.

mod part;
mod ranges;
#[cfg(test)]
mod tests;

use std::io::{Read, Seek, Write};

use self::part::Part;
use crate::container::{FileHeader, Finding, FoundRecord, RecordWriter, Search};
use crate::decompressor::Decompressor;
use crate::error::{BatchLocation, Error, ErrorKind, Result};
use crate::frame::{Origin, OriginKind};
use crate::input;
use crate::selection::Selection;

/// What [`recover`] found and what it missed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// Batches that were written.
    pub batches: u64,
    /// Frames that were written.
    pub frames: u64,
    /// Files that the input consists of: more than one if files were concatenated.
    pub parts: u64,
    /// Frames that are known to be missing.
    pub lost: Vec<LostFrames>,
    /// Batches some frames of which had come before in the same part. They were written all the same.
    pub repeated: Vec<RepeatedBatch>,
    /// Bytes of the input that belong to no intact header, record or index, or to frames that are left out.
    pub unused_bytes: u64,
}

/// Frames that did not come out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostFrames {
    /// Number of the part they were in, from 0.
    pub part: u64,
    /// The first of them, as it was numbered there.
    pub first_frame: u64,
    /// How many, if that is known.
    pub frames: Option<u64>,
    /// What happened to them.
    pub reason: String,
}

/// A batch that came more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepeatedBatch {
    /// Number of the part it is in, from 0.
    pub part: u64,
    /// What the batch says of itself.
    pub batch: BatchLocation,
}

/// Writes a file of all batches that are intact in `input`, wherever they are: in a file that was cut, that has
/// damaged batches or no index, that has other bytes before, between or after its batches, or that is several files,
/// one after another.
///
/// A batch is intact if it decodes to frames of the right checksum, as with `verify`; a damaged one is never passed
/// on. Payloads are copied as they are. Batches come out in the order of the file, numbered anew, the frames without
/// gaps; if some came more than once ([`Recovery::repeated`]), so do they here. The first intact file header says what
/// the frames are; frames of later files that are of another format or kind of origin are left out and listed. A
/// recorded `.npy` header is corrected to the frames that there are.
///
/// ```
/// use std::io::Cursor;
/// use framepress::{Decompressor, Settings, compress, decompress, recover};
///
/// let frames = ndarray::Array3::<u8>::zeros((10, 4, 5));
/// let mut file = compress(frames.view(), &Settings::new())?;
/// file.truncate(file.len() - 5);
/// let mut whole = Vec::new();
/// let recovery = recover(Cursor::new(file), &mut whole, &Decompressor::default())?;
/// assert_eq!((recovery.frames, recovery.lost.len()), (10, 0));
/// assert_eq!(decompress(&whole)?.frames(), 10);
/// # Ok::<(), framepress::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] if no file header is intact: what the frames are is not known
/// then. That of a file of the same format, put in front, will do.
/// [`ErrorKind::Unsupported`] for a file of a later version; [`ErrorKind::Io`].
pub fn recover(input: impl Read + Seek, output: impl Write, decompressor: &Decompressor) -> Result<Recovery> {
    let mut search = Search::new(input, 0, decompressor.limits())?;
    let header = search.first_header().map_err(|error| {
        error.context("no file header is intact, so that the format of the frames is not known (put a file of the same format in front)")
    })?;
    let mut salvage = Salvage::new(&header, decompressor);
    salvage.look_through(&mut search)?;
    let Salvage { intact, recovery, .. } = salvage;

    let origin = origin_of(&header, recovery.frames);
    let mut records = RecordWriter::new(output, &FileHeader { format: header.format.clone(), origin })?;
    let mut first_frame = 0;
    for (number, found) in (0..).zip(&intact) {
        let mut record = search.read_record(found, &header.format)?;
        (record.number, record.first_frame) = (number, first_frame);
        first_frame += record.frames;
        records.write(&record)?;
    }
    records.finish()?;
    Ok(recovery)
}

/// The origin of what was recovered.
fn origin_of(header: &FileHeader, frames: u64) -> Origin {
    match header.origin.kind {
        // A header that does not parse could not be restored anyway; the frames are worth more.
        OriginKind::Npy => input::origin_of_part(&header.origin, &header.format, frames)
            .unwrap_or_else(|_| Origin { metadata: header.origin.metadata.clone(), ..Origin::default() }),
        _ => header.origin.clone(),
    }
}

/// What has been found so far.
struct Salvage<'a> {
    header: &'a FileHeader,
    decompressor: &'a Decompressor,
    part: Part,
    intact: Vec<FoundRecord>,
    recovery: Recovery,
}

impl<'a> Salvage<'a> {
    fn new(header: &'a FileHeader, decompressor: &'a Decompressor) -> Self {
        Self { header, decompressor, part: Part::default(), intact: Vec::new(), recovery: Recovery::default() }
    }

    fn look_through<R: Read + Seek>(&mut self, search: &mut Search<R>) -> Result<()> {
        let mut intact_bytes = 0;
        while let Some(finding) = search.next()? {
            match finding {
                Finding::Header { header, bytes } => {
                    let end = search.position();
                    self.begin(end - bytes, end);
                    self.part.left_out = self.other_kind(&header);
                    self.part.counted = input::recorded_frames(&header.origin);
                    intact_bytes += bytes;
                }
                Finding::Record(found) => {
                    // The records of a file whose header is damaged start again from the first.
                    let again = self.part.ended && found.location().first_frame < self.part.frames_end;
                    if again || self.recovery.parts == 0 {
                        let left_out = self.part.left_out.take();
                        self.begin(found.start(), found.start());
                        self.part.left_out = left_out;
                    }
                    self.part.ended = false;
                    if self.record(search, &found)? {
                        intact_bytes += found.end() - found.start();
                    }
                }
                Finding::Index { frames, bytes } => {
                    self.part.ended = true;
                    self.part.counted = frames.or(self.part.counted);
                    intact_bytes += bytes;
                }
            }
        }
        self.end(search.file_bytes());
        self.recovery.unused_bytes = search.file_bytes() - intact_bytes;
        Ok(())
    }

    /// Ends a part where another one begins, with something that ends at `known_end`.
    fn begin(&mut self, position: u64, known_end: u64) {
        if self.recovery.parts > 0 {
            self.end(position);
        }
        self.part = Part::new(self.recovery.parts, known_end);
        self.recovery.parts += 1;
    }

    fn end(&mut self, position: u64) {
        let part = std::mem::take(&mut self.part);
        self.recovery.lost.extend(part.lost(position));
    }

    /// Takes a record if it is intact.
    fn record<R: Read + Seek>(&mut self, search: &mut Search<R>, found: &FoundRecord) -> Result<bool> {
        let at = found.location();
        let frames = at.first_frame..at.first_frame + at.frames;
        if let Some(reason) = self.part.left_out.clone() {
            search.pass(found)?;
            self.part.lose(frames, found.end(), reason);
            return Ok(false);
        }
        let format = &self.header.format;
        let decoded = search
            .read_record(found, format)
            .and_then(|record| self.decompressor.unpack(format, record, &Selection::all()));
        let total = self.recovery.frames.checked_add(at.frames);
        let total = decoded.and_then(|_| total.ok_or_else(|| Error::limit("more frames than can be counted").at(at)));
        match total {
            Ok(total) => {
                if self.part.take(frames, found.end()) {
                    self.recovery.repeated.push(RepeatedBatch { part: self.part.number, batch: at });
                }
                self.intact.push(*found);
                (self.recovery.batches, self.recovery.frames) = (self.recovery.batches + 1, total);
                Ok(true)
            }
            Err(error) => match error.kind() {
                ErrorKind::Corrupt | ErrorKind::Truncated | ErrorKind::Unsupported | ErrorKind::Limit => {
                    self.part.lose(frames, found.end(), error.to_string());
                    Ok(false)
                }
                _ => Err(error),
            },
        }
    }

    /// Why frames of the file with this header cannot be put together with those of the first one.
    fn other_kind(&self, other: &FileHeader) -> Option<String> {
        let of = |header: &FileHeader| {
            let FileHeader { format, origin } = header;
            format!("{} {:?}, origin {:?}", format.dtype(), format.layout(), origin.kind)
        };
        let (expected, found) = (of(self.header), of(other));
        (expected != found).then(|| format!("left out: they are {found}; the first file is {expected}"))
    }
}
