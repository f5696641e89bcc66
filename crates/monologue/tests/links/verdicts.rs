//! What the hunt says of a disturbed fleet, against the truth: claims that are false, and honest software called an attack.

use super::measure::{fleet, read};
use monologue_hunt::Hunt;
use monologue_model::{Disposition, Finding, Level};
use monologue_simulate::{Fleet, Truth};

/// What one hunt got wrong, and how much it found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    /// Channels of honest software at medium or above.
    pub(crate) alarms: Vec<String>,
    /// Definite dispositions that the truth contradicts.
    pub(crate) false_claims: Vec<String>,
    /// Attacks seen by all sensors.
    pub(crate) attacks: u64,
    /// Those of them that were given their disposition.
    pub(crate) named: u64,
    /// What the hunt says of clocks.
    pub(crate) clock_notes: Vec<String>,
}

impl Verdicts {
    /// Adds what another hunt gave.
    pub(crate) fn add(&mut self, other: Self) {
        self.alarms.extend(other.alarms);
        self.false_claims.extend(other.false_claims);
        self.attacks += other.attacks;
        self.named += other.named;
        self.clock_notes.extend(other.clock_notes);
    }
}

/// Hunts a simulated fleet under a disturbance.
pub(crate) fn verdicts(seed: u64, disturbance: &str) -> Verdicts {
    let fleet = fleet(seed, disturbance);
    let (options, events) = read(&fleet);
    let mut hunt = Hunt::new(options);
    events.into_iter().for_each(|event| hunt.take(event));
    let report = hunt.finish(Level::Info, &mut |_| {});
    let mut verdicts = Verdicts {
        clock_notes: report.summary.notes.into_iter().filter(|note| note.contains("clock")).collect(),
        ..Verdicts::default()
    };
    for finding in &report.findings {
        let truths: Vec<&Truth> = fleet.truth.iter().filter(|truth| speaks_of(truth, finding, &fleet)).collect();
        let said = format!("{} {}: {}", finding.host, finding.level.name(), finding.sentence);
        if finding.level >= Level::Medium && !truths.iter().any(|truth| truth.malicious) {
            verdicts.alarms.push(said.clone());
        }
        let allowed: Vec<&str> = truths.iter().map(|truth| really(truth, &fleet)).collect();
        let fits = allowed.is_empty() || allowed.iter().any(|name| ["any", finding.disposition.name()].contains(name));
        if finding.disposition != Disposition::Unknown && !fits {
            verdicts.false_claims.push(said);
        }
    }
    for truth in fleet.truth.iter().filter(|truth| truth.malicious && truth.blind_twin_of.is_none()) {
        verdicts.attacks += 1;
        let found = report
            .findings
            .iter()
            .any(|finding| speaks_of(truth, finding, &fleet) && finding.disposition.name() == truth.disposition);
        verdicts.named += u64::from(found);
    }
    verdicts
}

/// Whether a finding is of the channel of a truth: its host, where the finding names one, and its service; its program,
/// where the service is masked.
fn speaks_of(truth: &Truth, finding: &Finding, fleet: &Fleet) -> bool {
    let is_host = fleet.truth.iter().any(|other| other.host == *finding.host);
    let destination = &finding.destination;
    let is_masked = destination.service.starts_with("masked:");
    let is_program = finding.application.path.as_deref() == Some(truth.application.as_str());
    (!is_host || truth.host == *finding.host)
        && (is_masked && is_program
            || *destination.service == *truth.service
            || *destination.host == *truth.destination
            || destination.hosts.iter().any(|host| **host == *truth.destination))
}

/// What really became of the replies: of a blind twin, what became of those of its original.
fn really<'f>(truth: &'f Truth, fleet: &'f Fleet) -> &'f str {
    let original = truth.blind_twin_of.as_ref();
    let found = original.and_then(|name| fleet.truth.iter().find(|other| other.scenario == *name));
    found.map_or(&truth.disposition, |original| &original.disposition)
}
