//! The reliability picture: what scores said beside what was true, as an SVG that needs nothing else.

use super::{intervals::Share, measure::Evaluation};
use std::io::{self, Write};

/// Where the square of the axes lies in the picture, in its units: left, top, and side.
const SQUARE: (f64, f64, f64) = (64.0, 24.0, 400.0);

/// Width and height that a label needs, in units of the picture.
const LABEL: (f64, f64) = (110.0, 16.0);

/// Marks on both axes.
const MARKS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

const STYLE: &str = "\
svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#222}.axis{stroke:#555;fill:none}.grid{stroke:#ddd}\
.ideal{stroke:#777;stroke-dasharray:5 4}.count{paint-order:stroke;stroke:#fff;stroke-width:4px}.range{stroke:#1f6feb;stroke-width:2}.mean{fill:#1f6feb}\
@media(prefers-color-scheme:dark){svg{background:#111}text{fill:#ddd}.axis{stroke:#999}.grid{stroke:#333}\
.ideal{stroke:#888}.count{stroke:#111}.range{stroke:#6cb6ff}.mean{fill:#6cb6ff}}";

/// The place of a score on the horizontal axis.
fn across(value: f64) -> f64 {
    SQUARE.0 + SQUARE.2 * value.clamp(0.0, 1.0)
}

/// The place of a share on the vertical axis.
fn down(value: f64) -> f64 {
    SQUARE.1 + SQUARE.2 * (1.0 - value.clamp(0.0, 1.0))
}

/// Draws one point for each stretch of scores: the mean score, the share that is malicious and one-way, and its interval.
///
/// # Errors
/// When `to` fails.
pub(super) fn write(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    let (left, top, side) = SQUARE;
    let (width, height) = (left + side + 96.0, top + side + 64.0);
    writeln!(
        to,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Scores beside the share of findings that are malicious and one-way\"><style>{STYLE}</style>"
    )?;
    for mark in MARKS {
        let (x, y) = (across(mark), down(mark));
        let (right, bottom) = (left + side, top + side);
        writeln!(to, "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}M{left} {y:.1}H{right}\"/>")?;
        writeln!(to, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{mark}</text>", bottom + 18.0)?;
        writeln!(to, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>", left - 8.0, y + 4.0)?;
    }
    writeln!(to, "<path class=\"axis\" d=\"M{left} {top}V{:.1}H{:.1}\"/>", top + side, left + side)?;
    writeln!(to, "<path class=\"ideal\" d=\"M{left} {:.1}L{:.1} {top}\"/>", top + side, left + side)?;
    // Labels that would lie upon each other are stacked.
    let mut label = (f64::NEG_INFINITY, f64::INFINITY);
    for bucket in &evaluation.calibration {
        if let (Some(score), Share { share: Some(share), low, high, count, of }) = (bucket.mean_score, bucket.one_way) {
            let (x, y) = (across(score) + 9.0, down(share) + 4.0);
            let upon = x - label.0 < LABEL.0 && (y - label.1).abs() < LABEL.1;
            label = (x, if upon { label.1 - LABEL.1 } else { y });
            point(to, score, (share, low, high), (count, of), label)?;
        }
    }
    let middle = top + side / 2.0;
    writeln!(
        to,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">mean score</text>",
        left + side / 2.0,
        top + side + 44.0
    )?;
    writeln!(
        to,
        "<text transform=\"translate(18 {middle}) rotate(-90)\" text-anchor=\"middle\">share malicious and one-way</text>\n</svg>"
    )
}

fn point(
    to: &mut dyn Write,
    score: f64,
    (share, low, high): (f64, f64, f64),
    (count, of): (u64, u64),
    (label_x, label_y): (f64, f64),
) -> io::Result<()> {
    let (x, y) = (across(score), down(share));
    writeln!(
        to,
        "<g><title>mean score {score:.3}: {count} of {of}, {share:.3} ({low:.3} to {high:.3})</title>\
         <path class=\"range\" d=\"M{x:.1} {:.1}V{:.1}\"/><circle class=\"mean\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>\
         <text class=\"count\" x=\"{label_x:.1}\" y=\"{label_y:.1}\">{count} of {of}</text></g>",
        down(high),
        down(low),
    )
}
