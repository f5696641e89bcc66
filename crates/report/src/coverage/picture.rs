//! The map: for each host and claim, the hours in which it holds, holds in part, or cannot be made. Plain SVG.

use crate::{escape, words};
use monologue_model::{ClaimState, HostClaim, HuntSummary, Timestamp};
use std::io::{self, Write};

/// Hosts drawn; more are counted in words.
pub(crate) const HOSTS_SHOWN: usize = 120;

/// Room for the names of claims at the left.
const LEFT: f64 = 150.0;
/// Width of the whole.
const WIDTH: f64 = 960.0;
/// Height of a row.
const ROW: f64 = 13.0;

/// The time axis all maps share, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    from: f64,
    until: f64,
}

impl Axis {
    /// The window of all hosts, by whole hours. `None` if there is none.
    pub(crate) fn of(summary: &HuntSummary) -> Option<Self> {
        let from = summary.coverage.iter().map(|host| host.from.hour()).min()?;
        let until = summary.coverage.iter().map(|host| host.until.hour().saturating_add(1)).max()?;
        Some(Self { from: from as f64 * 3600.0, until: (until as f64 * 3600.0).max(from as f64 * 3600.0 + 3600.0) })
    }

    fn x(self, seconds: f64) -> f64 {
        let share = ((seconds - self.from) / (self.until - self.from)).clamp(0.0, 1.0);
        LEFT + share * (WIDTH - LEFT)
    }

    /// Its two ends, for people.
    pub(crate) fn ends(self) -> (String, String) {
        let text = |seconds: f64| Timestamp::from_seconds(seconds as i64).map(words::moment).unwrap_or_default();
        (text(self.from), text(self.until))
    }
}

/// Height of the map of one host.
pub(crate) fn height(claims: &[HostClaim]) -> f64 {
    claims.len() as f64 * ROW + 6.0
}

/// Draws the rows of one host, from `top` on. The element around it is the caller's.
pub(crate) fn rows(to: &mut dyn Write, claims: &[HostClaim], axis: Axis, top: f64) -> io::Result<()> {
    for (at, claim) in claims.iter().enumerate() {
        let y = top + at as f64 * ROW;
        writeln!(to, "<text class=\"small\" x=\"0\" y=\"{:.1}\">{}</text>", y + ROW - 3.0, escape::html(claim.claim))?;
        for stretch in &claim.stretches {
            let start = stretch.from.seconds_f64();
            let (left, right) = (axis.x(start), axis.x(start + stretch.hours as f64 * 3600.0));
            // Shape differs as well as colour: part is half as high, blind is a thin line.
            let (height, class) = match stretch.state {
                ClaimState::Holds => (ROW - 3.0, "holds"),
                ClaimState::Partly => ((ROW - 3.0) / 2.0, "partly"),
                ClaimState::Blind => (1.5, "blinded"),
            };
            writeln!(
                to,
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{} for {} from {}</title></rect>",
                y + ROW - 2.0 - height,
                (right - left).max(0.5),
                stretch.state.name(),
                words::plural(stretch.hours, "hour"),
                words::moment(stretch.from),
            )?;
        }
    }
    Ok(())
}

/// Colours of the map outside a page; a page has its own.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1b1f24}.small{font-size:10px;fill:#5b6570}.end{text-anchor:end}.host{font-weight:650}\
.paper{fill:#fff}.holds{fill:#2f7d4f}.partly{fill:#a16207}.blinded{fill:#9aa4b0}\
@media (prefers-color-scheme:dark){text{fill:#e6e9ed}.small{fill:#9aa4b0}.paper{fill:#14171b}.holds{fill:#6fcf97}.partly{fill:#e5b94e}}";

/// Writes the map of all hosts as a picture of its own.
pub(super) fn write(summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    let hosts: Vec<_> = summary.coverage.iter().zip(&summary.claims.hosts).take(HOSTS_SHOWN).collect();
    let total = 70.0 + hosts.iter().map(|(_, claims)| height(claims) + 26.0).sum::<f64>();
    writeln!(
        to,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 0 {:.0} {total:.0}\" width=\"{:.0}\" height=\"{total:.0}\" role=\"img\" \
         aria-label=\"Which claims the telemetry allows, by host and hour\"><style>{STYLE}</style>\
         <rect class=\"paper\" x=\"-12\" width=\"{:.0}\" height=\"{total:.0}\"/>",
        WIDTH + 24.0,
        WIDTH + 24.0,
        WIDTH + 24.0,
    )?;
    writeln!(to, "<text class=\"host\" x=\"0\" y=\"20\">What could be seen, by host and hour</text>")?;
    for (at, (class, words)) in LEGEND.into_iter().enumerate() {
        let x = LEFT + at as f64 * 200.0;
        let height = [10.0, 5.0, 1.5].get(at).copied().unwrap_or(10.0);
        writeln!(
            to,
            "<rect class=\"{class}\" x=\"{x:.0}\" y=\"{:.1}\" width=\"24\" height=\"{height}\"/><text class=\"small\" x=\"{:.0}\" y=\"42\">{words}</text>",
            42.0 - height,
            x + 30.0
        )?;
    }
    if let Some(axis) = Axis::of(summary) {
        let (from, until) = axis.ends();
        writeln!(
            to,
            "<text class=\"small\" x=\"{LEFT}\" y=\"60\">{from} UTC</text><text class=\"small end\" x=\"{WIDTH}\" y=\"60\">{until} UTC</text>"
        )?;
        let mut top = 70.0;
        for (host, claims) in hosts {
            writeln!(to, "<text class=\"host\" x=\"0\" y=\"{:.1}\">{}</text>", top + 14.0, escape::html(&host.host))?;
            rows(to, claims, axis, top + 20.0)?;
            top += height(claims) + 26.0;
        }
    }
    writeln!(to, "</svg>")
}

/// Classes and words of the three states.
pub(crate) const LEGEND: [(&str, &str); 3] =
    [("holds", "the claim holds"), ("partly", "in part, or with loss"), ("blinded", "cannot be made")];
