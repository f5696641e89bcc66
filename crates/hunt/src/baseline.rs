//! Baselines: which application may talk to which service, who says so, why, and until when.
//!
//! An approval names an application by its signature, or by the path of its file where it has none, and a destination. It takes
//! a finding out of the verdict, never out of the evidence: the finding is kept at level `info` and names the approval. An
//! application that is approved and does something else is *drift*, which the finding says.

use crate::finding::duration;
use monologue_model::{ApplicationKey, ApprovalOutcome, Channel, Finding, Timestamp};
use std::{collections::BTreeSet, sync::Arc};

/// How far a cadence may be off the approved one: a quarter.
const CADENCE_TOLERANCE: f64 = 0.25;

/// One approval.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Signing identifier. `None`: the application is named by its path alone.
    pub signing_id: Option<String>,
    /// Team identifier. `None`: a program of macOS, or one that no team signed.
    pub team_id: Option<String>,
    /// Path of the program, home folder as `~`; of an interpreter's script or a job's label, where one runs for it.
    pub path: Option<String>,
    /// The service: a registrable domain, a full name, an address, or a part of a platform; `*.` before a name stands for
    /// every name below it.
    pub service: String,
    /// Hosts it holds for; `*` stands for any text. Empty: all.
    pub hosts: Vec<String>,
    /// Period of its requests in seconds. `None`: any.
    pub cadence_seconds: Option<f64>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// What it was learnt from. Empty where nobody wrote it down.
    pub evidence: String,
    /// The last day on which it holds, as it was written: `2027-06-30`.
    pub expires: String,
    /// The end of that day, in UTC.
    pub expires_at: Timestamp,
    /// Where it stands: file and line.
    pub place: Arc<str>,
}

/// All approvals of a hunt.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    approvals: Vec<Approval>,
    /// When it is read: what expired before does not hold.
    now: Timestamp,
}

/// Something an approval should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Where it stands.
    pub place: Arc<str>,
    /// What is wrong, and what to do.
    pub what: String,
}

/// What a baseline says of one finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word {
    pub(crate) approval: Option<ApprovalOutcome>,
    pub(crate) drift: Option<String>,
}

/// Whether `text` is what `pattern` says; `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

impl Approval {
    fn is_for_host(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| fits(pattern, host))
    }

    /// Whether it names this application; the team is left to the caller.
    fn names(&self, key: &ApplicationKey) -> bool {
        let (signing_id, path, agent) = match key {
            ApplicationKey::Unknown => return false,
            ApplicationKey::Signed { signing_id, agent, .. } => (Some(&**signing_id), None, agent.as_deref()),
            ApplicationKey::Path { path, agent } => (None, Some(&**path), agent.as_deref()),
        };
        // An interpreter without the script it runs would approve every script.
        let told = self.path.as_deref();
        match (&self.signing_id, agent) {
            (Some(id), Some(agent)) => Some(id.as_str()) == signing_id && told == Some(agent),
            (Some(id), None) => Some(id.as_str()) == signing_id,
            (None, Some(agent)) => told == Some(agent),
            (None, None) => told.is_some() && told == path,
        }
    }

    fn has_team_of(&self, key: &ApplicationKey) -> bool {
        match key {
            ApplicationKey::Signed { team, .. } => self.team_id.as_deref() == team.as_deref(),
            _ => self.team_id.is_none(),
        }
    }

    fn is_for_service(&self, channel: &Channel) -> bool {
        let service = channel.key.service.to_string();
        if self.service.eq_ignore_ascii_case(&service) {
            return true;
        }
        // A full name, or all names below one, where every name the channel was seen with is such a name.
        let names = &channel.attributes.names;
        let below = |name: &str| match self.service.strip_prefix("*.") {
            Some(domain) => name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => self.service.eq_ignore_ascii_case(name),
        };
        !names.is_empty()
            && !names.overflow
            && channel.attributes.name_unknown == 0
            && names.iter().all(|(name, _)| below(name))
    }

    fn has_cadence(&self, period_ns: Option<i64>) -> bool {
        match (self.cadence_seconds, period_ns) {
            (None, _) => true,
            // Too few requests to tell, or no clock: nothing contradicts it.
            (Some(_), None) => true,
            (Some(seconds), Some(period)) => (period as f64 / 1e9 - seconds).abs() <= CADENCE_TOLERANCE * seconds,
        }
    }

    fn outcome(&self) -> ApprovalOutcome {
        ApprovalOutcome { owner: self.owner.clone(), reason: self.reason.clone(), expires: self.expires.clone() }
    }

    /// Whether everything the other approves, this one approves as well.
    fn covers(&self, other: &Self) -> bool {
        let service = self.service.eq_ignore_ascii_case(&other.service)
            || self.service.strip_prefix("*.").is_some_and(|domain| other.service.ends_with(&format!(".{domain}")));
        self.signing_id == other.signing_id
            && self.team_id == other.team_id
            && (self.path == other.path || self.path.is_none())
            && service
            && (self.hosts.is_empty() || self.hosts == other.hosts)
            && (self.cadence_seconds.is_none() || self.cadence_seconds == other.cadence_seconds)
    }
}

impl Baseline {
    /// Whether an approval still held when the baseline was read.
    #[must_use]
    pub fn is_in_force(&self, approval: &Approval) -> bool {
        approval.expires_at >= self.now
    }

    /// The approvals as they hold at `now`.
    #[must_use]
    pub fn new(approvals: Vec<Approval>, now: Timestamp) -> Self {
        Self { approvals, now }
    }

    /// All approvals, those that expired among them.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// What it says of a channel whose requests keep this period, where they keep one.
    pub(crate) fn word(&self, channel: &Channel, period_ns: Option<i64>) -> Word {
        let key = &channel.key;
        let named: Vec<&Approval> = self
            .approvals
            .iter()
            .filter(|approval| approval.expires_at >= self.now)
            .filter(|approval| approval.is_for_host(&key.host) && approval.names(&key.application))
            .collect();
        let full = named.iter().find(|approval| {
            approval.has_team_of(&key.application)
                && approval.is_for_service(channel)
                && approval.has_cadence(period_ns)
        });
        if let Some(approval) = full {
            return Word { approval: Some(approval.outcome()), drift: None };
        }
        let drift = named.first().map(|approval| drift(&named, approval, channel, period_ns));
        Word { approval: None, drift }
    }

    /// What is wrong with the approvals: expired, too broad, resting on a name alone, shadowed, told twice.
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        for (at, approval) in self.approvals.iter().enumerate() {
            let mut say = |what: String| lints.push(Lint { place: approval.place.clone(), what });
            if approval.expires_at < self.now {
                say(format!("expired on {}: it approves nothing; hint: renew it, or remove it", approval.expires));
            }
            for what in breadth(approval) {
                say(what);
            }
            let shadow = self.approvals.iter().enumerate().find(|(other, wider)| {
                *other != at
                    && wider.expires_at >= approval.expires_at
                    && wider.covers(approval)
                    && (!approval.covers(wider) || *other < at)
            });
            if let Some((_, wider)) = shadow {
                say(format!("shadowed by {}, which approves all of it; hint: remove one of the two", wider.place));
            }
        }
        lints
    }
}

/// In which ways an approval covers more than anybody can answer for.
fn breadth(approval: &Approval) -> Vec<String> {
    const INTERPRETERS: [&str; 8] = ["sh", "bash", "zsh", "curl", "osascript", "python3", "perl", "ruby"];
    let mut found = Vec::new();
    let bare = approval.service.trim_start_matches("*.");
    if bare.is_empty() || bare == "*" || !bare.contains(['.', ':', '/']) {
        found.push(format!(
            "too broad: the service {:?} is no domain; hint: name the registrable domain",
            approval.service
        ));
    }
    let id = approval.signing_id.as_deref().unwrap_or_default();
    let interpreter = id.strip_prefix("com.apple.").is_some_and(|name| INTERPRETERS.contains(&name));
    if interpreter && approval.path.is_none() {
        found.push(format!(
            "approves nothing: {id} runs for anybody; hint: add the script or launch label it runs for as path"
        ));
    }
    match (&approval.signing_id, &approval.team_id) {
        (None, _) => found.push(
            "unsigned: a path alone can be taken by another program; hint: name it by signing_id and team_id".to_owned(),
        ),
        (Some(id), None) if !id.starts_with("com.apple.") => found.push(format!(
            "no team: anybody can sign as {id}; hint: add team_id, or the path if the program has only an ad hoc signature"
        )),
        _ => {}
    }
    found
}

/// How a channel of an approved application differs from what is approved.
fn drift(named: &[&Approval], first: &Approval, channel: &Channel, period_ns: Option<i64>) -> String {
    let key = &channel.key;
    let of_team: Vec<&&Approval> = named.iter().filter(|approval| approval.has_team_of(&key.application)).collect();
    let owner = &first.owner;
    if of_team.is_empty() {
        let team = match &key.application {
            ApplicationKey::Signed { team: Some(team), .. } => format!("team {team}"),
            _ => "no team".to_owned(),
        };
        return format!(
            "approved (by {owner}) as of team {}, and signed by {team}",
            first.team_id.as_deref().unwrap_or("none")
        );
    }
    let of_service = of_team.iter().find(|approval| approval.is_for_service(channel));
    if let (Some(approval), Some(period)) = (of_service, period_ns) {
        let every = approval.cadence_seconds.unwrap_or(0.0);
        return format!(
            "approved (by {owner}) with a request every {}, and it keeps {}",
            duration((every * 1e9) as i64),
            duration(period)
        );
    }
    let services: BTreeSet<&str> = of_team.iter().map(|approval| approval.service.as_str()).collect();
    format!(
        "approved (by {owner}) for {}, and not for {}",
        services.into_iter().collect::<Vec<_>>().join(", "),
        key.service
    )
}

/// Puts the word of a baseline into a finding.
pub(crate) fn apply(finding: &mut Finding, word: Word) {
    if let Some(approval) = &word.approval {
        finding.level_reason =
            Some(format!("approved by {} until {}: {}", approval.owner, approval.expires, approval.reason));
        finding.level = monologue_model::Level::Info;
    }
    finding.approval = word.approval;
    finding.drift = word.drift;
}

#[cfg(test)]
mod tests;
