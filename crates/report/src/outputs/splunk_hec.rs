//! `splunk-hec`: one envelope of Splunk's HTTP Event Collector a line, for its `/services/collector/event` interface.
//!
//! `event` is the finding as the `json` output writes it, `time` that of the last request, in seconds. The indexed `fields` are
//! few and flat, as the collector wants them: analytic, disposition, level, and the technique where the disposition is
//! definite. No index is named: the token decides. Events longer than 10,000 bytes are cut by Splunk unless `TRUNCATE` is
//! raised for the source type `monologue:finding`.

use crate::{Output, escape, terms};
use monologue_model::Report;
use serde_json::json;
use std::io::{self, Write};

/// The `splunk-hec` output.
pub(crate) struct SplunkHec;

impl Output for SplunkHec {
    fn name(&self) -> &'static str {
        "splunk-hec"
    }

    fn about(&self) -> &'static str {
        "one envelope of Splunk's HTTP Event Collector a line, source type monologue:finding"
    }

    fn source(&self) -> &'static str {
        include_str!("splunk_hec.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        for finding in &report.findings {
            let envelope = json!({
                // Whole milliseconds are exact far beyond any date that is meant.
                "time": terms::milliseconds(finding.last_time) as f64 / 1000.0,
                "host": finding.host,
                "source": "monologue",
                "sourcetype": "monologue:finding",
                "event": serde_json::to_value(finding)?,
                "fields": terms::known(json!({
                    "analytic": finding.attack.analytic,
                    "disposition": finding.disposition.name(),
                    "level": finding.level.name(),
                    "technique": terms::technique(finding).map(|technique| technique.id),
                })),
            });
            writeln!(to, "{}", escape::json(&serde_json::to_string(&envelope)?))?;
        }
        Ok(())
    }
}
