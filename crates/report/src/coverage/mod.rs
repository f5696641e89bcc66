//! Coverage for people and machines: what the telemetry allows to say, per host and hour, and what would allow more.

mod blind_spots;
mod json;
mod page;
mod picture;
mod text;

pub(crate) use page::section;

pub(crate) use blind_spots::of as blind_spots;

use crate::Output;
use monologue_model::Report;
use std::io::{self, Write};

/// A way to write coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverageForm {
    /// Plain words for a terminal.
    Text,
    /// One JSON object, schema `monologue.coverage/1`.
    Json,
    /// A page for a browser: the map of each host and hour.
    Html,
    /// The map alone, as a picture.
    Svg,
}

impl CoverageForm {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Html, Self::Svg];
}

impl Output for CoverageForm {
    fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
            Self::Svg => "svg",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Text => "plain words for a terminal (the default)",
            Self::Json => "one JSON object (schema monologue.coverage/1)",
            Self::Html => "a page for a browser: the map of each host and hour",
            Self::Svg => "the map alone, as a picture",
        }
    }

    fn source(&self) -> &'static str {
        include_str!("mod.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text => text::write(&report.summary, to),
            Self::Json => json::write(&report.summary, to),
            Self::Html => page::write(&report.summary, to),
            Self::Svg => picture::write(&report.summary, to),
        }
    }
}

/// Every way to write coverage.
pub const COVERAGE_OUTPUTS: &[&dyn Output] =
    &[&CoverageForm::Text, &CoverageForm::Json, &CoverageForm::Html, &CoverageForm::Svg];
