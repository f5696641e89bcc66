//! The picture of one finding: requests and what became of them, the intervals between them, and their sizes.

use super::safe;
use crate::words;
use monologue_model::{Finding, TimelineKind, TimelinePoint, Timestamp};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// Width of the drawing area in user units; the page scales it.
const WIDTH: f64 = 960.0;
/// Room for labels at the left.
const LEFT: f64 = 150.0;
/// Heights of the three strips and the axis.
const STRIPS: [(f64, f64); 3] = [(14.0, 76.0), (98.0, 158.0), (180.0, 240.0)];
const AXIS: f64 = 250.0;
const HEIGHT: f64 = 280.0;

/// The kinds, the row each is drawn in, and its words.
const KINDS: [(TimelineKind, &str, &str); 6] = [
    (TimelineKind::Silent, "silent", "nothing came back"),
    (TimelineKind::Abandoned, "abandoned", "given up"),
    (TimelineKind::Handshake, "handshake", "TLS handshake only"),
    (TimelineKind::Answered, "answered", "answered"),
    (TimelineKind::ActedOn, "acted", "acted on"),
    (TimelineKind::Unseen, "unseen", "reply not seen"),
];

/// Maps a value to a position within a strip or the time axis.
struct Scale {
    from: f64,
    until: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// A scale that is never empty, so that no position is infinite.
    fn new(from: f64, until: f64, start: f64, end: f64) -> Self {
        let until = if until - from > f64::EPSILON { until } else { from + 1.0 };
        Self { from, until, start, end }
    }

    fn at(&self, value: f64) -> f64 {
        let share = ((value - self.from) / (self.until - self.from)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }
}

/// Draws the picture.
pub(super) fn draw(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let points = &finding.timeline;
    if points.is_empty() {
        return Ok(());
    }
    let seconds = |time: Timestamp| time.seconds_f64();
    let time = Scale::new(seconds(finding.first_time), seconds(finding.last_time), LEFT, WIDTH - 16.0);
    writeln!(
        to,
        "<figure><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Timeline of {} requests to {}\">",
        finding.exchanges,
        safe(&finding.destination.host),
    )?;
    requests(to, points, &time)?;
    intervals(to, points, &time)?;
    sizes(to, points, &time)?;
    axis(to, finding, &time)?;
    writeln!(to, "</svg><figcaption>")?;
    for (kind, class, words) in KINDS {
        let count = points.iter().filter(|point| point.kind == kind).count();
        if count > 0 {
            // Of a thinned picture, counts would be those of the picture.
            let count = if points.len() as u64 == finding.exchanges { format!(": {count}") } else { String::new() };
            writeln!(to, "<span class=\"key {class}\">{words}{count}</span> ")?;
        }
    }
    writeln!(to, "<span class=\"key up\">bytes sent</span> <span class=\"key down\">bytes received</span> ")?;
    let thinned = if (points.len() as u64) < finding.exchanges { "; the picture shows every few of them" } else { "" };
    writeln!(
        to,
        "<span class=\"note\">{} requests{thinned}. Times in UTC.</span></figcaption></figure>",
        finding.exchanges
    )
}

fn label(to: &mut dyn Write, strip: (f64, f64), text: &str) -> io::Result<()> {
    let middle = f64::midpoint(strip.0, strip.1) + 4.0;
    writeln!(to, "<text x=\"0\" y=\"{middle:.1}\">{text}</text>")?;
    rule(to, strip)
}

fn rule(to: &mut dyn Write, strip: (f64, f64)) -> io::Result<()> {
    let below = strip.1 + 4.0;
    writeln!(to, "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{below:.1}\" y2=\"{below:.1}\"/>")
}

/// One mark a request, in the row of its kind; shapes differ as well as colours. One path a kind keeps the page small.
fn requests(to: &mut dyn Write, points: &[TimelinePoint], time: &Scale) -> io::Result<()> {
    let [strip, ..] = STRIPS;
    let present: Vec<_> = KINDS.iter().filter(|(kind, ..)| points.iter().any(|point| point.kind == *kind)).collect();
    let rows = Scale::new(0.0, present.len() as f64, strip.0, strip.1);
    rule(to, strip)?;
    for (row, (kind, class, words)) in present.iter().enumerate() {
        let y = rows.at(row as f64 + 0.5);
        let mut path = String::new();
        for point in points.iter().filter(|point| point.kind == *kind) {
            let x = time.at(point.time.seconds_f64());
            // Writing to a String cannot fail.
            let _ = match kind {
                TimelineKind::Silent => write!(path, "M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0-8 0", x - 4.0),
                TimelineKind::Abandoned => write!(path, "M{:.1} {:.1}l8 8m0-8l-8 8", x - 4.0, y - 4.0),
                TimelineKind::Handshake => write!(path, "M{:.1} {:.1}h7v7h-7z", x - 3.5, y - 3.5),
                TimelineKind::Answered => write!(path, "M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", x - 4.0),
                TimelineKind::ActedOn => write!(path, "M{x:.1} {:.1}l5 9h-10z", y - 5.0),
                TimelineKind::Unseen => write!(path, "M{:.1} {y:.1}h8", x - 4.0),
            };
        }
        let hollow = match kind {
            TimelineKind::Answered | TimelineKind::ActedOn => "",
            _ => " hollow",
        };
        writeln!(
            to,
            "<text class=\"small end\" x=\"{}\" y=\"{:.1}\">{words}</text><path class=\"{class}{hollow}\" d=\"{path}\"/>",
            LEFT - 10.0,
            y + 4.0
        )?;
    }
    Ok(())
}

/// The interval before each request, on a logarithmic scale.
fn intervals(to: &mut dyn Write, points: &[TimelinePoint], time: &Scale) -> io::Result<()> {
    let [_, strip, _] = STRIPS;
    label(to, strip, "interval")?;
    let pairs: Vec<(f64, f64)> = points
        .windows(2)
        .filter_map(|pair| match pair {
            [one, two] => Some((two.time.seconds_f64(), two.time.since(one.time) as f64 / 1e9)),
            _ => None,
        })
        .filter(|(_, interval)| *interval > 0.0)
        .collect();
    let (least, greatest) = extent(pairs.iter().map(|(_, interval)| *interval));
    let height = Scale::new(least.ln() - 0.1, greatest.ln() + 0.1, strip.1, strip.0);
    let mut path = String::new();
    for (at, interval) in &pairs {
        // A line without length, whose round ends are a dot. Writing to a String cannot fail.
        let _ = write!(path, "M{:.1} {:.1}h0", time.at(*at), height.at(interval.ln()));
    }
    writeln!(to, "<path class=\"interval\" d=\"{path}\"/>")?;
    if !pairs.is_empty() {
        bounds(to, strip, &brief(greatest), &brief(least))?;
    }
    Ok(())
}

/// Bytes sent and received by each request, on a logarithmic scale.
fn sizes(to: &mut dyn Write, points: &[TimelinePoint], time: &Scale) -> io::Result<()> {
    let [_, _, strip] = STRIPS;
    label(to, strip, "bytes")?;
    let all = points
        .iter()
        .flat_map(|point| [point.request_bytes, point.response_bytes])
        .flatten()
        .map(|bytes| f64::from(bytes) + 1.0);
    let (least, greatest) = extent(all);
    let height = Scale::new(least.ln() - 0.1, greatest.ln() + 0.1, strip.1, strip.0);
    let (mut sent, mut received) = (String::new(), String::new());
    for point in points {
        let x = time.at(point.time.seconds_f64());
        let y = |bytes: u32| height.at((f64::from(bytes) + 1.0).ln());
        // Writing to a String cannot fail.
        if let Some(bytes) = point.request_bytes {
            let _ = write!(sent, "M{x:.1} {:.1}l3.5 6h-7z", y(bytes) - 3.0);
        }
        if let Some(bytes) = point.response_bytes {
            let _ = write!(received, "M{x:.1} {:.1}l3.5-6h-7z", y(bytes) + 3.0);
        }
    }
    writeln!(to, "<path class=\"sent\" d=\"{sent}\"/><path class=\"received\" d=\"{received}\"/>")?;
    if !sent.is_empty() || !received.is_empty() {
        bounds(to, strip, &format!("{:.0}", greatest - 1.0), &format!("{:.0}", least - 1.0))?;
    }
    Ok(())
}

fn bounds(to: &mut dyn Write, strip: (f64, f64), top: &str, bottom: &str) -> io::Result<()> {
    let x = LEFT - 8.0;
    writeln!(to, "<text class=\"small end\" x=\"{x}\" y=\"{:.1}\">{top}</text>", strip.0 + 6.0)?;
    if top != bottom {
        writeln!(to, "<text class=\"small end\" x=\"{x}\" y=\"{:.1}\">{bottom}</text>", strip.1 + 2.0)?;
    }
    Ok(())
}

/// First and last moment, and hours or days between them.
fn axis(to: &mut dyn Write, finding: &Finding, time: &Scale) -> io::Result<()> {
    let text = |moment: Timestamp| safe(&words::moment(moment));
    writeln!(
        to,
        "<text class=\"small\" x=\"{LEFT}\" y=\"{0:.1}\">{1}</text><text class=\"small end\" x=\"{2}\" y=\"{0:.1}\">{3}</text>",
        AXIS + 18.0,
        text(finding.first_time),
        WIDTH - 8.0,
        text(finding.last_time),
    )?;
    let span = time.until - time.from;
    let steps = [60.0, 300.0, 900.0, 3600.0, 10_800.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0];
    let step = steps.into_iter().find(|step| span / step <= 12.0).unwrap_or(span.max(1.0));
    let mut tick = (time.from / step).ceil() * step;
    for _ in 0..16 {
        if tick > time.until {
            break;
        }
        let x = time.at(tick);
        let whole = Timestamp::from_seconds(tick as i64).map(words::moment).unwrap_or_default();
        let shown = if step >= 86_400.0 { whole.get(5..10) } else { whole.get(11..16) };
        writeln!(
            to,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"14\" y2=\"{AXIS}\"/><text class=\"small middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            AXIS + 4.0,
            shown.unwrap_or_default(),
        )?;
        tick += step;
    }
    Ok(())
}

/// Smallest and largest of positive values; 1 and 1 where there is none.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite() && *value > 0.0) {
        least = least.min(value);
        greatest = greatest.max(value);
    }
    if least <= greatest { (least, greatest) } else { (1.0, 1.0) }
}

/// An interval in two or three characters and a unit.
fn brief(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}
