//! `json`: NDJSON, one finding a line, with the stable keys of `monologue.finding/1`.

use crate::{Output, escape};
use monologue_model::Report;
use std::io::{self, Write};

/// The `json` output.
pub(crate) struct Json;

impl Output for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "NDJSON, one finding a line, for programs (schema monologue.finding/1)"
    }

    fn source(&self) -> &'static str {
        include_str!("json.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        for finding in &report.findings {
            let line = serde_json::to_string(finding)?;
            to.write_all(escape::json(&line).as_bytes())?;
            to.write_all(b"\n")?;
        }
        Ok(())
    }
}
