//! Many values side by side, as thin columns.

use std::fmt::Write;

use super::escape;

/// The drawing, in units of the text's pixels.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 110.0;
/// The field of the columns within it.
const TOP: f64 = 18.0;
const BOTTOM: f64 = HEIGHT - 18.0;

/// Columns at most; of more values, neighbours share one.
const MOST: usize = 170;

/// A figure of columns, of which one of the value `most` is full. `ends` name the first and the last value, `scale` what
/// a full column is.
pub fn columns(caption: &str, values: &[f64], most: f64, ends: [&str; 2], scale: &str) -> String {
    let caption = escape(caption);
    let [first, last] = ends.map(escape);
    let scale = escape(scale);
    let shared = values.len().div_ceil(MOST).max(1);
    let step = WIDTH / values.len().div_ceil(shared).max(1) as f64;
    let mut svg = String::new();
    for (at, neighbours) in values.chunks(shared).enumerate() {
        let mean = neighbours.iter().sum::<f64>() / neighbours.len() as f64;
        let height = (BOTTOM - TOP) * (mean / most.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let (left, top) = (step * at as f64, BOTTOM - height);
        let _ = writeln!(
            svg,
            "<rect class=\"f0\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.2}\" height=\"{height:.1}\"/>",
            step * 0.9
        );
    }
    format!(
        "<figure>\n<figcaption>{caption}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{caption}\">\n\
         <text class=\"faint\" x=\"0\" y=\"12\">{scale}</text>\n\
         <line class=\"grid\" x1=\"0\" y1=\"{TOP}\" x2=\"{WIDTH}\" y2=\"{TOP}\"/>\n{svg}\
         <line class=\"grid\" x1=\"0\" y1=\"{BOTTOM}\" x2=\"{WIDTH}\" y2=\"{BOTTOM}\"/>\n\
         <text class=\"faint\" x=\"0\" y=\"{HEIGHT}\" dy=\"-4\">{first}</text>\
         <text class=\"faint end\" x=\"{WIDTH}\" y=\"{HEIGHT}\" dy=\"-4\">{last}</text>\n</svg>\n</figure>\n"
    )
}
