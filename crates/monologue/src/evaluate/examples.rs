//! Truths and findings for tests.
#![cfg(test)]

use super::read::{Found, FoundApplication, FoundDestination};
use monologue_simulate::Truth;

/// A malicious channel to which nothing came back.
pub(super) fn truth(scenario: &str, host: &str, application: &str, destination: &str) -> Truth {
    Truth {
        scenario: scenario.to_owned(),
        host: host.to_owned(),
        application: application.to_owned(),
        signing_id: None,
        team_id: None,
        agent: None,
        destination: destination.to_owned(),
        service: destination.to_owned(),
        malicious: true,
        disposition: "no-reply".to_owned(),
        happened: "no-reply".to_owned(),
        false_claims: ["reply-unhandled", "pull-only", "two-way"].map(str::to_owned).to_vec(),
        shown: String::new(),
        seen_as: Vec::new(),
        address: Some("198.51.100.7".to_owned()),
        masked: Some("bWFzaw==".to_owned()),
        blind_twin_of: None,
        missing: None,
        exchanges: 40,
    }
}

/// A finding.
pub(super) fn found(
    host: &str,
    path: Option<&str>,
    destination: &str,
    disposition: &str,
    level: &str,
    score: f64,
) -> Found {
    Found {
        id: format!("{host}-{destination}-{disposition}"),
        host: host.to_owned(),
        application: FoundApplication { path: path.map(str::to_owned) },
        destination: FoundDestination {
            host: destination.to_owned(),
            hosts: vec![destination.to_owned()],
            service: destination.to_owned(),
            ips: Vec::new(),
        },
        disposition: disposition.to_owned(),
        level: level.to_owned(),
        score,
        exchanges: 40,
        signals: Vec::new(),
        sentence: String::new(),
    }
}
