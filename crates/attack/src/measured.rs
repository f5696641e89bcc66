//! What was measured at this site: coverage and findings, read from the files that `coverage` and `hunt` write.

use monologue_model::Sight;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The coverage contract that is read; later ones with the same prefix are read as far as they agree.
const COVERAGE: &str = "monologue.coverage/1";

/// The finding contract that is read.
const FINDING: &str = "monologue.finding/1";

/// A sight over all hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SightShare {
    /// Hosts that show it at any time.
    pub hosts: u64,
    /// Mean over all hosts of the share, 0 to 100, of their time in which it was complete.
    pub mean_percent: f64,
    /// Stretches in which something of it was lost.
    pub losses: u64,
}

/// A claim over all hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimShare {
    /// Its stable name.
    pub claim: String,
    /// The sentence.
    pub sentence: String,
    /// Host-hours in which it holds.
    pub holds: u64,
    /// All host-hours.
    pub of: u64,
}

/// Coverage of the site.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// Hosts.
    pub hosts: u64,
    /// First record.
    pub from: Option<String>,
    /// Last record.
    pub until: Option<String>,
    /// Each sight that any host shows.
    pub sights: BTreeMap<String, SightShare>,
    /// Claims.
    pub claims: Vec<ClaimShare>,
    /// Collection steps with the host-hours of claims they would unlock, the largest first.
    pub steps: Vec<(String, u64)>,
    /// Hosts whose sensors lost records that would show exchanges: nothing is said from absence there.
    pub hosts_with_missing_exchanges: u64,
}

impl Coverage {
    /// Reads the JSON of `monologue coverage --output json`.
    ///
    /// # Errors
    /// When it is no such file; the text says what was expected.
    pub fn read(text: &str) -> Result<Self, String> {
        let hint = "hint: `monologue coverage PATH… --output json=FILE` writes one";
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("expected one JSON object of the schema {COVERAGE}: {error}; {hint}"))?;
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        if schema != COVERAGE {
            return Err(format!("expected schema {COVERAGE}, found {schema:?}; {hint}"));
        }
        let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned();
        let hosts = list(&value, "hosts").ok_or_else(|| format!("expected a list `hosts`; {hint}"))?;
        let mut coverage = Self {
            hosts: hosts.len() as u64,
            from: text_of(&value, "from"),
            until: text_of(&value, "until"),
            ..Self::default()
        };
        for host in &hosts {
            coverage.hosts_with_missing_exchanges += u64::from(number(host, "missing_exchanges") > 0);
            for sight in list(host, "sights").unwrap_or_default() {
                let Some(name) = text_of(&sight, "sight").filter(|name| Sight::from_name(name).is_some()) else {
                    continue;
                };
                let percent = sight.get("percent").and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 100.0);
                let share = coverage.sights.entry(name).or_default();
                share.hosts += u64::from(percent > 0.0);
                share.mean_percent += percent / hosts.len() as f64;
                share.losses += number(&sight, "losses");
            }
        }
        for claim in list(&value, "claims").unwrap_or_default() {
            let hours = claim.get("host_hours").cloned().unwrap_or_default();
            coverage.claims.push(ClaimShare {
                claim: text_of(&claim, "claim").unwrap_or_default(),
                sentence: text_of(&claim, "sentence").unwrap_or_default(),
                holds: number(&hours, "holds"),
                of: number(&hours, "of"),
            });
        }
        for step in list(&value, "steps").unwrap_or_default() {
            coverage.steps.extend(text_of(&step, "step").map(|text| (text, number(&step, "host_hours"))));
        }
        coverage.steps.sort_by_key(|(_, hours)| std::cmp::Reverse(*hours));
        Ok(coverage)
    }

    /// The claim of that name. `None` where the file does not know it.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&ClaimShare> {
        self.claims.iter().find(|claim| claim.claim == name)
    }
}

/// Findings of the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// All findings in the file.
    pub total: u64,
    /// By level.
    pub levels: BTreeMap<String, u64>,
    /// By disposition.
    pub dispositions: BTreeMap<String, u64>,
    /// By the meaning of "one-way" they match; a finding may match several.
    pub readings: BTreeMap<String, u64>,
    /// Hosts with a finding.
    pub hosts: BTreeSet<String>,
    /// Those covered by an approval.
    pub approved: u64,
    /// Lines that are no finding.
    pub refused: u64,
}

impl Findings {
    /// Reads the NDJSON of `monologue hunt --output json`. Lines that are no findings are counted.
    ///
    /// # Errors
    /// When there are lines and none is a finding.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut findings = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let finding: Value = serde_json::from_str(line).unwrap_or_default();
            if text_of(&finding, "schema").as_deref() != Some(FINDING) {
                findings.refused += 1;
                continue;
            }
            findings.total += 1;
            let count = |counts: &mut BTreeMap<String, u64>, key: &str| {
                *counts.entry(text_of(&finding, key).unwrap_or_else(|| "not stated".to_owned())).or_default() += 1;
            };
            count(&mut findings.levels, "level");
            count(&mut findings.dispositions, "disposition");
            let readings = finding.get("readings").and_then(Value::as_array);
            for reading in readings.into_iter().flatten().filter_map(Value::as_str) {
                *findings.readings.entry(reading.to_owned()).or_default() += 1;
            }
            findings.hosts.extend(text_of(&finding, "host"));
            findings.approved += u64::from(finding.get("approval").is_some_and(|approval| !approval.is_null()));
        }
        if findings.total == 0 && findings.refused > 0 {
            return Err(format!(
                "expected findings of schema {FINDING}, one a line, found {} other lines; hint: `monologue hunt PATH… --output json=FILE` writes them",
                findings.refused
            ));
        }
        Ok(findings)
    }
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn coverage_is_summed_over_hosts_and_a_host_without_a_sight_counts_as_none() {
        let file = json!({ "schema": "monologue.coverage/1", "from": "2026-01-01T00:00:00Z", "until": null,
            "hosts": [{ "host": "a", "missing_exchanges": 3, "sights": [{ "sight": "process.exec", "percent": 90.0, "losses": 2 }] },
                { "host": "b", "sights": [{ "sight": "unheard.of", "percent": 100.0 }] }],
            "claims": [{ "claim": "no-reply", "sentence": "s", "host_hours": { "holds": 3, "partly": 1, "blind": 2, "of": 6 } }],
            "steps": [{ "step": "small", "host_hours": 1 }, { "step": "large", "host_hours": 9 }] });
        let coverage = Coverage::read(&file.to_string()).unwrap();
        assert_eq!(coverage.sights["process.exec"], SightShare { hosts: 1, mean_percent: 45.0, losses: 2 });
        assert_eq!(coverage.sights.len(), 1);
        assert_eq!((coverage.hosts, coverage.hosts_with_missing_exchanges), (2, 1));
        assert_eq!((coverage.claim("no-reply").unwrap().holds, coverage.claim("no-reply").unwrap().of), (3, 6));
        assert_eq!(coverage.steps[0].0, "large");
        assert!(Coverage::read("{}").unwrap_err().contains("monologue.coverage/1"));
        assert!(Coverage::read("no").unwrap_err().contains("JSON"));
    }

    #[test]
    fn findings_are_counted_and_other_lines_too() {
        let line = json!({ "schema": "monologue.finding/1", "host": "a", "level": "high", "disposition": "reply-unhandled",
            "readings": ["an1601-strict"], "approval": null });
        let findings = Findings::read(&format!("{line}\n\n{{\"schema\":\"other\"}}\n")).unwrap();
        assert_eq!((findings.total, findings.refused, findings.approved), (1, 1, 0));
        assert_eq!(findings.readings["an1601-strict"], 1);
        assert!(Findings::read("x\n").is_err());
        assert_eq!(Findings::read("").unwrap().total, 0);
    }
}
