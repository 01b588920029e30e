//! From frames that may have moved to the commands that search for vectors.
//!
//! Pairs of frames are searched one after another, because each goes on from what the one before has shown: of the earlier frame
//! are made pictures, then blocks find vectors by themselves, and then they settle.

use super::params;
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::error::Result;
use crate::motion::{BEYOND, BLOCK_UNITS, Field, Filter, SearchEffort, UNIT, Vector, filter_words};

/// Samples around a frame that its pictures have: vectors lead [`BEYOND`] outside, the halves on both sides of that are needed
/// too, and rows are whole words.
const MARGIN: usize = BEYOND + 4;
/// Bytes of a vector.
const VECTOR_BYTES: usize = 4;

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs<'a> {
    pub width: usize,
    pub height: usize,
    pub filter: Filter,
    pub effort: SearchEffort,
    /// How the first frame has moved, if that is known.
    pub last: Option<&'a Field>,
    /// Of each pair of frames, whether both are equal, so that nothing moves.
    pub are_equal: &'a [bool],
}

/// How pictures of a frame are laid out.
struct Pictures {
    count: usize,
    stride: usize,
    rows: usize,
}

impl Pictures {
    fn samples(&self) -> usize {
        self.stride * self.rows
    }
}

/// First planes in, packed vectors out: those of each pair.
pub(super) fn search(pairs: &Pairs<'_>) -> Result<Recording> {
    let still = Field::still(pairs.width, pairs.height);
    let field_bytes = VECTOR_BYTES * still.vectors.len();
    let fields = 1 + pairs.are_equal.len();
    let pictures = Pictures {
        count: 1 + pairs.filter.pictures(),
        stride: (pairs.width + 2 * MARGIN).next_multiple_of(4),
        rows: pairs.height + 2 * MARGIN,
    };
    let mut recording = Recording::default();
    let frames = recording.buffer((pairs.width * pairs.height).saturating_mul(fields))?;
    let made = recording.buffer(pictures.samples().saturating_mul(pictures.count))?;
    let filters = recording.table(&filter_words())?;
    // What is known of the first frame, the fields of all others, and what blocks of one find.
    let vectors = recording.buffer((field_bytes * fields).saturating_add(field_bytes / BLOCK_UNITS.pow(2)))?;
    let known: Vec<u32> = pairs.last.unwrap_or(&still).vectors.iter().map(|vector| vector.packed()).collect();
    recording.fill(vectors, 0, bytemuck::cast_slice(&known));

    recording.upload(frames);
    for (pair, &are_equal) in pairs.are_equal.iter().enumerate() {
        if are_equal {
            recording.clear_part(vectors, (pair + 1) * field_bytes..(pair + 2) * field_bytes);
        } else {
            pair_of_frames(&mut recording, pairs, pair, &pictures, [frames, made, filters, vectors]);
        }
    }
    recording.download_to(0, vectors, field_bytes..field_bytes * fields);
    Ok(recording)
}

/// Searches one pair. Numbers that do not fit 32 bits belong to frames whose buffers are refused.
fn pair_of_frames(
    recording: &mut Recording,
    pairs: &Pairs<'_>,
    pair: usize,
    pictures: &Pictures,
    [frames, made, filters, vectors]: [Slot; 4],
) {
    let &Pairs { width, height, filter, effort, last, .. } = pairs;
    let [across, down] = [width, height].map(|samples| samples.div_ceil(UNIT * BLOCK_UNITS));
    let blocks = across * down;
    let (frame_samples, made_samples) = (width * height, pictures.samples() * pictures.count);
    let earlier = params::Picture {
        first: (pair * frame_samples) as u32,
        width: width as u32,
        height: height as u32,
        margin: MARGIN as u32,
        stride: pictures.stride as u32,
        rows: pictures.rows as u32,
        pictures: pictures.count as u32,
        filter_number: filter as u32,
    };
    recording.dispatch(
        Kernel::PictureForward,
        OVERRIDES,
        earlier,
        &[frames, made, filters],
        Work::Invocations(made_samples / 4),
    );
    recording.moves_only(frame_samples + made_samples);

    let units = blocks * BLOCK_UNITS.pow(2);
    let follows = effort == SearchEffort::Light && (pair > 0 || last.is_some());
    let search = params::Search {
        first: ((pair + 1) * frame_samples) as u32,
        width: width as u32,
        height: height as u32,
        across: across as u32,
        down: down as u32,
        pictures: pictures.count as u32,
        stride: pictures.stride as u32,
        picture_samples: pictures.samples() as u32,
        margin: MARGIN as u32,
        beyond: BEYOND as i32,
        phases: filter.phases() as u32,
        steps: filter.steps().len() as u32,
        follows: follows.into(),
        last: (pair * units) as u32,
        found: ((pairs.are_equal.len() + 1) * units) as u32,
        field: ((pair + 1) * units) as u32,
    };
    for kernel in [Kernel::SearchForward, Kernel::SettleForward] {
        recording.dispatch(kernel, OVERRIDES, search, &[frames, vectors, made], Work::Workgroups(blocks));
        recording.moves_only(frame_samples + made_samples + VECTOR_BYTES * (units + blocks));
    }
}

/// The fields of what a recording downloads.
pub(super) fn fields(pairs: &Pairs<'_>, downloaded: &[u8]) -> Vec<Field> {
    let still = Field::still(pairs.width, pairs.height);
    let of_pair = |(vectors, &are_equal): (&[[u8; VECTOR_BYTES]], &bool)| Field {
        filter: if are_equal { Filter::Whole } else { pairs.filter },
        across: still.across,
        vectors: vectors.iter().map(|&vector| Vector::unpacked(u32::from_le_bytes(vector))).collect(),
    };
    downloaded.as_chunks().0.chunks_exact(still.vectors.len()).zip(pairs.are_equal).map(of_pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::recording::{Command, Dispatch};

    fn pairs(are_equal: &[bool], effort: SearchEffort) -> Pairs<'_> {
        Pairs { width: 61, height: 35, filter: Filter::Quarter, effort, last: None, are_equal }
    }

    fn params(dispatch: &Dispatch) -> params::Search {
        bytemuck::pod_read_unaligned(&dispatch.params)
    }

    /// Each pair goes on from the field before it, and what does not move is not looked at.
    #[test]
    fn pairs_are_searched_one_after_another() {
        let are_equal = [false, true, false];
        let recording = search(&pairs(&are_equal, SearchEffort::Light)).unwrap();
        let kernels: Vec<_> = recording.dispatches().map(|it| it.kernel).collect();
        let of_pair = [Kernel::PictureForward, Kernel::SearchForward, Kernel::SettleForward];
        assert_eq!(kernels, [of_pair, of_pair].concat());
        let units = 4 * 4 * 3;
        for (at, pair) in [0, 2].into_iter().enumerate() {
            let dispatches: Vec<_> = recording.dispatches().skip(3 * at + 1).take(2).map(params).collect();
            assert_eq!(dispatches[0], dispatches[1]);
            let params::Search { first, last, found, field, follows, .. } = dispatches[0];
            assert_eq!(
                [first, last, field, found],
                [(pair + 1) * 61 * 35, pair * units, (pair + 1) * units, 4 * units]
            );
            assert_eq!(follows, u32::from(pair > 0), "the first pair has nothing to follow");
        }
        let cleared = recording.commands.iter().find_map(|command| match command {
            Command::Clear { offset, bytes, .. } => Some((*offset, *bytes)),
            _ => None,
        });
        assert_eq!(cleared, Some((4 * u64::from(2 * units), 4 * u64::from(units))));
        assert_eq!(recording.download_bytes(), 4 * 3 * u64::from(units));
    }

    #[test]
    fn a_full_search_follows_nothing() {
        let last = Field::still(61, 35);
        for (effort, follows) in [(SearchEffort::Light, 1), (SearchEffort::Full, 0)] {
            let recording = search(&Pairs { last: Some(&last), ..pairs(&[false], effort) }).unwrap();
            assert!(recording.dispatches().skip(1).all(|dispatch| params(dispatch).follows == follows), "{effort:?}");
        }
    }

    #[test]
    fn vectors_are_told_apart() {
        let still = Field::still(61, 35);
        let vectors: Vec<Vector> = (0..48).map(|at| Vector { x: at - 20, y: 7 - 300 * at }).collect();
        let mut bytes = vec![0; 4 * 48];
        bytes.extend(vectors.iter().flat_map(|vector| vector.packed().to_le_bytes()));
        let found = fields(&pairs(&[true, false], SearchEffort::Full), &bytes);
        assert_eq!(found, [still.clone(), Field { filter: Filter::Quarter, vectors, ..still }]);
    }

    #[test]
    fn frames_beyond_any_device_are_an_error() {
        let huge = Pairs { width: 1 << 15, height: 1 << 15, ..pairs(&[false], SearchEffort::Full) };
        assert_eq!(search(&huge).unwrap_err().kind(), crate::ErrorKind::Gpu);
    }
}
