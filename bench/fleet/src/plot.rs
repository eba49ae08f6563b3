//! The refresh load over time as one SVG.

use std::fmt::Write;

use crate::{fleet::Figures, report::Report, scenario::SCENARIOS};

/// The colours of lines, ours first; told apart in shades of grey too.
const COLOURS: [&str; 4] = ["#0b6e4f", "#c1440e", "#7a5195", "#b8860b"];

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 56.0;
const GAP: f64 = 64.0;

/// What is beyond this many times the mean is cut off.
const MOST: f64 = 12.0;

/// One panel for each scenario, one line for each kind of client whose tokens live 300 s.
#[must_use]
pub fn svg(report: &Report) -> String {
    let panels = SCENARIOS.len() as f64;
    let (width, height) = (WIDTH + LEFT + 24.0, panels * (HEIGHT + GAP) + 56.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n<title>Refreshes over their steady \
         mean, {} clients</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        report.clients
    );
    for (panel, scenario) in SCENARIOS.iter().enumerate() {
        let top = panel as f64 * (HEIGHT + GAP) + 32.0;
        let shown: Vec<_> = report.of(scenario.name).filter(|it| it.lifetime == 300).collect();
        draw_panel(&mut out, scenario.title, top, &shown);
    }
    let names: Vec<_> = report.of("steady").filter(|it| it.lifetime == 300).collect();
    for (at, figures) in names.iter().enumerate() {
        let (x, y) = (LEFT + at as f64 * 210.0, height - 16.0);
        let _ = writeln!(
            out,
            "<path d=\"M{x} {:.1}h24\" stroke=\"{}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{y}\">{}</text>",
            y - 4.0,
            COLOURS[at % COLOURS.len()],
            x + 30.0,
            figures.clients
        );
    }
    out.push_str("</svg>\n");
    out
}

fn draw_panel(out: &mut String, title: &str, top: f64, shown: &[&Figures]) {
    let bottom = top + HEIGHT;
    let steps = shown.iter().map(|it| it.load.len()).max().unwrap_or(1).max(2);
    let most = shown.iter().flat_map(|it| &it.load).copied().fold(2.0, f64::max).min(MOST);
    let y = |load: f64| bottom - load.min(most) / most * HEIGHT;
    let x = |step: usize| LEFT + step as f64 / (steps - 1) as f64 * WIDTH;
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{title}</text>\n\
         <path d=\"M{LEFT} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#444\"/>",
        top - 10.0,
        LEFT + WIDTH
    );
    for mark in [1.0, most.floor()] {
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {0:.1}H{1}\" stroke=\"#ccc\" stroke-dasharray=\"4 4\"/>\
             <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{mark}x</text>",
            y(mark),
            LEFT + WIDTH,
            LEFT - 6.0,
            y(mark) + 4.0
        );
    }
    let step = shown.first().map_or(0.0, |it| it.step);
    for part in 0..=4 {
        let at = (steps - 1) * part / 4;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{:.0} min</text>",
            x(at),
            bottom + 18.0,
            at as f64 * step / 60.0
        );
    }
    // Ours is drawn last, above the others.
    for (at, figures) in shown.iter().enumerate().rev() {
        let mut path = String::new();
        for (step, load) in figures.load.iter().enumerate() {
            let _ =
                write!(path, "{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, x(step), y(*load));
        }
        let colour = COLOURS[at % COLOURS.len()];
        let _ = writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>"
        );
    }
}
