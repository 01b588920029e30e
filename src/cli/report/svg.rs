//! Charts by themselves, for where there is no page around them.

use std::fmt::Write;

use super::scatter::{Chart, HEIGHT, WIDTH, drawing, legend_mark};
use super::style::{COLOURS, DRAWINGS};
use super::{Series, escape};

/// Around and between the charts, and what a line of text takes.
const GAP: f64 = 16.0;
const LINE: f64 = 20.0;

/// A file of `charts` side by side, with the legend of the first below. It is light or dark as its reader is.
pub fn svg(charts: &[Chart]) -> String {
    let series: &[Series] = charts.first().map_or(&[], |chart| &chart.series);
    let width = GAP + (WIDTH + GAP) * charts.len() as f64;
    let below = GAP + LINE + HEIGHT;
    let height = below + LINE * series.len() as f64 + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <style>\n{COLOURS}{DRAWINGS}</style>\n\
         <rect class=\"panel\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        width - 1.0,
        height - 1.0
    );
    for (at, chart) in charts.iter().enumerate() {
        let left = GAP + (WIDTH + GAP) * at as f64;
        let _ = writeln!(
            svg,
            "<text class=\"strong\" x=\"{left}\" y=\"{}\">{}</text>\n<g transform=\"translate({left} {})\">\n{}</g>",
            GAP + 12.0,
            escape(&chart.caption),
            GAP + LINE,
            drawing(chart).unwrap_or_default()
        );
    }
    for (at, Series { name, .. }) in series.iter().enumerate() {
        let middle = below + LINE * (at as f64 + 0.5);
        let mark = legend_mark(at, [GAP + 7.0, middle]);
        let _ = writeln!(svg, "{mark}<text x=\"{}\" y=\"{}\">{}</text>", GAP + 20.0, middle + 4.0, escape(name));
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    #[test]
    fn every_chart_is_drawn_and_every_series_named() {
        let chart = |caption: &str, x: f64| Chart {
            caption: caption.to_owned(),
            axes: ["across", "up"],
            series: ["a & b", "c"]
                .map(|name| Series { name: name.to_owned(), points: vec![Point { x, y: 1.0, label: "1".to_owned() }] })
                .into(),
        };
        let drawn = svg(&[chart("first <", 1.0), chart("second", 0.0)]);
        assert!(drawn.contains(">first &lt;</text>") && drawn.contains(">second</text>"));
        assert_eq!(drawn.matches("<title>").count(), 2, "points of the first chart, and none that has no place");
        assert_eq!([">a &amp; b</text>", ">c</text>"].map(|name| drawn.matches(name).count()), [1, 1]);
        assert!(drawn.contains("viewBox=\"0 0 728 ") && svg(&[]).ends_with("</svg>\n"));
    }
}
