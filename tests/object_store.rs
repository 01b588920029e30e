//! Files in object stores: what is read is right, and how it is asked for.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use framepress::frame::{Dtype, FrameFormat, Frames, Rectangle};
use framepress::plan::{DeviceChoice, Settings};
use framepress::{Compressor, Decompressor, ErrorKind, Limits, Result, StoreReader};
use futures_core::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetRange, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

/// A store that notes which ranges it is asked for.
#[derive(Debug, Default)]
struct Watched {
    store: InMemory,
    asked: Mutex<Vec<Range<u64>>>,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = object_store::Result<T>> + Send + 'a>>;

impl ObjectStore for Watched {
    fn get_opts<'s, 'p, 'a>(&'s self, path: &'p Path, options: GetOptions) -> Answer<'a, GetResult>
    where
        's: 'a,
        'p: 'a,
        Self: 'a,
    {
        let Some(GetRange::Bounded(range)) = &options.range else { panic!("{options:?}") };
        self.asked.lock().unwrap().push(range.clone());
        self.store.get_opts(path, options)
    }

    fn put_opts<'s, 'p, 'a>(&'s self, path: &'p Path, bytes: PutPayload, options: PutOptions) -> Answer<'a, PutResult>
    where
        's: 'a,
        'p: 'a,
        Self: 'a,
    {
        self.store.put_opts(path, bytes, options)
    }

    fn put_multipart_opts<'s, 'p, 'a>(
        &'s self,
        path: &'p Path,
        options: PutMultipartOptions,
    ) -> Answer<'a, Box<dyn MultipartUpload>>
    where
        's: 'a,
        'p: 'a,
        Self: 'a,
    {
        self.store.put_multipart_opts(path, options)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_delimiter<'s, 'p, 'a>(&'s self, prefix: Option<&'p Path>) -> Answer<'a, ListResult>
    where
        's: 'a,
        'p: 'a,
        Self: 'a,
    {
        self.store.list_with_delimiter(prefix)
    }

    fn copy_opts<'s, 'f, 't, 'a>(&'s self, from: &'f Path, to: &'t Path, options: CopyOptions) -> Answer<'a, ()>
    where
        's: 'a,
        'f: 'a,
        't: 'a,
        Self: 'a,
    {
        self.store.copy_opts(from, to, options)
    }
}

impl Watched {
    /// What was asked for since the last time.
    fn asked(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

const FRAMES: usize = 60;

/// Noise, which takes as many bytes packed as raw: some 4,000 for each frame.
fn frames() -> Frames {
    let format = FrameFormat::from_shape(Dtype::U8, &[50, 80]).unwrap();
    let mut noise = 1u32;
    let byte = |_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    Frames::new(format, FRAMES, (0..FRAMES * 4000).map(byte).collect()).unwrap()
}

/// Batches of two frames.
fn file(frames: &Frames) -> Vec<u8> {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(std::num::NonZeroUsize::new(2));
    Compressor::new(settings).unwrap().compress_frames(frames).unwrap()
}

fn run<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

async fn stored(file: Vec<u8>) -> (Arc<Watched>, Path) {
    let (store, path) = (Arc::new(Watched::default()), Path::from("clips/a.fpk"));
    store.put(&path, file.into()).await.unwrap();
    (store, path)
}

async fn open(store: Arc<dyn ObjectStore>, path: Path) -> Result<StoreReader> {
    StoreReader::open(store, path, Arc::new(Decompressor::default())).await
}

#[test]
fn neighbours_are_one_request() {
    let raw = frames();
    let file = file(&raw);
    let bytes = file.len() as u64;
    run(async {
        let (store, path) = stored(file).await;
        let reader = open(store.clone(), path).await.unwrap();
        assert_eq!(store.asked(), [0..1 << 16, bytes - (1 << 16)..bytes]);
        assert_eq!((reader.frames(), reader.format()), (FRAMES as u64, raw.format()));

        assert!(reader.read_frames(3..41).await.unwrap() == raw.part(3..41).unwrap());
        let asked = store.asked();
        assert_eq!(asked.len(), 1);
        assert!((40 * 4000..42 * 4000).contains(&(asked[0].end - asked[0].start)), "{asked:?}: batches 1 to 20");
        assert_eq!(reader.read_frames(7..7).await.unwrap().frames(), 0);
        assert_eq!(store.asked(), []);

        // Batches 1, 2 (for both), 3 and, 10 batches on, 13.
        let ranges = vec![3..5, 26..27, 5..7];
        let expected: Vec<_> = [3..5, 26..27, 5..7].map(|range| raw.part(range).unwrap()).into();
        assert!(reader.read_ranges(ranges.clone()).await.unwrap() == expected);
        assert_eq!(store.asked().len(), 1, "they lie within the usual gap");
        let reader = reader.with_gap(9 * 8000);
        assert!(reader.read_ranges(ranges.clone()).await.unwrap() == expected);
        assert_eq!(store.asked().len(), 2);
        assert!(reader.with_gap(10 * 8000).read_ranges(ranges).await.unwrap() == expected);
        assert_eq!(store.asked().len(), 1);
    });
}

#[test]
fn regions_and_many_tasks() {
    let raw = frames();
    let file = file(&raw);
    run(async {
        let (store, path) = stored(file).await;
        let rectangle: Rectangle = "9x3+70+40".parse().unwrap();
        let reader = open(store, path).await.unwrap();
        let cut = reader.clone().with_region(rectangle).unwrap();
        assert_eq!(cut.format(), &raw.format().cropped(&rectangle).unwrap());
        let tasks: Vec<_> = (0..FRAMES as u64)
            .map(|frame| {
                let (whole, cut) = (reader.clone(), cut.clone());
                tokio::spawn(async move {
                    (
                        whole.read_frames(frame..frame + 1).await.unwrap(),
                        cut.read_frames(frame..frame + 1).await.unwrap(),
                    )
                })
            })
            .collect();
        for (frame, task) in tasks.into_iter().enumerate() {
            let (whole, cut) = task.await.unwrap();
            assert!(whole == raw.part(frame..frame + 1).unwrap());
            let rows = (40..43).flat_map(|y| &whole.as_bytes()[80 * y + 70..][..9]);
            assert!(rows.eq(cut.as_bytes()), "{frame}");
        }
    });
}

/// One whose index does not fit what is asked for at first.
#[test]
fn long_indices_and_small_files() {
    let format = FrameFormat::from_shape(Dtype::U8, &[2, 3]).unwrap();
    for count in [0usize, 1, 2, 2000, 9000, 70_000] {
        let raw = Frames::new(format.clone(), count, (0..6 * count).map(|at| (at / 6 % 251) as u8).collect()).unwrap();
        let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(std::num::NonZeroUsize::new(1));
        let file = Compressor::new(settings.with_level(1).unwrap()).unwrap().compress_frames(&raw).unwrap();
        run(async {
            let (store, path) = stored(file).await;
            let reader = open(store.clone(), path).await.unwrap();
            let requests = store.asked().len();
            let expected = match count {
                0..=2 => 1,
                2000 => 2,
                9000 => 3,
                _ => 4,
            };
            assert_eq!((reader.frames(), requests), (count as u64, expected));
            let last = count.saturating_sub(2)..count;
            let found = reader.read_frames(last.start as u64..last.end as u64).await.unwrap();
            assert!(found == raw.part(last).unwrap());
        });
    }
}

#[test]
fn without_a_runtime() {
    // `InMemory` needs none, and is always ready.
    let raw = frames();
    let file = file(&raw);
    let mut work = Box::pin(async {
        let (store, path) = stored(file).await;
        open(store, path).await?.read_frames(5..8).await
    });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(found) = work.as_mut().poll(&mut context) else { panic!("it waits for something") };
    assert!(found.unwrap() == raw.part(5..8).unwrap());
}

#[test]
fn files_of_a_folder() {
    let raw = frames();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fpk"), file(&raw)).unwrap();
    let store = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    run(async {
        let reader = open(store.clone(), Path::from("a.fpk")).await.unwrap();
        assert!(reader.read_frames(0..FRAMES as u64).await.unwrap() == raw);
        let error = open(store, Path::from("b.fpk")).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
    });
}

#[test]
fn what_cannot_be_read_is_refused() {
    let raw = frames();
    let file = file(&raw);
    let kind = |file: Vec<u8>, range: Range<u64>| {
        run(async {
            let (store, path) = stored(file).await;
            let frames = open(store, path).await?.read_frames(range).await?;
            assert!(frames == raw.part(0..2).unwrap());
            Ok::<_, framepress::Error>(())
        })
        .map_err(|error| error.kind())
    };
    assert_eq!(kind(file.clone(), 0..2), Ok(()));
    assert_eq!(kind(file.clone(), 5..FRAMES as u64 + 1), Err(ErrorKind::InvalidInput));
    for length in [0, 3, 20, file.len() / 2, file.len() - 1] {
        let expected = if length == 0 { ErrorKind::Io } else { ErrorKind::Truncated };
        let found = kind(file[..length].to_vec(), 0..2).unwrap_err();
        assert!(found == expected || found == ErrorKind::Corrupt, "{length}: {found:?}");
    }
    // In the header, records, the index and the footer.
    for at in (0..file.len()).step_by(97).chain(file.len() - 800..file.len()) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        if let Err(found) = kind(damaged, 0..2) {
            assert!(
                matches!(found, ErrorKind::Corrupt | ErrorKind::Truncated | ErrorKind::Unsupported),
                "{at}: {found:?}"
            );
        }
    }
    let limits = Limits { max_batch_bytes: 7000, max_header_bytes: 900, ..Limits::default() };
    let decompressor = Decompressor::new(&DeviceChoice::Cpu, None, limits).unwrap();
    let error = run(async {
        let (store, path) = stored(file.clone()).await;
        let reader = StoreReader::open(store.clone(), path, Arc::new(decompressor)).await.unwrap();
        store.asked();
        let error = reader.read_frames(0..2).await.unwrap_err();
        assert_eq!(store.asked(), [], "nothing is fetched that is too long");
        error
    });
    assert_eq!((error.kind(), error.location().map(|at| at.batch)), (ErrorKind::Limit, Some(0)));
}

/// Frames of one version and of another must not be mixed.
#[test]
fn a_file_that_is_replaced() {
    let raw = frames();
    let file = file(&raw);
    run(async {
        let (store, path) = stored(file.clone()).await;
        let reader = open(store.clone(), path.clone()).await.unwrap();
        store.put(&path, file.into()).await.unwrap();
        assert_eq!(reader.read_frames(0..2).await.unwrap_err().kind(), ErrorKind::Io);
    });
}
