//! Bars with their names above, so that long ones have room on narrow screens.

use std::fmt::Write;

use super::escape;

/// Width of the drawing, in units of the text's pixels.
const WIDTH: f64 = 340.0;
/// From one bar to the next.
const STEP: f64 = 34.0;

pub struct Bar {
    pub label: String,
    pub value: f64,
    /// The value and what else there is to say, for people.
    pub text: String,
}

/// A figure of bars, of which one of the value `most` is full.
pub fn bars(caption: &str, bars: &[Bar], most: f64) -> String {
    let height = STEP * bars.len() as f64;
    let caption = escape(caption);
    let mut html = format!(
        "<figure>\n<figcaption>{caption}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{caption}\">\n"
    );
    for (at, Bar { label, value, text }) in bars.iter().enumerate() {
        let top = STEP * at as f64;
        let (words, bar) = (top + 15.0, top + 20.0);
        // A bar of nearly nothing is still to be seen.
        let width = (WIDTH * (value / most.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)).max(1.0);
        let (label, text) = (escape(label), escape(text));
        let _ = writeln!(
            html,
            "<text x=\"0\" y=\"{words}\">{label}</text><text class=\"faint end\" x=\"{WIDTH}\" y=\"{words}\">{text}</text>\
             <rect class=\"track\" x=\"0\" y=\"{bar}\" width=\"{WIDTH}\" height=\"8\" rx=\"2\"/>\
             <rect class=\"f0\" x=\"0\" y=\"{bar}\" width=\"{width:.1}\" height=\"8\" rx=\"2\"/>"
        );
    }
    html + "</svg>\n</figure>\n"
}
