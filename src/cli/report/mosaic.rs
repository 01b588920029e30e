//! A picture of rectangles: one for each cell of a grid.

use std::fmt::Write;

use super::escape;

/// Cells drawn at most; of larger grids, one of some is.
const MOST: usize = 4000;

/// How a cell is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// As bright as this.
    Gray(u8),
    /// The colour of a series.
    Series(usize),
}

/// A figure of a grid of cells, row by row, with the names of its colours.
pub fn mosaic(caption: &str, rows: &[Vec<Cell>], names: &[&str]) -> String {
    let cells: usize = rows.iter().map(Vec::len).sum();
    let step = (1..).find(|step| cells / (step * step) <= MOST).unwrap_or(1);
    let rows: Vec<Vec<Cell>> =
        rows.iter().step_by(step).map(|row| row.iter().step_by(step).copied().collect()).collect();
    let (width, height) = (rows.iter().map(Vec::len).max().unwrap_or(0), rows.len());
    let mut svg = String::new();
    for (top, row) in rows.iter().enumerate() {
        let mut left = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let place = format!("x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"1\"", run.len());
            let _ = match run[0] {
                Cell::Gray(gray) => writeln!(svg, "<rect fill=\"#{gray:02x}{gray:02x}{gray:02x}\" {place}/>"),
                Cell::Series(series) => writeln!(svg, "<rect class=\"f{series}\" {place}/>"),
            };
            left += run.len();
        }
    }
    let legend: String = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let mark = format!("<rect class=\"f{at}\" width=\"14\" height=\"14\"/>");
            format!("<li><svg viewBox=\"0 0 14 14\">{mark}</svg>{}</li>", escape(name))
        })
        .collect();
    let caption = escape(caption);
    format!(
        "<figure>\n<figcaption>{caption}</figcaption>\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{caption}\" shape-rendering=\"crispEdges\">\n{svg}</svg>\n<ul class=\"legend\">{legend}</ul>\n\
         </figure>\n"
    )
}
