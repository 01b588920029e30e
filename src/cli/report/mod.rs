//! Pages for people: one file that needs nothing else, no network and no script. They are well-formed XML too.

mod bars;
mod columns;
mod machine;
mod mosaic;
mod scatter;
mod style;
mod svg;

use std::fmt::Write;

pub use self::bars::{Bar, bars};
pub use self::columns::columns;
pub use self::machine::machine;
pub use self::mosaic::{Cell, mosaic};
pub use self::scatter::{Chart, Point, Series, scatter};
use self::style::{COLOURS, DRAWINGS, PAGE};
pub use self::svg::svg;

/// A page with sections. Names and texts are escaped; what is called `html` is markup made here.
pub struct Page {
    html: String,
}

impl Page {
    pub fn new(title: &str, subtitle: &str) -> Self {
        let (title, subtitle) = (escape(title), escape(subtitle));
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>{title}: {subtitle}</title>\n<style>\n{COLOURS}{DRAWINGS}{PAGE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
             <p>{subtitle}</p>\n</header>\n"
        );
        Self { html }
    }

    pub fn section(&mut self, heading: &str, html: &str) {
        self.html += &format!("<section>\n<h2>{}</h2>\n{html}</section>\n", escape(heading));
    }

    pub fn finish(self) -> String {
        self.html + "</body>\n</html>\n"
    }
}

/// `text` as content or as the value of an attribute. Characters that no page may have are replaced.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            char if char.is_control() && !char.is_whitespace() => escaped.push('\u{FFFD}'),
            char => escaped.push(char),
        }
    }
    escaped
}

/// A paragraph.
pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// Pictures side by side, or below each other where there is no room.
pub fn side_by_side(html: &[String]) -> String {
    format!("<div class=\"side\">\n{}</div>\n", html.concat())
}

/// What can be folded away.
pub fn details(summary: &str, open: bool, html: &str) -> String {
    let open = if open { " open=\"open\"" } else { "" };
    format!("<details{open}>\n<summary>{}</summary>\n{html}</details>\n", escape(summary))
}

/// Names with their values.
pub fn list(entries: &[(&str, String)]) -> String {
    let mut html = "<dl>\n".to_owned();
    for (name, value) in entries {
        let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    html + "</dl>\n"
}

/// A header and rows, of which the columns that `is_text` names are aligned to the left.
pub fn table(lines: &[Vec<String>], is_text: impl Fn(usize) -> bool) -> String {
    let row = |tag: &str, cells: &Vec<String>| {
        let cell = |(at, cell): (usize, &String)| {
            let class = if is_text(at) { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        };
        format!("<tr>{}</tr>\n", cells.iter().enumerate().map(cell).collect::<String>())
    };
    let head = lines.first().map_or_else(String::new, |cells| row("th", cells));
    let body: String = lines.iter().skip(1).map(|cells| row("td", cells)).collect();
    format!("<div class=\"wide\"><table>\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table></div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(
            escape("<a href=\"x\">'&amp;\u{1b}</a>\n"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;\u{FFFD}&lt;/a&gt;\n"
        );
        let outside = "</td><script>".to_owned();
        let mut page = Page::new(&outside, &outside);
        let points = vec![Point { x: 1.0, y: 2.0, label: outside.clone() }];
        let series = vec![Series { name: outside.clone(), points }];
        let chart = Chart { caption: outside.clone(), axes: ["</td><script>"; 2], series };
        let html = [
            paragraph(&outside),
            details(&outside, true, &list(&[(&outside, outside.clone())])),
            table(&[vec![outside.clone()], vec![outside.clone()]], |_| true),
            columns(&outside, &[1.0], 1.0, [&outside, &outside], &outside),
            mosaic(&outside, &[vec![Cell::Gray(1)]], &[&outside]),
            bars(&outside, &[Bar { label: outside.clone(), value: 1.0, text: outside.clone() }], 1.0),
            scatter(&chart),
        ];
        page.section(&outside, &html.concat());
        assert!(!page.finish().contains("<script"));
        assert!(!svg(&[chart]).contains("<script"));
    }
}
