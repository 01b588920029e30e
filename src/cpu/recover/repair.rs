//! Blocks whose estimates are wrong: other chroma is tried, and what no chroma explains is kept.

use super::clipped::Clipped;
use super::estimates::{Estimates, Line, PARTS};
use super::phases::{CHUNK, PHASES, PixelRows};
use super::solve::inside;
use super::{Before, Picture};
use crate::plan::{ChromaTerms, Conversion};

/// Pixels that are not made of the planes, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Exceptions {
    /// Place of each pixel, counted from the first one of the batch.
    pub places: Vec<u32>,
    /// Their channels, in the order of the frames.
    pub pixels: Vec<[u8; 3]>,
}

/// One row of blocks.
pub struct Repair<'a> {
    pub conversion: &'a Conversion,
    pub estimates: &'a Estimates,
    pub clipped: &'a Clipped,
    pub picture: Picture,
    pub pixels: &'a PixelRows,
    /// Packed pixels.
    pub raw: &'a [u8],
    pub before: Option<Before<'a>>,
    /// U and V of the row of blocks above, once repaired.
    pub above: Option<(&'a [u8], &'a [u8])>,
    /// Place of the first pixel.
    pub first_pixel: usize,
    pub luma: &'a mut [Vec<u8>; PHASES],
    pub chroma: &'a mut [Vec<u8>; 2],
}

/// R, G and B of the pixels of a block.
type Block = [[u8; 3]; PHASES];
/// U and V.
type Chroma = [u8; 2];

/// How far from what a neighbour has chroma is tried where a channel is clipped.
const REACH: i32 = 24;

/// Y of the pixels of a block with some chroma, where there is one.
struct Fit {
    chroma: Chroma,
    luma: [Option<u8>; PHASES],
    fitting: usize,
}

impl Repair<'_> {
    /// Repairs blocks with `misfits`, from the left. There are `rows` rows of pixels.
    pub fn row(&mut self, misfits: &[u8], rows: usize, exceptions: &mut Exceptions) {
        let mut excepted = Vec::new();
        let blocks = self.pixels.blocks();
        for (chunk, group) in misfits[..blocks].chunks(CHUNK).enumerate() {
            // Most have none.
            if group.iter().fold(0, |any, &misfits| any | misfits) == 0 {
                continue;
            }
            for (at, _) in group.iter().enumerate().filter(|&(_, &misfits)| misfits != 0) {
                self.block(CHUNK * chunk + at, rows, &mut excepted);
            }
        }
        excepted.sort_unstable_by_key(|&(place, _)| place);
        for (place, [r, g, b]) in excepted {
            exceptions.places.push((self.first_pixel + place) as u32);
            exceptions.pixels.push(if self.picture.blue_first { [b, g, r] } else { [r, g, b] });
        }
    }

    fn block(&mut self, at: usize, rows: usize, excepted: &mut Vec<(usize, [u8; 3])>) {
        let (columns, block_rows) = self.picture.block();
        let count = columns * block_rows;
        let phases = self.pixels.phases();
        let block: Block = std::array::from_fn(|phase| {
            phases.get(phase).map_or([0; 3], |channels| channels.each_ref().map(|channel| channel[at]))
        });
        let fit = self.as_before(at, &block[..count]).unwrap_or_else(|| self.best_fit(at, &block[..count]));
        let stand_in = fit.luma.iter().flatten().next().copied().unwrap_or_else(|| self.left_luma(at));
        for (phase, (&pixel, &luma)) in block.iter().zip(&fit.luma).take(count).enumerate() {
            self.luma[phase][at] = luma.unwrap_or(stand_in);
            let (column, row) = (columns * at + phase % columns, phase / columns);
            if luma.is_none() && column < self.picture.width && row < rows {
                excepted.push((row * self.picture.width + column, pixel));
            }
        }
        [self.chroma[0][at], self.chroma[1][at]] = fit.chroma;
    }

    /// What a block was made of in the frame before, if it is the same: what does not change stays the same.
    fn as_before(&self, at: usize, block: &[[u8; 3]]) -> Option<Fit> {
        let before = self.before?;
        let Picture { width, channels, .. } = self.picture;
        let (columns, _) = self.picture.block();
        let first = columns * at;
        let bytes = channels * first..channels * width.min(first + columns);
        let rows = self.raw.chunks_exact(channels * width).zip(before.raw.chunks_exact(channels * width));
        if rows.into_iter().any(|(row, before)| row[bytes.clone()] != before[bytes.clone()]) {
            return None;
        }
        let chroma = [before.u[at], before.v[at]];
        let terms = self.terms(chroma);
        let mut fit = Fit { chroma, luma: [None; PHASES], fitting: 0 };
        for (phase, pixel) in block.iter().enumerate() {
            // Columns and rows that are missing repeat the one before.
            let (column, row) = ((first + phase % columns).min(width - 1), phase / columns);
            let y = before.y.get(row * width + column).or(before.y.get(column)).copied()?;
            let luma = self.clipped.luma_of(y.into());
            let makes = terms.map(|term| self.conversion.channel(luma, term) as u8) == *pixel;
            fit.luma[phase] = makes.then_some(y);
        }
        Some(fit)
    }

    /// Y of the pixel to the left of a block.
    fn left_luma(&self, at: usize) -> u8 {
        let (columns, _) = self.picture.block();
        if at == 0 { 0 } else { self.luma[columns - 1][at - 1] }
    }

    /// The first of the chroma to be tried that all pixels fit, or the one that most do.
    fn best_fit(&self, at: usize, block: &[[u8; 3]]) -> Fit {
        let left = at.checked_sub(1).map(|left| [self.chroma[0][left], self.chroma[1][left]]);
        if let Some(fit) = left.and_then(|left| self.fit_all(left, block)) {
            return fit;
        }
        let above = self.above.map(|(u, v)| [u[at], v[at]]);
        let from = left.or(above).unwrap_or([128; 2]);
        let is_whole = |pixel: &&[u8; 3]| pixel.iter().all(|&channel| inside(channel));
        let estimate = |&[r, g, b]: &[u8; 3]| {
            let parts = |channel: u8| PARTS * (i16::from(channel) - i16::from(g));
            self.estimates.chroma(parts(r), parts(b))
        };
        let neighbours = || above.into_iter().chain([[128; 2]]);
        let estimated = || near([self.chroma[0][at], self.chroma[1][at]]);
        let of_whole = || block.iter().filter(is_whole).flat_map(|pixel| near(estimate(pixel)));
        let along = block.iter().find_map(|&pixel| self.line(pixel)).into_iter().flat_map(|line| along(line, from));
        let of_clipped = || block.iter().filter(|pixel| !is_whole(pixel)).flat_map(|pixel| near(estimate(pixel)));
        let is_some_whole = block.iter().any(|pixel| is_whole(&pixel));
        let about = is_some_whole.then(|| estimated().chain(of_whole()));
        let mut all = neighbours().chain(about.into_iter().flatten()).chain(along).chain(of_clipped());
        if let Some(fit) = all.find_map(|chroma| self.fit_all(chroma, block)) {
            return fit;
        }
        let tried = left.into_iter().chain(neighbours()).chain(of_whole()).chain(of_clipped());
        let fits = tried.map(|chroma| self.fit(chroma, block));
        let best = fits.reduce(|best, fit| if fit.fitting > best.fitting { fit } else { best });
        best.filter(|best| best.fitting > 0).unwrap_or(Fit { chroma: from, luma: [None; PHASES], fitting: 0 })
    }

    /// The chroma that a pixel of two channels that are not clipped leaves open.
    fn line(&self, pixel: [u8; 3]) -> Option<Line> {
        let channels = pixel.map(|channel| inside(channel).then_some(i32::from(channel)));
        self.estimates.line(channels).filter(|_| channels.contains(&None))
    }

    /// The fit of chroma that all pixels fit.
    fn fit_all(&self, chroma: Chroma, block: &[[u8; 3]]) -> Option<Fit> {
        let terms = self.terms(chroma);
        if self.conversion.is_plain() && block.iter().any(|pixel| contradicts(pixel, &terms)) {
            return None;
        }
        let mut fit = Fit { chroma, luma: [None; PHASES], fitting: block.len() };
        for (luma, pixel) in fit.luma.iter_mut().zip(block) {
            *luma = Some(self.luma(pixel.map(i32::from), &terms)?);
        }
        Some(fit)
    }

    fn fit(&self, chroma: Chroma, block: &[[u8; 3]]) -> Fit {
        let terms = self.terms(chroma);
        let mut fit = Fit { chroma, luma: [None; PHASES], fitting: 0 };
        for (luma, pixel) in fit.luma.iter_mut().zip(block) {
            *luma = self.luma(pixel.map(i32::from), &terms);
            fit.fitting += usize::from(luma.is_some());
        }
        fit
    }

    /// What chroma adds to the channels.
    fn terms(&self, chroma: Chroma) -> [i32; 3] {
        let [u, v] = chroma.map(i32::from);
        let ChromaTerms { red, green, blue } = self.conversion.chroma(u, v);
        [red, green, blue]
    }

    /// Y of a pixel whose chroma is known.
    fn luma(&self, pixel: [i32; 3], terms: &[i32; 3]) -> Option<u8> {
        let makes = |y: i32| {
            let luma = self.clipped.luma_of(y);
            terms.map(|term| self.conversion.channel(luma, term)) == pixel
        };
        let estimate = |at: usize| self.estimates.luma(pixel[at], self.estimates.luma_term(terms[at]));
        let in_range = |y: &i32| (0..=255).contains(y);
        // Green is in the middle: the others are estimates of more rounding.
        if let Some(at) = [1, 0, 2].into_iter().find(|&at| (1..=254).contains(&pixel[at])) {
            // Where a step of luma is a step of the channel, rounding may have it one off.
            let y = estimate(at);
            let y = y + (pixel[at] - self.conversion.channel(self.clipped.luma_of(y), terms[at])).signum();
            return Some(y).filter(in_range).filter(|&y| makes(y)).map(|y| y as u8);
        }
        let pixel = pixel.map(|channel| channel as u8);
        let [red, green, blue] = *terms;
        let y = self.clipped.pixel(pixel, ChromaTerms { red, green, blue });
        makes(y.into()).then_some(y)
    }
}

/// Whether two channels of a pixel differ from one another otherwise than by their terms, where sums are channels as they
/// are: no Y makes it then.
fn contradicts(pixel: &[u8; 3], terms: &[i32; 3]) -> bool {
    let [red, green, blue] = [0, 1, 2].map(|at| (inside(pixel[at]), i32::from(pixel[at]).wrapping_sub(terms[at])));
    [(red, green), (green, blue), (red, blue)].into_iter().any(|(a, b)| a.0 && b.0 && a.1 != b.1)
}

/// Chroma on a line, one of U and V near that of `from`.
fn along(line: Line, from: Chroma) -> impl Iterator<Item = Chroma> {
    let steps = (0..=REACH).flat_map(|step| [step, -step]).skip(1);
    steps.flat_map(move |step| {
        let [u, v] = from.map(|value| (i32::from(value) + step).clamp(0, 255));
        line.through(u, v)
    })
}

/// Chroma and all around it: estimates are off by one at most, because of rounding.
fn near(chroma: Chroma) -> impl Iterator<Item = Chroma> {
    let steps = [0, 1, -1].into_iter().flat_map(|u| [0, 1, -1].map(|v| [u, v]));
    steps.map(move |[u, v]| [chroma[0].saturating_add_signed(u), chroma[1].saturating_add_signed(v)])
}
