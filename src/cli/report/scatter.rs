//! Points of several series over a logarithmic axis, in the order of each series joined by lines.

use std::fmt::Write;

use super::escape;

/// The drawing, in units of the text's pixels.
pub const WIDTH: f64 = 340.0;
pub const HEIGHT: f64 = 270.0;
/// The field of the points within it.
const LEFT: f64 = 34.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = HEIGHT - 42.0;

/// Colours that series take in turn.
const COLOURS: usize = 6;

/// Room that a mark and a label take, half of it to each side.
const MARK: f64 = 5.0;
const LABEL: [f64; 2] = [6.0, 7.0];

/// What is drawn against each other.
pub struct Chart {
    pub caption: String,
    /// Names of the axes, across and up.
    pub axes: [&'static str; 2],
    pub series: Vec<Series>,
}

pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
}

pub struct Point {
    pub x: f64,
    pub y: f64,
    pub label: String,
}

/// A figure with a legend.
pub fn scatter(chart: &Chart) -> String {
    let caption = escape(&chart.caption);
    let Some(svg) = drawing(chart) else {
        return format!("<figure>\n<figcaption>{caption}</figcaption>\n<p>Nothing to show.</p>\n</figure>\n");
    };
    let entry = |(at, series): (usize, &Series)| {
        format!("<li><svg viewBox=\"0 0 14 14\">{}</svg>{}</li>", legend_mark(at, [7.0, 7.0]), escape(&series.name))
    };
    let legend: String = chart.series.iter().enumerate().map(entry).collect();
    format!(
        "<figure>\n<figcaption>{caption}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{caption}\">\n{svg}</svg>\n\
         <ul class=\"legend\">{legend}</ul>\n</figure>\n"
    )
}

/// Axes and series, without caption and legend. Points without a place on a logarithmic axis are left out; `None` if
/// there are no others.
pub fn drawing(Chart { axes, series, .. }: &Chart) -> Option<String> {
    let shown = |point: &&Point| point.x.is_finite() && point.x > 0.0 && point.y.is_finite();
    let points = || series.iter().flat_map(|series| series.points.iter().filter(shown));
    points().next()?;
    let x = Scale::new(points().map(|point| point.x.ln()), [LEFT, RIGHT]);
    let y = Scale::new(points().map(|point| point.y), [BOTTOM, TOP]);

    let mut svg = String::new();
    grid(&mut svg, &x, &y, *axes);
    let mut taken: Vec<[f64; 2]> = points().map(|point| [x.place(point.x.ln()), y.place(point.y)]).collect();
    for (at, Series { name, points }) in series.iter().enumerate() {
        let places: Vec<([f64; 2], &Point)> =
            points.iter().filter(shown).map(|point| ([x.place(point.x.ln()), y.place(point.y)], point)).collect();
        let line: Vec<String> = places.iter().map(|([x, y], _)| format!("{x:.1},{y:.1}")).collect();
        let colour = at % COLOURS;
        let _ = writeln!(svg, "<polyline class=\"path s{colour}\" points=\"{}\"/>", line.join(" "));
        for &(place, point) in &places {
            let (name, label) = (escape(name), escape(&point.label));
            let title = format!("<title>{name}, {label}: {:.3}, {:.3}</title>", point.x, point.y);
            let _ = writeln!(svg, "<path class=\"f{colour}\" d=\"{}\">{title}</path>", mark(at, place));
        }
        for &([x, y], point) in &places {
            let [x, y] = free_place(&taken, [x, y]);
            taken.push([x, y]);
            let label = escape(&point.label);
            let _ = writeln!(svg, "<text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>", y + 4.0);
        }
    }
    Some(svg)
}

/// An axis: which place a value has in the drawing.
struct Scale {
    values: [f64; 2],
    places: [f64; 2],
}

impl Scale {
    fn new(values: impl Iterator<Item = f64>, places: [f64; 2]) -> Self {
        let ends = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
        let [low, high] = values.fold([f64::INFINITY, f64::NEG_INFINITY], ends);
        // Marks stay off the edges, and a single value is in the middle.
        let margin = ((high - low) * 0.1).max(low.abs() * 0.02).max(1e-3);
        Self { values: [low - margin, high + margin], places }
    }

    fn place(&self, value: f64) -> f64 {
        let [low, high] = self.values;
        self.places[0] + (value - low) / (high - low) * (self.places[1] - self.places[0])
    }
}

/// Lines and numbers at round values.
fn grid(svg: &mut String, x: &Scale, y: &Scale, axes: [&str; 2]) {
    for value in ticks(x.values.map(f64::exp)) {
        let place = x.place(value.ln());
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{place:.1}\" y1=\"{TOP}\" x2=\"{place:.1}\" y2=\"{BOTTOM}\"/>\
             <text class=\"faint middle\" x=\"{place:.1}\" y=\"{}\">{value}</text>",
            BOTTOM + 16.0
        );
    }
    for value in round_values(y.values, 5.0) {
        let place = y.place(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{place:.1}\" x2=\"{RIGHT}\" y2=\"{place:.1}\"/>\
             <text class=\"faint end\" x=\"{}\" y=\"{:.1}\">{value}</text>",
            LEFT - 6.0,
            place + 4.0
        );
    }
    let [x, y] = axes.map(escape);
    let _ = writeln!(
        svg,
        "<text class=\"faint end\" x=\"{RIGHT}\" y=\"{}\">{x}</text><text class=\"faint\" x=\"0\" y=\"12\">{y}</text>",
        HEIGHT - 6.0
    );
}

/// Round values for a logarithmic axis: 1, 2 and 5 times powers of ten where it spans enough of them.
fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    if high / low < 5.0 {
        return round_values([low, high], 5.0);
    }
    let factors: &[f64] = if high / low < 500.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let values = decades.flat_map(|decade| factors.iter().map(move |factor| rounded(factor * 10f64.powi(decade))));
    values.filter(|value| (low..=high).contains(value)).collect()
}

/// About `count` multiples of a round step.
fn round_values([low, high]: [f64; 2], count: f64) -> Vec<f64> {
    let least = (high - low) / count;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|&step| step >= least);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|multiple| rounded(multiple as f64 * step)).collect()
}

/// Without the noise of binary fractions.
fn rounded(value: f64) -> f64 {
    format!("{value:.6}").parse().unwrap_or(value)
}

/// The outline of the mark of series number `at`.
fn mark(at: usize, [x, y]: [f64; 2]) -> String {
    let corners: &[[f64; 2]] = match at % 4 {
        0 => {
            return format!(
                "M{:.1},{y:.1}a{MARK},{MARK} 0 1 0 {d},0a{MARK},{MARK} 0 1 0 -{d},0z",
                x - MARK,
                d = 2.0 * MARK
            );
        }
        1 => &[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]],
        2 => &[[0.0, -1.2], [1.2, 1.0], [-1.2, 1.0]],
        _ => &[[0.0, -1.3], [1.3, 0.0], [0.0, 1.3], [-1.3, 0.0]],
    };
    let corner = |[right, down]: &[f64; 2]| format!("{:.1},{:.1}", x + right * MARK, y + down * MARK);
    format!("M{}z", corners.iter().map(corner).collect::<Vec<_>>().join("L"))
}

/// Where a label of the mark at `place` hides nothing, or nearly.
fn free_place(taken: &[[f64; 2]], [x, y]: [f64; 2]) -> [f64; 2] {
    let close = [[0.0, -13.0], [0.0, 13.0], [12.0, 0.0], [-12.0, 0.0], [10.0, -10.0], [-10.0, 10.0], [10.0, 10.0]];
    // Where marks are on top of each other.
    let far = [[0.0, -26.0], [0.0, 26.0], [23.0, 0.0], [-23.0, 0.0]];
    let places = close.into_iter().chain(far).map(|[right, down]| [x + right, y + down]);
    let hidden = |place: &[f64; 2]| {
        let close = |other: &&[f64; 2]| (0..2).all(|axis| (other[axis] - place[axis]).abs() < LABEL[axis] + MARK);
        taken.iter().filter(close).count()
    };
    places.min_by_key(hidden).unwrap_or([x, y])
}

/// The mark of series number `at`, for a legend.
pub fn legend_mark(at: usize, place: [f64; 2]) -> String {
    format!("<path class=\"f{}\" d=\"{}\"/>", at % COLOURS, mark(at, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(ticks([40.0, 1100.0]), [50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert_eq!(ticks([0.2, 9000.0]), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(ticks([400.0, 480.0]), [400.0, 420.0, 440.0, 460.0, 480.0]);
        assert_eq!(round_values([3.9, 7.8], 5.0), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(round_values([-0.001, 0.001], 5.0), [-0.001, -0.0005, 0.0, 0.0005, 0.001]);
    }

    #[test]
    fn every_point_is_within_the_field() {
        for values in [vec![3.0], vec![0.0], vec![-5.0, 1e9], vec![1.0, 1.0, 2.0]] {
            let scale = Scale::new(values.iter().copied(), [LEFT, RIGHT]);
            assert!(values.iter().all(|&value| (LEFT..=RIGHT).contains(&scale.place(value))), "{values:?}");
        }
    }

    #[test]
    fn labels_evade_marks_and_each_other() {
        let marks = [[100.0, 100.0], [100.0, 87.0]];
        let first = free_place(&marks, marks[0]);
        assert_eq!(first, [100.0, 113.0], "a mark is above");
        assert_ne!(free_place(&[&marks[..], &[first]].concat(), marks[0]), first);
        let mut taken = vec![[100.0, 100.0]; 8];
        for _ in 0..8 {
            let place = free_place(&taken, [100.0, 100.0]);
            let free = |other: &[f64; 2]| (0..2).any(|axis| (other[axis] - place[axis]).abs() >= LABEL[axis] + MARK);
            assert!(taken.iter().all(free), "{place:?} among {taken:?}");
            taken.push(place);
        }
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        let point = |x: f64| Point { x, y: 1.0, label: "1".to_owned() };
        let chart = |points| {
            let series = vec![Series { name: "a".to_owned(), points }];
            scatter(&Chart { caption: "c".to_owned(), axes: ["x", "y"], series })
        };
        assert!(chart(vec![point(0.0)]).contains("Nothing to show"));
        let html = chart(vec![point(0.0), point(f64::NAN), point(5.0)]);
        assert_eq!(html.matches("<title>").count(), 1);
    }
}
