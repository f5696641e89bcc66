//! Claims: what the product says of a host and an hour, where its telemetry allows it, and what would allow more.
//!
//! A claim holds in an hour if each sight it needs was complete for 99 % of the part of that hour that lies in the host's
//! window, and nothing of it was lost in it. That is a rule for planning collection. What may be said of one channel is decided
//! exchange by exchange in `absence.rs`, and is never looser than this.

use crate::{coverage::HOUR_CAP, coverage::HOUR_NS, settings};
use monologue_model::{
    Claim, ClaimHours, ClaimState, ClaimStretch, ClaimSummary, Claims, CollectionStep, HostClaim, HostCoverage, Sight,
    SightSet, SpeaksFrom, Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// The share of an hour that must have been watched.
const ENOUGH: f64 = 0.99;

/// What to do where a sensor was there and lost something.
const WITHOUT_LOSS: &str = "collect without loss: find why records are missing (sequence gaps, capture loss, cut or unreadable files) and give the sensor room";

/// Every claim, the most telling first.
pub const CLAIMS: &[Claim] = &[
    Claim {
        id: "reply-unhandled",
        sentence: "a process that ignores the replies it gets would be seen (AN1601 to the letter)",
        speaks_from: SpeaksFrom::Absence,
        needs: &[
            &[Sight::FlowReply, Sight::HttpResponse, Sight::TaskLifecycle],
            &[Sight::FileEffect],
            &[Sight::ProcessExec],
        ],
        hosts: 1,
    },
    Claim {
        id: "given-up",
        sentence: "a program on URLSession that gives up its own requests, or gets no response, would be seen",
        speaks_from: SpeaksFrom::Absence,
        needs: &[&[Sight::TaskLifecycle]],
        hosts: 1,
    },
    Claim {
        id: "no-reply",
        sentence: "a program that asks and is never answered would be seen, whatever it is built on",
        speaks_from: SpeaksFrom::Absence,
        needs: &[&[Sight::FlowReply]],
        hosts: 1,
    },
    Claim {
        id: "started-after-reply",
        sentence: "a program started after a reply would be seen",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::FlowReply, Sight::HttpResponse, Sight::TaskLifecycle], &[Sight::ProcessExec]],
        hosts: 1,
    },
    Claim {
        id: "written-after-reply",
        sentence: "a file written after a reply would be seen",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::FlowReply, Sight::HttpResponse, Sight::TaskLifecycle], &[Sight::FileEffect]],
        hosts: 1,
    },
    Claim {
        id: "nothing-sent-back",
        sentence: "results that go back over the same service would be seen by the size of requests",
        speaks_from: SpeaksFrom::Absence,
        needs: &[&[Sight::FlowBytes, Sight::HttpRequest]],
        hosts: 1,
    },
    Claim {
        id: "on-a-clock",
        sentence: "a program that asks on a clock would be seen",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::FlowBytes, Sight::FlowReply, Sight::TaskLifecycle, Sight::HttpRequest, Sight::TlsHandshake]],
        hosts: 1,
    },
    Claim {
        id: "who-asked",
        sentence: "a request of a program on URLSession or Network.framework would be tied to that program",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::TaskLifecycle]],
        hosts: 1,
    },
    Claim {
        id: "who-signed",
        sentence: "it would be known who signed the program, and what started it",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::ProcessSignature], &[Sight::ProcessExec]],
        hosts: 1,
    },
    Claim {
        id: "output-thrown-away",
        sentence: "a command line that throws its output away would be seen",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::ProcessArguments]],
        hosts: 1,
    },
    Claim {
        id: "rare",
        sentence: "it would be known whether other hosts do the same",
        speaks_from: SpeaksFrom::Presence,
        needs: &[&[Sight::ProcessExec, Sight::TaskLifecycle]],
        hosts: settings::RARITY_MINIMUM_HOSTS,
    },
];

/// What the coverage of all hosts allows to say.
pub(crate) fn of(hosts: &[HostCoverage]) -> Claims {
    let fleet = hosts.iter().filter(|host| shows(host, Sight::ProcessExec) || shows(host, Sight::TaskLifecycle));
    let fleet = fleet.count() as u64;
    let mut summary: Vec<ClaimSummary> = CLAIMS
        .iter()
        .map(|claim| ClaimSummary { claim: *claim, host_hours: ClaimHours::default(), hosts_holding: 0 })
        .collect();
    let mut steps = Steps::default();
    let mut told = Vec::with_capacity(hosts.len());
    for host in hosts {
        let map = Map::new(host);
        let claims: Vec<HostClaim> = CLAIMS.iter().map(|claim| map.claim(claim, fleet)).collect();
        for (sum, claim) in summary.iter_mut().zip(&claims) {
            sum.host_hours.merge(claim.hours);
            sum.hosts_holding += u64::from(claim.hours.holds > 0);
        }
        steps.add(&map, &claims, fleet);
        told.push(claims);
    }
    Claims { summary, hosts: told, steps: steps.finish() }
}

fn shows(host: &HostCoverage, sight: Sight) -> bool {
    host.sight(sight).is_some_and(|found| found.covered_nanoseconds > 0)
}

/// One hour of a host: how far each sight was watched.
#[derive(Clone, Copy)]
struct Hour {
    hour: i64,
    /// By the place of the sight in [`Sight::ALL`].
    states: [ClaimState; Sight::COUNT],
    /// Sights of which something was lost in this hour.
    lost: SightSet,
}

impl Hour {
    fn set(&mut self, sight: Sight, state: ClaimState) {
        if let Some(place) = self.states.get_mut(sight as usize) {
            *place = state;
        }
    }
}

/// One host by hour and sight.
struct Map<'a> {
    host: &'a HostCoverage,
    /// Hours of the host's window.
    hours: Vec<Hour>,
    /// Sights that were watched at some time.
    shown: SightSet,
}

/// What is supposed to be different from what was.
#[derive(Clone, Copy, Default)]
struct Supposed {
    /// Sights that are complete.
    complete: SightSet,
    /// Nothing was lost.
    lossless: bool,
}

impl<'a> Map<'a> {
    fn new(host: &'a HostCoverage) -> Self {
        let mut hours = Vec::new();
        let mut parts = Vec::new();
        for hour in host.from.hour()..=host.until.hour() {
            let start = Timestamp::from_nanoseconds(hour.saturating_mul(HOUR_NS));
            let end = start.saturating_add(HOUR_NS);
            let part = host.until.min(end).since(host.from.max(start)).max(0) as f64 / HOUR_NS as f64;
            // The moment at which a window ends is no hour of its own.
            if part > 0.0 || host.from.hour() == host.until.hour() {
                hours.push(Hour { hour, states: [ClaimState::Blind; Sight::COUNT], lost: SightSet::EMPTY });
                parts.push(part);
            }
            if hours.len() >= HOUR_CAP {
                break;
            }
        }
        let place = |hour: i64| usize::try_from(hour.saturating_sub(host.from.hour())).ok();
        for entry in &host.sights {
            for (hour, share) in &*entry.hours {
                let Some((known, part)) = place(*hour).and_then(|at| Some((hours.get_mut(at)?, parts.get(at)?))) else {
                    continue;
                };
                let share = f64::from(*share);
                let whole = share > 0.0 && share >= part * ENOUGH;
                known.set(entry.sight, if whole { ClaimState::Holds } else { ClaimState::Partly });
            }
            for hour in &*entry.lost_hours {
                let Some(known) = place(*hour).and_then(|at| hours.get_mut(at)) else { continue };
                known.lost.insert(entry.sight);
                if known.states.get(entry.sight as usize) == Some(&ClaimState::Holds) {
                    known.set(entry.sight, ClaimState::Partly);
                }
            }
        }
        let shown = host.sights.iter().filter(|entry| entry.covered_nanoseconds > 0).map(|entry| entry.sight).collect();
        Self { host, hours, shown }
    }

    fn sight(&self, sight: Sight, hour: &Hour, supposed: Supposed) -> ClaimState {
        let lossless = supposed.lossless && hour.lost.contains(sight) && self.shown.contains(sight);
        if lossless || supposed.complete.contains(sight) {
            return ClaimState::Holds;
        }
        hour.states.get(sight as usize).copied().unwrap_or(ClaimState::Blind)
    }

    /// The state of a claim in one hour: the worst of its groups, each the best of its sights.
    fn state(&self, claim: &Claim, hour: &Hour, fleet: u64, supposed: Supposed) -> ClaimState {
        let loses_exchanges = self.host.missing_exchanges > 0 && !supposed.lossless;
        // One is the host itself, whether or not its application is known.
        if fleet.max(1) < claim.hosts || (claim.speaks_from == SpeaksFrom::Absence && loses_exchanges) {
            return ClaimState::Blind;
        }
        let group = |sights: &&[Sight]| sights.iter().map(|sight| self.sight(*sight, hour, supposed)).max();
        claim.needs.iter().filter_map(group).min().unwrap_or(ClaimState::Holds)
    }

    fn claim(&self, claim: &Claim, fleet: u64) -> HostClaim {
        let mut told =
            HostClaim { claim: claim.id, hours: ClaimHours::default(), missing: Vec::new(), stretches: Vec::new() };
        let mut missing: BTreeMap<Sight, u64> = BTreeMap::new();
        for hour in &self.hours {
            let state = self.state(claim, hour, fleet, Supposed::default());
            told.hours.count(state);
            match told.stretches.last_mut() {
                Some(last) if last.state == state => last.hours += 1,
                _ => {
                    let from = Timestamp::from_nanoseconds(hour.hour.saturating_mul(HOUR_NS));
                    told.stretches.push(ClaimStretch { from, hours: 1, state });
                }
            }
            for group in claim.needs {
                let of = |sight: &Sight| self.sight(*sight, hour, Supposed::default());
                if !group.iter().any(|sight| of(sight) == ClaimState::Holds) {
                    // One of the group would do: the one that is nearest to it, or the first.
                    let nearest = group.iter().rev().max_by_key(|sight| of(sight));
                    *missing.entry(nearest.copied().unwrap_or(Sight::FlowReply)).or_insert(0) += 1;
                }
            }
        }
        let mut missing: Vec<(Sight, u64)> = missing.into_iter().collect();
        missing.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
        told.missing = missing.into_iter().map(|(sight, _)| sight).collect();
        told
    }
}

/// What each collection step would unlock.
#[derive(Default)]
struct Steps {
    by_text: BTreeMap<&'static str, Step>,
}

#[derive(Default)]
struct Step {
    sights: SightSet,
    hosts: u64,
    unlocks: BTreeMap<&'static str, u64>,
}

impl Steps {
    fn add(&mut self, map: &Map<'_>, claims: &[HostClaim], fleet: u64) {
        let mut offers: BTreeMap<&'static str, SightSet> = BTreeMap::new();
        for sight in CLAIMS.iter().flat_map(|claim| claim.needs.iter().flat_map(|group| group.iter())) {
            // Steps of one text are one step: what it provides comes together.
            Sight::ALL
                .into_iter()
                .filter(|other| other.how_to_collect() == sight.how_to_collect())
                .for_each(|other| offers.entry(sight.how_to_collect()).or_default().insert(other));
        }
        for (text, sights) in offers {
            self.offer(map, claims, fleet, text, Supposed { complete: sights, lossless: false });
        }
        let lost = map.hours.iter().fold(SightSet::EMPTY, |lost, hour| lost.union(hour.lost));
        if !lost.is_empty() || map.host.missing_exchanges > 0 {
            self.offer(map, claims, fleet, WITHOUT_LOSS, Supposed { complete: SightSet::EMPTY, lossless: true });
            self.by_text.entry(WITHOUT_LOSS).and_modify(|step| step.sights = step.sights.union(lost));
        }
    }

    fn offer(&mut self, map: &Map<'_>, claims: &[HostClaim], fleet: u64, text: &'static str, supposed: Supposed) {
        let mut unlocked = Vec::new();
        for (claim, told) in CLAIMS.iter().zip(claims) {
            if told.hours.holds == told.hours.of() {
                continue;
            }
            let holds = map.hours.iter().filter(|hour| map.state(claim, hour, fleet, supposed) == ClaimState::Holds);
            let gained = (holds.count() as u64).saturating_sub(told.hours.holds);
            if gained > 0 {
                unlocked.push((claim.id, gained));
            }
        }
        if unlocked.is_empty() {
            return;
        }
        let step = self.by_text.entry(text).or_default();
        step.sights = step.sights.union(supposed.complete);
        step.hosts += 1;
        for (claim, hours) in unlocked {
            *step.unlocks.entry(claim).or_insert(0) += hours;
        }
    }

    fn finish(self) -> Vec<CollectionStep> {
        let mut steps: Vec<CollectionStep> = self
            .by_text
            .into_iter()
            .map(|(text, step)| CollectionStep {
                step: Arc::from(text),
                sights: step.sights.iter().collect(),
                hosts: step.hosts,
                host_hours: step.unlocks.values().sum(),
                unlocks: step.unlocks.into_iter().collect(),
            })
            .collect();
        steps.sort_by(|one, other| other.host_hours.cmp(&one.host_hours).then(one.step.cmp(&other.step)));
        steps
    }
}

#[cfg(test)]
mod tests;
