//! A decoder written from `docs/FORMAT.md` alone, to check the real one against. It shares no code
//! with it, favours the words of the text over speed, and checks nothing it does not need: it
//! panics on files that are not valid.

mod ans;
mod discrete;
mod model;
mod motion;
mod pack;
mod patched;
mod recovered;
pub mod taps;
mod tiles;

use std::collections::VecDeque;

/// The raw frames of a `.fpk` file.
pub fn decode(file: &[u8]) -> Vec<u8> {
    let mut at = 0;
    let header = Header::read(file, &mut at);
    let mut raw = Vec::new();
    while &file[at..at + 4] == b"FPKB" {
        raw.extend(decode_record(&header, file, &mut at));
    }
    assert_eq!(&file[at..at + 4], b"FPKI");
    raw
}

/// The number of `bytes` bytes at `at`.
fn number(file: &[u8], at: &mut usize, bytes: usize) -> u64 {
    let value = (0..bytes).map(|byte| u64::from(file[*at + byte]) << (8 * byte)).sum();
    *at += bytes;
    value
}

/// Section 2.1.
struct Header {
    dtype: u64,
    layout: u64,
    first_id: u64,
    second_id: u64,
    axes: Vec<usize>,
}

impl Header {
    fn read(file: &[u8], at: &mut usize) -> Self {
        assert_eq!(file[..8], [0x89, 0x46, 0x50, 0x4B, 0x0D, 0x0A, 0x1A, 0x0A]);
        *at = 8;
        assert_eq!(number(file, at, 2), 1, "version");
        assert_eq!(number(file, at, 2), 0, "flags");
        let length = number(file, at, 4) as usize;
        let dtype = number(file, at, 1);
        let _bit_depth = number(file, at, 1);
        let layout = number(file, at, 1);
        let first_id = number(file, at, 1);
        let second_id = number(file, at, 1);
        let axes = number(file, at, 1);
        let axes = (0..axes).map(|_| number(file, at, 8) as usize).collect();
        *at = length;
        Self { dtype, layout, first_id, second_id, axes }
    }

    fn sample_bytes(&self) -> usize {
        [1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8][self.dtype as usize]
    }

    fn signed(&self) -> bool {
        [2, 4, 6, 8].contains(&self.dtype)
    }

    /// Section 3: the number of pictures, and the planes.
    fn planes(&self, frames: usize) -> (usize, Vec<Plane>) {
        let plane = |width, height, offset, step| Plane { width, height, offset, step };
        let interleaved = |width, height, offset, channels| -> Vec<Plane> {
            (0..channels).map(|k| plane(width, height, offset + k, channels)).collect()
        };
        match (self.layout, self.axes.as_slice()) {
            (0, []) => (1, vec![plane(frames, 1, 0, 1)]),
            (0, [width]) => (1, vec![plane(*width, frames, 0, 1)]),
            (0, [first, middle @ .., width, channels @ 2..=4]) => {
                (frames, interleaved(*width, middle.iter().fold(*first, |product, axis| product * axis), 0, *channels))
            }
            (0, [others @ .., width]) => (frames, vec![plane(*width, others.iter().product(), 0, 1)]),
            (1, &[width, height]) => (frames, vec![plane(width, height, 0, 1)]),
            (2, &[width, height]) => {
                let channels = if self.first_id < 2 { 3 } else { 4 };
                (frames, interleaved(width, height, 0, channels))
            }
            (3, &[width, height]) => {
                let half = |size: usize| size / 2 + size % 2;
                let (cw, ch) = match self.first_id {
                    0 => (half(width), half(height)),
                    1 => (half(width), height),
                    _ => (width, height),
                };
                let luma = plane(width, height, 0, 1);
                let chroma = match self.second_id {
                    0 => vec![plane(cw, ch, width * height, 1), plane(cw, ch, width * height + cw * ch, 1)],
                    _ => interleaved(cw, ch, width * height, 2),
                };
                (frames, [vec![luma], chroma].concat())
            }
            other => panic!("layout {other:?}"),
        }
    }
}

#[derive(Clone)]
struct Plane {
    width: usize,
    height: usize,
    offset: usize,
    step: usize,
}

struct PlanePlan {
    intra: u64,
    temporal: bool,
    inter: u64,
    shuffle: u64,
}

/// Section 2.2.
fn decode_record(header: &Header, file: &[u8], at: &mut usize) -> Vec<u8> {
    let start = *at;
    *at += 4;
    let details_length = number(file, at, 4) as usize;
    let payload_length = number(file, at, 8) as usize;
    let _batch = number(file, at, 8);
    let _first_frame = number(file, at, 8);
    let frames = number(file, at, 8) as usize;
    let raw_bytes = number(file, at, 8) as usize;
    *at = start + 72 + details_length + payload_length;

    let (pictures, planes) = header.planes(frames);
    let mut details = start + 72;
    let colour = header.layout == 2 && (1..=8).contains(&header.dtype);
    let record = Record { header, colour, pictures, planes, raw_bytes };
    let mut payload = &file[start + 72 + details_length..*at];
    let raw = record.decode(file, &mut details, &mut payload);
    assert!(payload.is_empty(), "every byte of the payload belongs to a block");
    raw
}

/// A record, as far as all methods need it.
struct Record<'a> {
    header: &'a Header,
    /// Section 3: whether the batch has colour.
    colour: bool,
    pictures: usize,
    planes: Vec<Plane>,
    raw_bytes: usize,
}

/// Takes the next block: its codec and its bytes.
fn next_block<'a>(file: &[u8], table: &mut usize, payload: &mut &'a [u8]) -> (u64, &'a [u8]) {
    let codec = number(file, table, 1);
    let length = number(file, table, 4) as usize;
    let (block, rest) = payload.split_at(length);
    *payload = rest;
    (codec, block)
}

impl Record<'_> {
    /// The raw frames. `at` is where the method and its plan are, and then at the block table.
    fn decode(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        match number(file, at, 1) {
            0 => self.planes(file, at, payload),
            1 => self.tiles(file, at, payload),
            2 => self.discrete(file, at, payload),
            3 => self.strips(file, at, payload),
            4 => self.recovered(file, at, payload),
            5 => self.patched(file, at, payload),
            6 => self.moving_strips(file, at, payload),
            7 => self.moving_tiles(file, at, payload),
            other => panic!("method {other}"),
        }
    }

    /// Method planes: sections 4 and 5.
    fn planes(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let colour = number(file, at, 1);
        let planes = number(file, at, 1);
        let span = number(file, at, 4) as usize;
        let values = read_values(file, at);
        let plans: Vec<PlanePlan> = (0..planes)
            .map(|_| PlanePlan {
                intra: number(file, at, 1),
                temporal: number(file, at, 1) == 1,
                inter: number(file, at, 1),
                shuffle: number(file, at, 1),
            })
            .collect();
        if self.raw_bytes == 0 {
            return Vec::new();
        }

        let s = self.header.sample_bytes();
        assert_eq!(self.planes.len(), plans.len());
        let mut restored: Vec<Vec<u64>> = Vec::new();
        for (index, (plane, plan)) in self.planes.iter().zip(&plans).enumerate() {
            let mut left = self.pictures * plane.width * plane.height;
            let mut residuals = Vec::new();
            while left > 0 {
                let m = left.min(span);
                let packed: Vec<_> = (0..s).map(|_| next_block(file, at, payload)).collect();
                let mut blocks: Vec<Vec<u8>> = Vec::new();
                for (codec, packed) in packed.into_iter().rev() {
                    blocks.insert(0, decode_block(codec, packed, m, plane, &blocks));
                }
                residuals.extend(unshuffle(plan.shuffle, &blocks.concat(), m, s));
                left -= m;
            }
            let colour_difference = colour != 0 && (index == 0 || index == 2);
            restored.push(restore_plane(self.header, plan, plane, self.pictures, colour_difference, residuals));
        }
        self.put(colour, &values, restored)
    }

    /// Sections 5.5 and 5.6: the raw frames of planes, which have their pictures one after another.
    fn put(&self, colour: u64, values: &[u64], mut restored: Vec<Vec<u64>>) -> Vec<u8> {
        let s = self.header.sample_bytes();
        if colour == 1 {
            for plane in [0, 2] {
                for i in 0..restored[1].len() {
                    restored[plane][i] = restored[plane][i].wrapping_add(restored[1][i]) & mask(s);
                }
            }
        }
        let mut raw = vec![0; self.raw_bytes];
        let frame_samples = self.raw_bytes / s / self.pictures;
        for (plane, samples) in self.planes.iter().zip(&restored) {
            let per_picture = plane.width * plane.height;
            for (position, sample) in samples.iter().enumerate() {
                let (picture, i) = (position / per_picture, position % per_picture);
                let to = picture * frame_samples + plane.offset + i * plane.step;
                let sample = match values {
                    [] => *sample,
                    values if self.header.signed() => values[*sample as usize] ^ 1 << (8 * s - 1),
                    values => values[*sample as usize],
                };
                raw[to * s..(to + 1) * s].copy_from_slice(&sample.to_le_bytes()[..s]);
            }
        }
        raw
    }

    /// Method discrete: section 7.
    fn discrete(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let k = self.planes.len();
        let Plane { width, height, .. } = self.planes[0];
        for (i, plane) in self.planes.iter().enumerate() {
            assert_eq!((plane.width, plane.height, plane.offset, plane.step), (width, height, i, k));
        }
        let (codec, block) = next_block(file, at, payload);
        assert_eq!(codec, 6);
        let raw = discrete::decode(block, self.pictures, (width, height), k * self.header.sample_bytes());
        assert_eq!(raw.len(), self.raw_bytes);
        raw
    }

    /// Method strips: section 7.
    fn strips(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let colour = number(file, at, 1);
        let strips = number(file, at, 4) as usize;
        let values = read_values(file, at);
        let mut order: Vec<usize> = (0..self.planes.len()).collect();
        if self.colour {
            order.swap(0, 1);
        }
        let mut restored: Vec<Vec<u64>> =
            self.planes.iter().map(|plane| vec![0; self.pictures * plane.width * plane.height]).collect();
        let edge = |height: usize, i: usize| (16 * (i * height.div_ceil(16) / strips)).min(height);
        for i in 0..strips {
            let rows = |plane: usize| edge(self.planes[plane].height, i)..edge(self.planes[plane].height, i + 1);
            let sizes: Vec<_> = order.iter().map(|&plane| (self.planes[plane].width, rows(plane).len())).collect();
            let (codec, strip) = next_block(file, at, payload);
            assert_eq!(codec, 7);
            let decoded = model::decode(strip, self.pictures, &sizes, 8 * self.header.sample_bytes());
            for (&plane, samples) in order.iter().zip(decoded) {
                let Plane { width, height, .. } = self.planes[plane];
                for (picture, samples) in samples.chunks(width * rows(plane).len()).enumerate() {
                    let to = (picture * height + rows(plane).start) * width;
                    restored[plane][to..to + samples.len()].copy_from_slice(samples);
                }
            }
        }
        self.put(colour, &values, restored)
    }

    /// Method moving strips: section 7.
    fn moving_strips(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let strips = number(file, at, 4) as usize;
        assert!(!self.colour);
        let sizes: Vec<_> = self.planes.iter().map(|plane| (plane.width, plane.height)).collect();
        let (codec, vectors) = next_block(file, at, payload);
        assert_eq!(codec, 7);
        let steps = motion::steps(vectors, self.pictures, sizes[0]);
        let edge = |height: usize, i: usize| (16 * (i * height.div_ceil(16) / strips)).min(height);
        let rows = |plane: &Plane, i: usize| edge(plane.height, i)..edge(plane.height, i + 1);
        let mut decoders: Vec<model::Strip<'_>> = (0..strips)
            .map(|i| {
                let sizes: Vec<_> = self.planes.iter().map(|plane| (plane.width, rows(plane, i).len())).collect();
                let (codec, strip) = next_block(file, at, payload);
                assert_eq!(codec, 7);
                model::Strip::new(strip, &sizes, 8)
            })
            .collect();
        let mut frames: Vec<Vec<Vec<u64>>> = vec![Vec::new(); self.pictures];
        for step in steps {
            let expected = step.expected(&sizes, &frames);
            let mut frame = vec![Vec::new(); self.planes.len()];
            for (i, strip) in decoders.iter_mut().enumerate() {
                let part = expected.as_ref().map(|expected| {
                    let part = |(plane, expected): (&Plane, &Vec<u64>)| {
                        let rows = rows(plane, i);
                        expected[rows.start * plane.width..rows.end * plane.width].to_vec()
                    };
                    self.planes.iter().zip(expected).map(part).collect::<Vec<_>>()
                });
                let decoded = strip.frame(part.as_deref());
                frame.iter_mut().zip(decoded).for_each(|(frame, decoded)| frame.extend(decoded));
            }
            frames[step.frame] = frame;
        }
        decoders.into_iter().for_each(model::Strip::finish);
        self.put_frames(&frames)
    }

    /// Method tiles: section 6.
    fn tiles(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let colour = number(file, at, 1);
        let split = number(file, at, 1) == 1;
        let bands = number(file, at, 4) as usize;
        let segment_frames = number(file, at, 4) as usize;
        let length = number(file, at, 4) as usize;
        let sets = self.planes.len() + usize::from(split);
        let tables = (length > 0).then(|| ans::tables(&file[*at..*at + length], sets));
        *at += length;
        let sizes: Vec<_> = self.planes.iter().map(|plane| (plane.width, plane.height)).collect();
        let mut restored: Vec<Vec<u64>> =
            sizes.iter().map(|(width, height)| vec![0; self.pictures * width * height]).collect();
        for b in 0..bands {
            let mut band = tiles::Band::new(&sizes, split, b, bands);
            for first in (0..self.pictures).step_by(segment_frames) {
                let frames = segment_frames.min(self.pictures - first);
                let (codec, segment) = next_block(file, at, payload);
                assert_eq!(codec, if tables.is_some() { 3 } else { 4 });
                let mut segment = match &tables {
                    Some(tables) => band.segment(segment, frames, tables),
                    None => band.packed_segment(segment, frames),
                };
                for picture in 0..frames {
                    for (plane, samples) in band.frame(&mut segment).into_iter().enumerate() {
                        let (width, height) = sizes[plane];
                        let to = (first + picture) * width * height + band.rows(plane).start * width;
                        let samples = samples.into_iter().map(u64::from);
                        restored[plane].splice(to..to + samples.len(), samples);
                    }
                }
            }
        }
        self.put(colour, &[], restored)
    }

    /// Method moving tiles: section 6.8.
    fn moving_tiles(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let bands = number(file, at, 4) as usize;
        let segment_frames = number(file, at, 4) as usize;
        let length = number(file, at, 4) as usize;
        let tables = ans::tables(&file[*at..*at + length], self.planes.len());
        *at += length;
        assert!(!self.colour && length > 0);
        let sizes: Vec<_> = self.planes.iter().map(|plane| (plane.width, plane.height)).collect();
        let (codec, vectors) = next_block(file, at, payload);
        assert_eq!(codec, 7);
        let steps = motion::steps(vectors, self.pictures, sizes[0]);
        let mut bands: Vec<(tiles::Band, VecDeque<tiles::Segment>)> = (0..bands)
            .map(|b| {
                let mut band = tiles::Band::new(&sizes, false, b, bands);
                let segments = (0..self.pictures).step_by(segment_frames).map(|first| {
                    let (codec, segment) = next_block(file, at, payload);
                    assert_eq!(codec, 3);
                    band.segment(segment, segment_frames.min(self.pictures - first), &tables)
                });
                let segments = segments.collect();
                (band, segments)
            })
            .collect();
        let mut frames: Vec<Vec<Vec<u64>>> = vec![Vec::new(); self.pictures];
        for (at, step) in steps.iter().enumerate() {
            let expected = step.expected(&sizes, &frames);
            let mut frame = vec![Vec::new(); sizes.len()];
            for (band, segments) in &mut bands {
                if at > 0 && at % segment_frames == 0 {
                    segments.pop_front();
                }
                expected.iter().for_each(|expected| band.expect(expected));
                let planes = band.frame(segments.front_mut().expect("a segment"));
                frame.iter_mut().zip(planes).for_each(|(to, plane)| to.extend(plane.into_iter().map(u64::from)));
            }
            frames[step.frame] = frame;
        }
        self.put_frames(&frames)
    }

    /// Frames of planes that need nothing else to be undone.
    fn put_frames(&self, frames: &[Vec<Vec<u64>>]) -> Vec<u8> {
        let restored = (0..self.planes.len()).map(|i| frames.iter().flat_map(|frame| frame[i].clone()).collect());
        self.put(0, &[], restored.collect())
    }
}

/// Section 5.6: the value table.
fn read_values(file: &[u8], at: &mut usize) -> Vec<u64> {
    let mut values = Vec::new();
    let mut next = 0;
    for _ in 0..number(file, at, 4) {
        loop {
            let gap = number(file, at, 1);
            next += gap;
            if gap != 255 {
                break;
            }
        }
        values.push(next);
        next += 1;
    }
    values
}

fn decode_block(codec: u64, packed: &[u8], raw_length: usize, plane: &Plane, later: &[Vec<u8>]) -> Vec<u8> {
    let block = match codec {
        0 => packed.to_vec(),
        1 => lz4_flex::block::decompress(packed, raw_length).expect("an LZ4 block"),
        2 => zstd::bulk::decompress(packed, raw_length).expect("a Zstandard frame"),
        3 => ans::decode(packed, raw_length),
        4 => pack::decode(packed, raw_length),
        5 => ans::decode_contexts(packed, raw_length, plane.width, later),
        8 => model::decode_bytes(packed, raw_length, plane.width, plane.width * plane.height),
        9 => {
            let is_kept = |i: &usize| later.iter().any(|higher| higher[*i] != 0);
            let places: Vec<usize> = (0..raw_length).filter(is_kept).collect();
            assert!(packed[0] <= 4 && !later.is_empty());
            let kept = decode_block(packed[0].into(), &packed[1..], places.len(), plane, &[]);
            let mut block = vec![0; raw_length];
            places.into_iter().zip(kept).for_each(|(place, byte)| block[place] = byte);
            block
        }
        10 => {
            let map_length = u32::from_le_bytes(packed[..4].try_into().unwrap()) as usize;
            let (packed_map, packed_kept) = packed[4..].split_at(map_length);
            assert!(packed_map[0] <= 4 && packed_kept[0] <= 4);
            let map = decode_block(packed_map[0].into(), &packed_map[1..], raw_length.div_ceil(8), plane, &[]);
            let places: Vec<usize> = (0..8 * map.len()).filter(|i| map[i / 8] >> (i % 8) & 1 == 1).collect();
            let kept = decode_block(packed_kept[0].into(), &packed_kept[1..], places.len(), plane, &[]);
            let mut block = vec![0; raw_length];
            places.into_iter().zip(kept).for_each(|(place, byte)| block[place] = byte);
            block
        }
        other => panic!("codec {other}"),
    };
    assert_eq!(block.len(), raw_length);
    block
}

/// Section 5.1: the samples of a span.
fn unshuffle(shuffle: u64, stored: &[u8], m: usize, s: usize) -> Vec<u64> {
    let mut samples = vec![0u64; m];
    for (i, sample) in samples.iter_mut().enumerate() {
        for k in 0..8 * s {
            let group = m / 8;
            let (byte, bit) = match shuffle {
                0 => (i * s + k / 8, k % 8),
                1 => (k / 8 * m + i, k % 8),
                2 if i < 8 * group => (k * group + i / 8, i % 8),
                2 => (i * s + k / 8, k % 8),
                other => panic!("shuffle {other}"),
            };
            *sample |= u64::from(stored[byte] >> bit & 1) << k;
        }
    }
    samples
}

/// Sections 5.2 to 5.4: the samples of a plane.
fn restore_plane(
    header: &Header,
    plan: &PlanePlan,
    plane: &Plane,
    pictures: usize,
    colour_difference: bool,
    mut samples: Vec<u64>,
) -> Vec<u64> {
    let s = header.sample_bytes();
    let mask = mask(s);
    let Plane { width, height, .. } = *plane;
    for picture in 0..pictures {
        let (temporal, predictor) = if picture == 0 { (false, plan.intra) } else { (plan.temporal, plan.inter) };
        let signed = header.signed() || temporal || colour_difference;
        let first = picture * width * height;
        for y in 0..height {
            for x in 0..width {
                let here = first + y * width + x;
                let z = samples[here];
                let r = if temporal || predictor != 0 { (z >> 1) ^ (0u64.wrapping_sub(z & 1)) } else { z };
                let a = if x > 0 { samples[here - 1] } else { 0 };
                let b = if y > 0 { samples[here - width] } else { 0 };
                let c = if x > 0 && y > 0 { samples[here - width - 1] } else { 0 };
                samples[here] = r.wrapping_add(predict(predictor, a, b, c, signed, s)) & mask;
            }
        }
    }
    if plan.temporal {
        for i in width * height..samples.len() {
            samples[i] = samples[i].wrapping_add(samples[i - width * height]) & mask;
        }
    }
    samples
}

fn predict(predictor: u64, a: u64, b: u64, c: u64, signed: bool, s: usize) -> u64 {
    let value = |sample: u64| -> i128 {
        let bits = 8 * s;
        if signed && sample >> (bits - 1) & 1 == 1 { i128::from(sample) - (1i128 << bits) } else { i128::from(sample) }
    };
    let (a, b, c) = (value(a), value(b), value(c));
    let p = match predictor {
        0 => 0,
        1 => a,
        2 => b,
        3 => (a + b).div_euclid(2),
        4 => a + b - c,
        5 => a + b - c.max(a.min(b)).min(a.max(b)),
        other => panic!("predictor {other}"),
    };
    p as u64
}

/// Samples of `s` bytes are numbers modulo this plus one.
fn mask(s: usize) -> u64 {
    u64::MAX >> (64 - 8 * s)
}
