//! Files in a store that is read by ranges of bytes: those of clouds, or any web server.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, OBJECT_STORE_COALESCE_DEFAULT, ObjectStore, coalesce_ranges};

use crate::container::{BatchTable, IndexedReader};
use crate::decompressor::Decompressor;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{FrameFormat, Frames, Origin, Rectangle};
use crate::read_at::{Positioned, ReadAt};
use crate::reader::SeekReader;
use crate::selection::Selection;

/// Bytes that are asked for at the start and at the end of a file, before it is known how long header and index are: room
/// for the index of 2,700 batches.
const EDGE_BYTES: u64 = 1 << 16;

/// Reads frames of a `.fpk` file in an [`ObjectStore`] by their number, from any number of tasks at once.
///
/// Opening takes a request for the start of the file and one for its end, where the index is, and more for an index
/// that is longer than 64 KiB. Frames take a request for each run of batches that lie within 1 MiB of each other
/// ([`with_gap`](Self::with_gap)). If the store tells versions of an object apart, all requests are for the one that was
/// opened: they fail if it is replaced.
///
/// The file needs its index, which one that was cut or is still being written has not. Errors of the store are of
/// [`ErrorKind::Io`](crate::ErrorKind::Io).
///
/// Batches are decompressed where they keep no task waiting: on a thread that tokio has for what blocks, and on the
/// pool. On another runtime that is done in place.
///
/// ```
/// use std::sync::Arc;
///
/// use framepress::{Decompressor, Settings, StoreReader, compress};
/// use object_store::memory::InMemory;
/// use object_store::{ObjectStoreExt, path::Path};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let frames = ndarray::Array3::from_shape_fn((10, 4, 5), |(f, _, _)| f as u8);
/// # let file = compress(frames.view(), &Settings::new())?;
/// # let store = Arc::new(InMemory::new());
/// # let path = Path::from("clips/a.fpk");
/// # store.put(&path, file.into()).await?;
/// // With the features of `object_store` for them, `store` is a bucket or an HTTP server.
/// let reader = StoreReader::open(store, path, Arc::new(Decompressor::default())).await?;
/// let two = reader.read_frames(6..8).await?;
/// assert_eq!(two.as_bytes()[..3], [6, 6, 6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StoreReader {
    object: Arc<Object>,
    table: Arc<BatchTable>,
    decompressor: Arc<Decompressor>,
    selection: Selection,
    gap: u64,
}

impl StoreReader {
    /// Reads the header and the index.
    ///
    /// # Errors
    /// As [`Reader::new`](crate::Reader::new); [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) or
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) without an intact index.
    pub async fn open(store: Arc<dyn ObjectStore>, path: Path, decompressor: Arc<Decompressor>) -> Result<Self> {
        let (object, start) = Object::open(store, path).await?;
        let mut fetched = Fetched { pieces: vec![start], length: object.length };
        let tail = object.length.saturating_sub(EDGE_BYTES).max(EDGE_BYTES);
        if tail < object.length {
            fetched.add(object.fetch(tail..object.length).await?);
        }
        let mut bytes = 16 * EDGE_BYTES;
        let table = loop {
            let result = BatchTable::read_indexed(&mut Positioned::new(&fetched), &decompressor.limits());
            let Some(missing) = result.as_ref().err().and_then(missing) else { break result? };
            // Longer than was thought: the next request is for much more.
            let range = missing.start..missing.end.min(missing.start.saturating_add(bytes));
            fetched.add(object.fetch(range).await?);
            bytes = bytes.saturating_mul(16);
        };
        Ok(Self {
            object: Arc::new(object),
            table: Arc::new(table),
            decompressor,
            selection: Selection::all(),
            gap: OBJECT_STORE_COALESCE_DEFAULT,
        })
    }

    /// Gives `rectangle` of every frame instead of all of it, as [`SeekReader::with_region`] does. The batches are fetched
    /// whole.
    ///
    /// # Errors
    /// As [`FrameFormat::cropped`].
    pub fn with_region(mut self, rectangle: Rectangle) -> Result<Self> {
        self.selection = self.selection.with_region(&self.table.header().format, rectangle)?;
        Ok(self)
    }

    /// Fetches what lies between two batches along with them if it is no more than this, instead of asking twice.
    #[must_use]
    pub fn with_gap(self, bytes: u64) -> Self {
        Self { gap: bytes, ..self }
    }

    /// Format of the frames that are given.
    pub fn format(&self) -> &FrameFormat {
        self.selection.format(&self.table.header().format)
    }

    /// Where the frames came from.
    pub fn origin(&self) -> &Origin {
        &self.table.header().origin
    }

    /// Frames in the file.
    pub fn frames(&self) -> u64 {
        self.table.total_frames()
    }

    /// The frames of `range`.
    ///
    /// # Errors
    /// As [`SeekReader::read_frames`].
    pub async fn read_frames(&self, range: Range<u64>) -> Result<Frames> {
        let mut frames = self.read_ranges(vec![range]).await?;
        frames.pop().ok_or_else(|| Error::invalid("frames: expected a range"))
    }

    /// The frames of each of `ranges`, which are fetched together. A batch that several of them need is fetched once.
    ///
    /// # Errors
    /// As [`SeekReader::read_frames`].
    pub async fn read_ranges(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Frames>> {
        let mut records = Vec::new();
        let limits = self.decompressor.limits();
        for range in &ranges {
            for at in self.table.batches_of_frames(range)? {
                let record = self.table.record_range(at);
                let most = limits.max_batch_bytes.saturating_add(limits.max_header_bytes);
                if record.end - record.start > most {
                    let bytes = record.end - record.start;
                    let error = Error::limit(format!("batch record: {bytes} bytes are more than the limit of {most}"));
                    return Err(error.at(self.table.batches()[at].location()));
                }
                records.push(record);
            }
        }
        records.sort_unstable_by_key(|record| record.start);
        records.dedup();
        let object = &self.object;
        let fetch = |range| async move { object.fetch(range).await.map(|(_, bytes)| bytes) };
        let bytes = coalesce_ranges(&records, fetch, self.gap).await?;
        let pieces = records.iter().map(|record| record.start).zip(bytes).collect();
        let fetched = Fetched { pieces, length: self.object.length };

        let (table, decompressor) = (Arc::clone(&self.table), Arc::clone(&self.decompressor));
        let selection = self.selection.clone();
        aside(move || {
            let records = IndexedReader::of_table(Positioned::new(&fetched), decompressor.limits(), table);
            let mut reader = SeekReader::over(records, &decompressor, selection);
            let read = |range| {
                reader.read_frames(range).map_err(|error| match missing(&error) {
                    Some(_) => Error::corrupt("batch record: longer than the index says"),
                    None => error,
                })
            };
            ranges.into_iter().map(read).collect()
        })
        .await
    }
}

/// Does what takes long on a thread for that.
async fn aside<R: Send + 'static>(work: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::new(ErrorKind::Interrupted, error.to_string())),
        },
    }
}

/// One version of an object.
struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    version: Option<String>,
    length: u64,
}

/// Bytes of an object, and where they lie in it.
type Piece = (u64, Bytes);

impl Object {
    /// With its first bytes.
    async fn open(store: Arc<dyn ObjectStore>, path: Path) -> Result<(Self, Piece)> {
        let options = GetOptions::new().with_range(Some(0..EDGE_BYTES));
        let result = store.get_opts(&path, options).await.map_err(failed)?;
        let (version, length) = (result.meta.e_tag.clone(), result.meta.size);
        let start = bytes_of(result).await?;
        Ok((Self { store, path, version, length }, start))
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Piece> {
        let expected = range.clone();
        let options = GetOptions::new().with_range(Some(range)).with_if_match(self.version.clone());
        let piece = bytes_of(self.store.get_opts(&self.path, options).await.map_err(failed)?).await?;
        if piece.0 != expected.start || piece.1.len() as u64 != expected.end - expected.start {
            return Err(Error::from(io::Error::other(format!(
                "the store gave {} bytes from {}, {expected:?} were asked for",
                piece.1.len(),
                piece.0
            ))));
        }
        Ok(piece)
    }
}

async fn bytes_of(result: GetResult) -> Result<Piece> {
    let start = result.range.start;
    Ok((start, result.bytes().await.map_err(failed)?))
}

fn failed(error: object_store::Error) -> Error {
    Error::from(io::Error::from(error))
}

/// What is here of an object.
struct Fetched {
    /// In order.
    pieces: Vec<Piece>,
    length: u64,
}

/// These bytes were to be read and are not here.
#[derive(Debug, thiserror::Error)]
#[error("bytes {0:?} of the object have not been fetched")]
struct Missing(Range<u64>);

impl Fetched {
    fn add(&mut self, piece: Piece) {
        let at = self.pieces.partition_point(|(start, _)| *start < piece.0);
        self.pieces.insert(at, piece);
    }
}

/// What kept a reader from going on, if it was that something is not here.
fn missing(error: &Error) -> Option<Range<u64>> {
    let error = std::error::Error::source(error)?.downcast_ref::<io::Error>()?;
    let Missing(range) = error.get_ref()?.downcast_ref()?;
    Some(range.clone())
}

impl ReadAt for Fetched {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length {
            return Ok(0);
        }
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        let (start, bytes) =
            after.checked_sub(1).map_or((0, &[][..]), |at| (self.pieces[at].0, &self.pieces[at].1[..]));
        match bytes.read_at(buffer, offset - start) {
            Ok(0) if !buffer.is_empty() => {
                let end = self.pieces.get(after).map_or(self.length, |(start, _)| *start);
                Err(io::Error::other(Missing(offset..end)))
            }
            read => read,
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }
}
