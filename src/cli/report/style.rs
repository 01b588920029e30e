//! How pages look, in light and in dark.

// None of this has a `<`, so it is the same text in XML.

/// Colours, in light and in dark.
pub const COLOURS: &str = "\
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --faint: #59636e; --line: #d5dae0; --panel: #f5f7f9;
  --c0: #1d5fd1; --c1: #b84a00; --c2: #12793a; --c3: #7a2fc0; --c4: #b3204d; --c5: #0b6e85; }
@media (prefers-color-scheme: dark) {
  :root { --page: #101418; --text: #e7ebef; --faint: #9aa5b1; --line: #333b44; --panel: #181e24;
    --c0: #7fb0ff; --c1: #ff9d57; --c2: #5fd98a; --c3: #c79bff; --c4: #ff8bab; --c5: #55cfe6; }
}
";

/// What is drawn.
pub const DRAWINGS: &str = "\
svg text { fill: var(--text); font: 12px system-ui, sans-serif; }
svg .strong { font-weight: 600; }
svg .faint { fill: var(--faint); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .track { fill: var(--line); opacity: .5; }
svg .panel { fill: var(--panel); stroke: var(--line); }
svg .path { fill: none; stroke-width: 1.5; opacity: .6; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
.f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); }
.f3 { fill: var(--c3); } .f4 { fill: var(--c4); } .f5 { fill: var(--c5); }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); }
";

/// What is around drawings on a page.
pub const PAGE: &str = "\
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
header p { margin: 0; color: var(--faint); }
.side { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); align-items: start; }
figure { margin: 0; padding: .75rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; max-width: 30rem; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 12px; height: 12px; margin-right: .4rem; }
.wide { overflow-x: auto; margin: 1rem 0; overflow-wrap: normal; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
.text { text-align: left; }
details { margin: .5rem 0; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: 8px; }
details[open] summary { margin-bottom: .5rem; }
summary { cursor: pointer; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; font-size: .875rem; }
dt { color: var(--faint); }
dd { margin: 0; }
";
