//! `dettect-data-sources` and `dettect-techniques`: administration files of DeTT&CT, YAML of versions 1.1 and 1.2.
//!
//! Two outputs, since DeTT&CT keeps data sources and techniques in files of their own. Both say what *this* hunt's telemetry had.
//! `device_completeness` follows DeTT&CT's bands from the share of hosts on which a data component was watched at all. The other
//! four qualities cannot be known from one hunt: they are 0, the comment says so, and whoever keeps the file fills them in.
//!
//! Visibility of T1102.003 follows from coverage: 0 none, 1 up to a quarter of the hosts' time, 2 up to a half, 3 up to nine
//! tenths, 4 above. Detection is -1 where nothing could be watched, 0 below a quarter, else 1: a hunt finds what
//! happened, not at once, and what is `unknown` it does not find; more is for the owner of the detection to claim.

use crate::{
    Output,
    components::{self, COMPONENTS, Component},
    escape::yaml,
    terms::{self, ONE_WAY},
    words,
};
use monologue_model::{HuntSummary, Report};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// The `dettect-data-sources` output.
pub(crate) struct DataSources;

/// The `dettect-techniques` output.
pub(crate) struct Techniques;

/// The name of the group of machines that is spoken of.
const SYSTEMS: &str = "hosts of this hunt";

impl Output for DataSources {
    fn name(&self) -> &'static str {
        "dettect-data-sources"
    }

    fn about(&self) -> &'static str {
        "DeTT&CT data source administration (YAML 1.1): which data components this telemetry had"
    }

    fn source(&self) -> &'static str {
        include_str!("dettect.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let summary = &report.summary;
        header(to, "1.1", "data-source-administration")?;
        writeln!(to, "systems:\n  - applicable_to: {}\n    platform: [macOS]", yaml(SYSTEMS))?;
        writeln!(to, "data_sources:")?;
        COMPONENTS.iter().try_for_each(|component| data_source(component, summary, to))
    }
}

impl Output for Techniques {
    fn name(&self) -> &'static str {
        "dettect-techniques"
    }

    fn about(&self) -> &'static str {
        "DeTT&CT technique administration (YAML 1.2): visibility and detection of T1102.003 in this hunt"
    }

    fn source(&self) -> &'static str {
        include_str!("dettect.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let share = components::analytic_percent(&report.summary);
        let date = date(&report.summary);
        let seen = match share {
            None => "no host was looked at".to_owned(),
            Some(share) => format!("both data components of AN1601 were watched for {share:.0} % of host time (mean)"),
        };
        header(to, "1.2", "technique-administration")?;
        writeln!(to, "platform: [macOS]\ntechniques:")?;
        writeln!(to, "  - technique_id: {}\n    technique_name: {}", ONE_WAY.id, yaml(ONE_WAY.name))?;
        writeln!(to, "    detection:\n      - applicable_to: [{}]", yaml(SYSTEMS))?;
        writeln!(
            to,
            "        location: [\"Monologue\"]\n        comment: {}",
            yaml("AN1601, by retrospective hunting")
        )?;
        let found = format!("{seen}; {} findings listed. {}", report.findings.len(), words::attack(&report.summary));
        writeln!(to, "        score_logbook:\n          - date: {date}\n            score: {}", detection(share))?;
        writeln!(to, "            comment: {}", yaml(&found))?;
        writeln!(to, "    visibility:\n      - applicable_to: [{}]\n        comment: \"\"", yaml(SYSTEMS))?;
        writeln!(to, "        score_logbook:\n          - date: {date}\n            score: {}", visibility(share))?;
        writeln!(to, "            comment: {}\n            auto_generated: true", yaml(&seen))
    }
}

fn header(to: &mut dyn Write, version: &str, kind: &str) -> io::Result<()> {
    writeln!(to, "version: {version}\nfile_type: {kind}\nname: {}\ndomain: enterprise-attack", yaml("Monologue"))
}

/// The day of the last record; `null` where there is none.
fn date(summary: &HuntSummary) -> String {
    summary.last_time.map_or_else(|| "null".to_owned(), terms::date)
}

fn data_source(component: &Component, summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    let hosts = component.hosts(summary);
    let of = summary.coverage.len();
    let share = component.percent(summary).unwrap_or(0.0);
    let formats: BTreeSet<&str> = summary.sources.iter().filter_map(|source| source.format.as_deref()).collect();
    let formats: Vec<String> = formats.into_iter().filter(|_| hosts > 0).map(yaml).collect();
    let first = summary.first_time.filter(|_| hosts > 0).map_or_else(|| "null".to_owned(), terms::date);
    let comment = format!(
        "{} watched on {hosts} of {of} hosts, for {share:.0} % of host time (mean); qualities that are 0 besides \
         device_completeness were not measured by this hunt; products are all formats read",
        component.id
    );
    writeln!(to, "  - data_source_name: {}", yaml(component.name))?;
    writeln!(to, "    data_source:\n      - applicable_to: [{}]", yaml(SYSTEMS))?;
    writeln!(to, "        date_registered: {}\n        date_connected: {first}", date(summary))?;
    writeln!(to, "        products: [{}]", formats.join(", "))?;
    writeln!(to, "        available_for_data_analytics: {}\n        comment: {}", hosts > 0, yaml(&comment))?;
    writeln!(to, "        data_quality:\n          device_completeness: {}", completeness(hosts, of))?;
    for unmeasured in ["data_field_completeness", "timeliness", "consistency", "retention"] {
        writeln!(to, "          {unmeasured}: 0")?;
    }
    Ok(())
}

/// DeTT&CT's bands of device completeness: none, up to a quarter, a half, three quarters, 95 %, all but all.
fn completeness(hosts: usize, of: usize) -> u8 {
    match hosts as f64 / of.max(1) as f64 * 100.0 {
        share if share <= 0.0 => 0,
        share if share <= 25.0 => 1,
        share if share <= 50.0 => 2,
        share if share <= 75.0 => 3,
        share if share <= 95.0 => 4,
        _ => 5,
    }
}

fn visibility(share: Option<f64>) -> u8 {
    match share {
        Some(share) if share > 90.0 => 4,
        Some(share) if share > 50.0 => 3,
        Some(share) if share > 25.0 => 2,
        Some(share) if share > 0.0 => 1,
        _ => 0,
    }
}

fn detection(share: Option<f64>) -> i8 {
    match share {
        Some(share) if share > 25.0 => 1,
        Some(share) if share > 0.0 => 0,
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_their_documented_bands() {
        assert_eq!(
            [(0, 4), (1, 4), (2, 4), (3, 4), (19, 20), (4, 4), (0, 0)].map(|(part, all)| completeness(part, all)),
            [0, 1, 2, 3, 4, 5, 0]
        );
        assert_eq!(
            [None, Some(0.0), Some(0.1), Some(26.0), Some(51.0), Some(91.0)].map(visibility),
            [0, 0, 1, 2, 3, 4]
        );
        assert_eq!([None, Some(0.0), Some(25.0), Some(100.0)].map(detection), [-1, -1, 0, 1]);
    }
}
