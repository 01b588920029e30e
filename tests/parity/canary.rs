//! The comparisons that all rows rest on do fail when a backend is wrong.

use std::ops::Range;

use framepress::Result;
use framepress::frame::{ChannelOrder, Dtype, Geometry, WorkBuffer};
use framepress::internal::gpu::{
    Difference, Residence, check, check_residence, check_solved, compare, compare_checksum, compare_coded,
    compare_copy, compare_costs, compare_exceptions, compare_expected, compare_made, compare_packed, compare_pages,
    compare_rans, compare_recovery, compare_rows, compare_search, compare_solved, moving_frames, sample_motion,
};
use framepress::internal::motion::{Field, Filter, Motion, SearchEffort};
use framepress::internal::{
    Backend, Batch, CodedTiles, CpuBackend, DecodeTable, EncodeTable, Exceptions, GROUP, PackedTiles, Pitch,
    PitchedFrames, Restored, SegmentCode, Segments, SolvedPlanes, Stretch, TileDecoderTables, TileEffort,
    TileEncoderTables, exceptions,
};
use framepress::plan::{Candidate, Colour, Making, Plan, Predictor, TileCut, TilePlan};
use libtest_mimic::Trial;

use super::backends::{reference, trial};
use super::cases::{Case, gray, packed};
use super::recovery::makings;

pub fn rows() -> Vec<Trial> {
    let row = |name: &str, run: fn()| trial(format!("canary::{name}"), &[], run);
    vec![
        row("forward", forward),
        row("inverse", inverse),
        row("costs", costs),
        row("packed-tiles", packed_tiles),
        row("coded-tiles", coded_tiles),
        row("expected-frames", expected_frames),
        row("recovery", recovery),
        row("made-of-tiles", made_of_tiles),
        row("search", search),
        row("rans", rans),
        row("copy", copy),
        row("residence", residence),
        row("probe", probe),
    ]
}

fn case() -> Case {
    Case::new(Dtype::U8, gray(5, 3), 1, 3)
}

fn forward() {
    let case = case();
    let difference = compare(&Wrong::forward(), &reference(), case.batch(), &case.identity()).unwrap();
    assert!(matches!(difference, Some(Difference::Forward { plane: 0, .. })), "{difference:?}");
}

fn inverse() {
    let case = case();
    let difference = compare(&Wrong::inverse(), &reference(), case.batch(), &case.identity()).unwrap();
    assert_eq!(difference, Some(Difference::Inverse { byte: 6 }));
}

fn costs() {
    let case = case();
    let difference = compare_costs(&Wrong::costs(), &reference(), case.batch(), &case.candidates()).unwrap();
    assert_eq!(difference, Some(Difference::Costs { value: 1 }));
}

fn packed_tiles() {
    let case = Case::new(Dtype::U8, gray(35, 20), 2, 3);
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
    let compare = |wrong| {
        let difference = compare_packed(&wrong, &reference(), case.batch(), cut, TileEffort::All, 1);
        difference.unwrap().unwrap()
    };
    assert_eq!(compare(Wrong { predictors: true, ..Wrong::none() }), Difference::Predictors { tile: 1 });
    assert_eq!(compare(Wrong { widths: true, ..Wrong::none() }), Difference::Widths { group: 7 });
    assert_eq!(compare(Wrong { numbers: true, ..Wrong::none() }), Difference::Numbers { segment: 1 });
    assert_eq!(compare(Wrong { frames: true, ..Wrong::none() }), Difference::Inverse { byte: 6 });
}

fn coded_tiles() {
    let case = Case::new(Dtype::U8, gray(35, 20), 2, 3);
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
    let compare = |wrong| {
        let difference = compare_coded(&wrong, &reference(), case.batch(), cut, TileEffort::All, 1, None);
        difference.unwrap().unwrap()
    };
    assert_eq!(compare(Wrong { coded_predictors: true, ..Wrong::none() }), Difference::Predictors { tile: 1 });
    assert_eq!(compare(Wrong { coded_classes: true, ..Wrong::none() }), Difference::Classes { group: 7 });
    assert_eq!(compare(Wrong { coded_segments: true, ..Wrong::none() }), Difference::Code { segment: 1 });
    assert_eq!(compare(Wrong { coded_frames: true, ..Wrong::none() }), Difference::Inverse { byte: 6 });
}

fn expected_frames() {
    let case = Case::new(Dtype::U8, gray(35, 20), 2, 3);
    let wrong = Wrong { expected: true, ..Wrong::none() };
    let difference =
        compare_expected(&wrong, &reference(), case.batch(), &sample_motion(&case.geometry, 9, 1).unwrap()).unwrap();
    assert_eq!(difference, Some(Difference::Expected { byte: 40 }));
}

fn recovery() {
    let case = Case::new(Dtype::U8, packed(5, 3, ChannelOrder::Rgb), 1, 3);
    let making = makings(&case)[0];
    let compare = |wrong| compare_recovery(&wrong, &reference(), case.batch(), &making).unwrap().unwrap();
    assert_eq!(compare(Wrong { solved: true, ..Wrong::none() }), Difference::Solved { byte: 4 });
    assert_eq!(compare(Wrong { misfits: true, ..Wrong::none() }), Difference::Misfits { block: 2 });
    assert_eq!(compare(Wrong { made: true, ..Wrong::none() }), Difference::Inverse { byte: 6 });
}

/// Frames that are made in one step with the restoration of tiles, packed and coded.
fn made_of_tiles() {
    let case = Case::new(Dtype::U8, packed(35, 20, ChannelOrder::Rgb), 2, 3);
    let making = makings(&case)[0];
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
    let planes = &case.raw[..making.planes(&case.geometry).raw_bytes()];
    let compare = |wrong| compare_made(&wrong, &reference(), (&case.geometry, &making), planes, cut, 1, None).unwrap();
    let made = |wrong: fn(&mut Wrong)| {
        let mut backend = Wrong::none();
        wrong(&mut backend);
        compare(backend)
    };
    assert_eq!(made(|wrong| wrong.made_of_packed = true), Some(Difference::Inverse { byte: 7 }));
    assert_eq!(made(|wrong| wrong.made_of_coded = true), Some(Difference::Inverse { byte: 8 }));
    assert_eq!(made(|_| {}), None);
}

fn search() {
    let frames = moving_frames((48, 32), 3, Filter::Quarter, 12, 1).unwrap();
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let wrong = Wrong { vectors: true, ..Wrong::none() };
    let difference = compare_search(&wrong, &reference(), (&frames, 48), Filter::Quarter, None, SearchEffort::Full);
    assert_eq!(difference.unwrap(), Some(Difference::Vectors { pair: 1, unit: 5 }));
}

fn rans() {
    let groups: Vec<[u8; GROUP]> = (0..40).map(|group| [group; GROUP]).collect();
    let compare = |wrong| compare_rans(&wrong, &reference(), &groups, 3).unwrap().unwrap();
    assert_eq!(compare(Wrong { code: true, ..Wrong::none() }), Difference::Code { segment: 2 });
    assert_eq!(compare(Wrong { decoded: true, ..Wrong::none() }), Difference::Decoded { group: 9 });
}

fn copy() {
    let wrong = |from: &[u8], to: &mut [u8]| {
        to.copy_from_slice(from);
        to[77] ^= 1;
        Ok(())
    };
    assert_eq!(compare_copy(wrong, 20).unwrap(), Some(Difference::Copy { byte: 77 }));
}

/// Frames that stay.
fn residence() {
    let stretch = (Stretch { start: 0, row_bytes: 5, rows: 7 }, Pitch { offset: 2, row: 9, frame: 0 });
    let frames = PitchedFrames { frames: 1, frame_bytes: 35, stretches: vec![stretch] };
    let right =
        WrongResidence { forward: 0, inverse: 0, exceptions: 0, checksum: 0, solved: 0, misfitting: 0, pages: [0; 2] };
    let rows = |wrong| compare_rows(&wrong, &frames).unwrap();
    assert_eq!(rows(WrongResidence { forward: 1, ..right }), Some(Difference::Rows { byte: 34 }));
    assert_eq!(rows(WrongResidence { inverse: 1, ..right }), Some(Difference::Rows { byte: 6 }));
    assert_eq!(rows(right), None);
    let wrong = WrongResidence { checksum: 1, ..right };
    assert_eq!(compare_checksum(&wrong, 3000).unwrap(), Some(Difference::Checksum));
    assert_eq!(compare_checksum(&right, 3000).unwrap(), None);
    let wrong_exceptions = WrongResidence { exceptions: 1, ..right };
    assert_eq!(compare_exceptions(&wrong_exceptions, 3, 100).unwrap(), Some(Difference::Exceptions { byte: 5 }));
    assert_eq!(compare_exceptions(&right, 3, 100).unwrap(), None);
    let case = Case::new(Dtype::U8, packed(20, 10, ChannelOrder::Rgb), 2, 1);
    let making = makings(&case)[0];
    let solved = |wrong| compare_solved(&wrong, &reference(), case.batch(), &making).unwrap();
    let wrong_solved = WrongResidence { solved: 1, ..right };
    assert_eq!(solved(wrong_solved), Some(Difference::Solved { byte: 7 }));
    let wrong_misfitting = WrongResidence { misfitting: 1, ..right };
    assert_eq!(solved(wrong_misfitting), Some(Difference::Misfitting { span: 3 }));
    assert_eq!(solved(right), None);
    let wrong_rows = [WrongResidence { forward: 1, ..right }, WrongResidence { inverse: 1, ..right }];
    let wrong_pages = [[1, 0], [0, 1]].map(|pages| WrongResidence { pages, ..right });
    for (wrong, byte) in wrong_pages.into_iter().zip([5, 9]) {
        assert_eq!(compare_pages(&wrong, 3000).unwrap(), Some(Difference::Pages { byte }));
    }
    assert_eq!(compare_pages(&right, 3000).unwrap(), None);
    for wrong in wrong_rows.into_iter().chain([wrong, wrong_exceptions]) {
        let error = check_residence(&wrong).unwrap_err().to_string();
        assert!(error.contains("probe: frames that stay are wrong"), "{error}");
    }
    check_residence(&right).unwrap();
    for wrong in [wrong_solved, wrong_misfitting].into_iter().chain(wrong_pages) {
        let error = check_solved(&wrong).unwrap_err().to_string();
        assert!(error.contains("probe: planes that stay are wrong"), "{error}");
    }
    check_solved(&right).unwrap();
}

/// The CPU with one mistake.
#[derive(Clone, Copy)]
struct WrongResidence {
    forward: u8,
    inverse: u8,
    exceptions: u8,
    checksum: u64,
    solved: u8,
    misfitting: u32,
    pages: [u8; 2],
}

impl Residence for WrongResidence {
    fn rows_forward(&self, frames: &PitchedFrames, pitched: &[u8], dense: &mut [u8]) -> Result<()> {
        framepress::internal::rows::forward(frames, pitched, dense);
        dense[34] ^= self.forward;
        Ok(())
    }

    fn rows_inverse(&self, frames: &PitchedFrames, dense: &[u8], pitched: &mut [u8]) -> Result<()> {
        framepress::internal::rows::inverse(frames, dense, pitched);
        pitched[6] ^= self.inverse;
        Ok(())
    }

    fn put_exceptions(&self, exceptions: &Exceptions, channels: usize, raw: &mut [u8]) -> Result<()> {
        let bytes = exceptions::to_bytes(std::slice::from_ref(exceptions));
        exceptions::put(bytes.each_ref().map(Vec::as_slice), channels, raw.into())?;
        raw[5] ^= self.exceptions;
        Ok(())
    }

    fn checksum(&self, raw: &[u8]) -> Result<u64> {
        Ok(framepress::internal::checksum(raw) ^ self.checksum)
    }

    fn pages_forward(&self, places: &[Range<usize>], content: &[u8], copied: &mut [u8]) -> Result<()> {
        copy_pages(places, content, copied);
        copied[5] ^= self.pages[0];
        Ok(())
    }

    fn pages_inverse(&self, places: &[Range<usize>], content: &[u8], there: &mut [u8]) -> Result<()> {
        copy_pages(places, content, there);
        there[9] ^= self.pages[1];
        Ok(())
    }

    fn solved(&self, batch: Batch<'_>, making: &Making) -> Result<(Vec<u8>, Vec<u32>)> {
        let mut solved = SolvedPlanes::default();
        reference().solve(batch, making, &mut solved)?;
        let mut planes = solved.planes().to_vec();
        planes[7] ^= self.solved;
        let rows = solved.misfits().chunks_exact(making.picture(batch.geometry).blocks());
        let spans = rows.flat_map(|row| row.chunks(64));
        let misfitting = spans.map(|span| span.iter().filter(|&&misfits| misfits > 0).count() as u32);
        let mut misfitting: Vec<_> = misfitting.collect();
        misfitting[3] ^= self.misfitting;
        Ok((planes, misfitting))
    }
}

/// Copies pages of 256 bytes that places are in.
fn copy_pages(places: &[Range<usize>], from: &[u8], to: &mut [u8]) {
    for place in places {
        let bytes = place.start / 256 * 256..place.end.next_multiple_of(256).min(from.len());
        to[bytes.clone()].copy_from_slice(&from[bytes]);
    }
}

/// What a device has to pass before it is used.
fn probe() {
    for (wrong, stage) in
        [(Wrong::forward(), "colour"), (Wrong::inverse(), "colour"), (Wrong::costs(), "histogram or entropy")]
    {
        let error = check(&wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("probe: {stage} of uint8 is wrong")), "{error}");
    }
    for (wrong, stage) in [
        (Wrong { predictors: true, ..Wrong::none() }, "packing of tiles"),
        (Wrong { widths: true, ..Wrong::none() }, "packing of tiles"),
        (Wrong { numbers: true, ..Wrong::none() }, "packing of tiles"),
        (Wrong { frames: true, ..Wrong::none() }, "packing of tiles"),
        (Wrong { coded_predictors: true, ..Wrong::none() }, "coding of tiles"),
        (Wrong { coded_classes: true, ..Wrong::none() }, "coding of tiles"),
        (Wrong { coded_segments: true, ..Wrong::none() }, "coding of tiles"),
        (Wrong { coded_frames: true, ..Wrong::none() }, "coding of tiles"),
        (Wrong { expected: true, ..Wrong::none() }, "motion"),
        (Wrong { code: true, ..Wrong::none() }, "rANS coding"),
        (Wrong { decoded: true, ..Wrong::none() }, "rANS coding"),
        (Wrong { solved: true, ..Wrong::none() }, "recovery"),
        (Wrong { misfits: true, ..Wrong::none() }, "recovery"),
        (Wrong { made: true, ..Wrong::none() }, "recovery"),
        (Wrong { made_of_packed: true, ..Wrong::none() }, "recovery"),
        (Wrong { made_of_coded: true, ..Wrong::none() }, "recovery"),
        (Wrong { vectors: true, ..Wrong::none() }, "search"),
    ] {
        let error = check(&wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("probe: {stage} is wrong")), "{error}");
    }
    check(&reference()).unwrap();
}

/// The reference with one mistake.
struct Wrong {
    cpu: CpuBackend,
    forward: bool,
    inverse: bool,
    costs: bool,
    predictors: bool,
    widths: bool,
    numbers: bool,
    frames: bool,
    coded_predictors: bool,
    coded_classes: bool,
    coded_segments: bool,
    coded_frames: bool,
    expected: bool,
    solved: bool,
    misfits: bool,
    made: bool,
    made_of_packed: bool,
    made_of_coded: bool,
    vectors: bool,
    code: bool,
    decoded: bool,
}

impl Wrong {
    fn none() -> Self {
        Self {
            cpu: reference(),
            forward: false,
            inverse: false,
            costs: false,
            predictors: false,
            widths: false,
            numbers: false,
            frames: false,
            coded_predictors: false,
            coded_classes: false,
            coded_segments: false,
            coded_frames: false,
            expected: false,
            solved: false,
            misfits: false,
            made: false,
            made_of_packed: false,
            made_of_coded: false,
            vectors: false,
            code: false,
            decoded: false,
        }
    }

    fn forward() -> Self {
        Self { forward: true, ..Self::none() }
    }

    fn inverse() -> Self {
        Self { inverse: true, ..Self::none() }
    }

    fn costs() -> Self {
        Self { costs: true, ..Self::none() }
    }
}

impl Backend for Wrong {
    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        let mut plan = plan.clone();
        if self.forward {
            plan.planes[0].intra = Predictor::Left;
        }
        self.cpu.forward(batch, &plan, out)
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.cpu.inverse(geometry, plan, residuals, raw)?;
        raw[6] ^= u8::from(self.inverse);
        Ok(())
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>> {
        let mut costs = self.cpu.costs(batch, candidates)?;
        costs[1] += u64::from(self.costs);
        Ok(costs)
    }

    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        let mut packed = self.cpu.tiles_pack(batch, plan, effort)?;
        packed.predictors[1] ^= u8::from(self.predictors);
        packed.widths[7] ^= u16::from(self.widths);
        packed.numbers[1].to_mut()[3] ^= u8::from(self.numbers);
        Ok(packed)
    }

    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.cpu.tiles_unpack(restored, plan, packed, raw)?;
        raw[6] ^= u8::from(self.frames);
        raw[7] ^= u8::from(self.made_of_packed && restored.making.is_some());
        Ok(())
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>> {
        let mut coded = self.cpu.tiles_encode(batch, plan, effort, tables, motion)?;
        coded.predictors[1] ^= u8::from(self.coded_predictors);
        coded.classes[7] ^= u8::from(self.coded_classes);
        coded.segments[1].codes[0].states[31] ^= u32::from(self.coded_segments);
        Ok(coded)
    }

    fn tiles_decode(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        motion: Option<&Motion>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.cpu.tiles_decode(restored, plan, tables, coded, motion, raw)?;
        raw[6] ^= u8::from(self.coded_frames);
        raw[8] ^= u8::from(self.made_of_coded && restored.making.is_some());
        Ok(())
    }

    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
        self.cpu.expect(batch, motion, out)?;
        out[40] ^= u8::from(self.expected);
        Ok(())
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        self.cpu.solve(batch, making, out)?;
        let (planes, misfits) = out.parts_mut();
        planes[4] ^= u8::from(self.solved);
        misfits[2] ^= u8::from(self.misfits);
        Ok(())
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        self.cpu.convert(geometry, making, planes, raw)?;
        raw[6] ^= u8::from(self.made);
        Ok(())
    }

    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>> {
        let mut fields = self.cpu.search(frames, width, filter, last, effort)?;
        fields[1].vectors[5].x ^= i16::from(self.vectors);
        Ok(fields)
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        let mut codes = self.cpu.rans_encode(tables, segments, groups)?;
        codes[2].states[31] ^= u32::from(self.code);
        Ok(codes)
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        self.cpu.rans_decode(tables, segments, codes, groups)?;
        groups[9][33] ^= u8::from(self.decoded);
        Ok(())
    }
}
