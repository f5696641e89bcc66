//! Outputs: a report to bytes. One output is one file, one line in [`OUTPUTS`] and one snapshot.

mod components;
pub mod coverage;
pub mod evidence;
pub mod explain;
mod outputs;
mod terms;
mod words;
mod wrap;

pub use monologue_model::escape;

use monologue_model::Report;
use std::io::{self, Write};

/// A way to write a report.
pub trait Output: Sync {
    /// Its name, as in `--output json`.
    fn name(&self) -> &'static str;
    /// One line for `monologue outputs`.
    fn about(&self) -> &'static str;
    /// The source file, whose module comment is the manual page.
    fn source(&self) -> &'static str;
    /// Writes the whole report.
    ///
    /// # Errors
    /// When writing fails.
    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()>;
}

/// Every output.
pub const OUTPUTS: &[&dyn Output] = &[
    &outputs::text::Text,
    &outputs::json::Json,
    &outputs::html::Html,
    &outputs::csv::Csv,
    &outputs::timeline::Timeline,
    &outputs::ocsf::Ocsf,
    &outputs::stix::Stix,
    &outputs::ecs::Ecs,
    &outputs::splunk_hec::SplunkHec,
    &outputs::cef::Cef,
    &outputs::navigator::Navigator,
    &outputs::dettect::DataSources,
    &outputs::dettect::Techniques,
    &outputs::sigma::Sigma,
];

/// The manual page of an output: the comment at the top of its source.
#[must_use]
pub fn manual(output: &dyn Output) -> String {
    let mut page = String::new();
    for line in output.source().lines().map_while(|line| line.strip_prefix("//!")) {
        page.push_str(line.strip_prefix(' ').unwrap_or(line));
        page.push('\n');
    }
    page
}

/// The output of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}
