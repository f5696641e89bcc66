//! Proposals from a period that is known to be good: what the applications of a fleet talk to, as approvals to be reviewed.

use crate::{cli::BaselineLearnArguments, hunting, talk::Verdict};
use anyhow::{Result, bail};
use monologue_model::{Finding, Level, SignatureState, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
};

/// One application and one service, over all hosts.
#[derive(Default)]
struct Proposal {
    hosts: BTreeSet<String>,
    requests: u64,
    periods: Vec<f64>,
    levels: BTreeSet<Level>,
    said: BTreeSet<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// By signing identifier, team, path and service.
type Key = (Option<String>, Option<String>, Option<String>, String);

/// Hunts, and prints approvals as TOML.
///
/// # Errors
/// When the expiry is no date, or telemetry cannot be hunted.
pub(super) fn learn(arguments: &BaselineLearnArguments) -> Result<Verdict> {
    if Timestamp::parse(&format!("{}T00:00:00Z", arguments.expires)).is_err() {
        bail!("expected a date in --expires, found {:?}; hint: such as 2027-06-30", arguments.expires);
    }
    let report = hunting::run(&arguments.hunt, Level::Info)?;
    let least: Level = arguments.hunt.minimum_level.into();
    let mut proposals: BTreeMap<Key, Proposal> = BTreeMap::new();
    let mut nameless = 0_u64;
    for finding in report.findings.iter().filter(|finding| finding.level >= least && finding.approval.is_none()) {
        match key_of(finding) {
            Some(key) => proposals.entry(key).or_default().add(finding),
            None => nameless += 1,
        }
    }
    let mut text = String::from(
        "# Proposals. An approval takes a finding out of the verdict: read each, and remove what nobody answers for.\n",
    );
    if nameless > 0 {
        let _ = writeln!(
            text,
            "# {nameless} channels are left out: nobody recorded which application, or which service, it was."
        );
    }
    for (key, proposal) in &proposals {
        text.push_str(&proposal.toml(key, arguments));
    }
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Verdict::Nothing)
}

/// How an approval names the application and the service. `None`: not by what is known of it.
fn key_of(finding: &Finding) -> Option<Key> {
    let application = &finding.application;
    let service = finding.destination.service.to_string();
    if service == "unknown" || service.starts_with("masked:") {
        return None;
    }
    let owned = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    let agent = owned(&application.agent);
    match application.signature {
        SignatureState::Platform | SignatureState::Team => {
            Some((owned(&application.signing_id), owned(&application.team_id), agent, service))
        }
        // Without a team, the signing identifier is anybody's to choose: the path is all there is.
        _ => Some((None, None, Some(agent.or_else(|| owned(&application.path))?), service)),
    }
}

impl Proposal {
    fn add(&mut self, finding: &Finding) {
        self.hosts.insert(finding.host.to_string());
        self.requests += finding.exchanges;
        self.levels.insert(finding.level);
        self.said.insert(finding.disposition.to_string());
        self.periods.extend(finding.period_seconds);
        self.from = [self.from, Some(finding.first_time)].into_iter().flatten().min();
        self.until = self.until.max(Some(finding.last_time));
    }

    fn toml(&self, key: &Key, arguments: &BaselineLearnArguments) -> String {
        let (signing_id, team_id, path, service) = key;
        let mut text = String::from("\n[[approval]]\n");
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(text, "{name} = {}", toml::Value::String(value.to_owned()));
        };
        for (name, value) in [("signing_id", signing_id), ("team_id", team_id), ("path", path)] {
            value.iter().for_each(|value| add(name, value));
        }
        add("service", service);
        add("owner", &arguments.owner);
        add("reason", &arguments.reason);
        let said: Vec<&str> = self.said.iter().map(String::as_str).collect();
        let when = |time: Option<Timestamp>| time.map_or_else(String::new, |time| time.to_string());
        add(
            "evidence",
            &format!(
                "{} requests on {} hosts from {} to {}: {}",
                self.requests,
                self.hosts.len(),
                when(self.from),
                when(self.until),
                said.join(", ")
            ),
        );
        add("expires", &arguments.expires);
        // On every host the same clock, or none is written.
        let (least, greatest) = self
            .periods
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, greatest), period| (least.min(*period), greatest.max(*period)));
        if self.periods.len() == self.hosts.len() && greatest <= 1.25 * least {
            let _ = writeln!(text, "cadence_seconds = {:.0}", (least + greatest) / 2.0);
        }
        text
    }
}
