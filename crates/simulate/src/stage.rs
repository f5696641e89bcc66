//! One host on the network: where behaviours play.

use crate::{
    Moment,
    chance::Chance,
    clock::seconds,
    mac::{Mac, Process},
    names,
    network::{Network, Service},
    programs::path_from_home,
    truth::{Truth, contradicted},
};

/// What a behaviour can reach.
pub(crate) struct Stage<'a> {
    pub(crate) mac: Mac,
    pub(crate) network: &'a mut Network,
    pub(crate) chance: Chance,
    pub(crate) truth: Vec<Truth>,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    /// Name of a service of whose connections the network sensor misses bytes.
    pub(crate) damaged: Option<String>,
}

/// What is known of a channel before its truth is written.
pub(crate) struct Claim<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) malicious: bool,
    pub(crate) disposition: &'a str,
    /// What really happens, whichever sensor sees it.
    pub(crate) happened: &'a str,
    pub(crate) agent: Option<&'a str>,
    /// The scenario repeated, and what is missing.
    pub(crate) twin: Option<(&'a str, &'a str)>,
}

impl<'a> Claim<'a> {
    /// A channel of ordinary life.
    pub(crate) const fn benign(scenario: &'a str, disposition: &'a str) -> Self {
        Self { scenario, malicious: false, disposition, happened: disposition, agent: None, twin: None }
    }
}

impl Stage<'_> {
    /// Moments from `first` on, `interval` seconds apart give or take a share of it, at which the host is awake for
    /// at least `needed` seconds and which leave that much before the end.
    pub(crate) fn moments(&mut self, first: Moment, interval: f64, spread: f64, needed: f64) -> Vec<Moment> {
        let mut moments = Vec::new();
        let mut time = first;
        while time + seconds(needed) < self.end {
            if self.mac.is_awake(time - seconds(3.0), time + seconds(needed)) {
                moments.push(time);
            }
            time += seconds(interval * (1.0 + self.chance.between(-spread, spread)));
        }
        moments
    }

    /// A moment between those hours of the recording.
    pub(crate) fn within(&mut self, from_hour: f64, until_hour: f64) -> Moment {
        self.start + seconds(3600.0 * self.chance.between(from_hour, until_hour))
    }

    /// Writes down what really happened.
    pub(crate) fn tell(&mut self, claim: &Claim<'_>, process: &Process, service: &Service, exchanges: usize) {
        let program = &process.program;
        self.truth.push(Truth {
            scenario: claim.scenario.to_owned(),
            host: self.mac.name.clone(),
            application: program.path_from_home(),
            signing_id: Some(program.signing_id.clone()),
            team_id: program.team().map(str::to_owned),
            agent: claim.agent.map(path_from_home),
            destination: service.name.clone(),
            service: service.registrable(),
            malicious: claim.malicious,
            disposition: claim.disposition.to_owned(),
            happened: claim.happened.to_owned(),
            false_claims: contradicted(claim.happened),
            shown: String::new(),
            seen_as: Vec::new(),
            address: Some(self.network.conditions.remote(service.address, service.is_bare_address).to_string()),
            masked: Some(match service.is_bare_address {
                true => crate::requests::masked_address(process, service),
                false => names::mask_hash(&["name", &self.mac.name, &service.name]),
            }),
            blind_twin_of: claim.twin.map(|(scenario, _)| scenario.to_owned()),
            missing: claim.twin.map(|(_, missing)| missing.to_owned()),
            exchanges: exchanges as u64,
        });
    }
}
