//! Which findings speak of which channel of the truth: by host, destination and program, never by what they claim.

use super::read::Found;
use monologue_simulate::Truth;
use std::collections::{BTreeMap, BTreeSet};

/// A destination of the truth that stands for all others of its program.
pub(super) const ELSEWHERE: &str = "*";

/// How findings and channels of the truth belong together.
pub(super) struct Matches {
    /// For each finding, the channels it may speak of. Empty: of none the truth names.
    pub(super) of_finding: Vec<Vec<usize>>,
    /// For each channel of the truth, the findings that may speak of it.
    pub(super) of_truth: Vec<Vec<usize>>,
}

/// Puts together what belongs together. Of several channels that fit by host and destination, those of the program that the
/// finding names; where it names none, all of them.
pub(super) fn matches(truths: &[Truth], findings: &[Found]) -> Matches {
    let mut by_host: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, truth) in truths.iter().enumerate() {
        let names: BTreeSet<&str> =
            std::iter::once(truth.host.as_str()).chain(truth.seen_as.iter().map(String::as_str)).collect();
        for name in names {
            by_host.entry(name).or_default().push(at);
        }
    }
    let mut matches =
        Matches { of_finding: Vec::with_capacity(findings.len()), of_truth: vec![Vec::new(); truths.len()] };
    for (at, finding) in findings.iter().enumerate() {
        let candidates = by_host.get(finding.host.as_str()).map_or(&[][..], Vec::as_slice);
        let fitting = |is_fitting: &dyn Fn(&Truth) -> bool| -> Vec<usize> {
            let fits = |index: &&usize| {
                truths.get(**index).is_some_and(|truth| is_of_program(finding, truth) && is_fitting(truth))
            };
            candidates.iter().filter(fits).copied().collect()
        };
        let mut mine = fitting(&|truth| is_to(finding, truth));
        if mine.is_empty() {
            mine = fitting(&|truth| truth.service == finding.destination.service);
        }
        if mine.is_empty() && finding.application.path.is_some() {
            mine = fitting(&|truth| truth.destination == ELSEWHERE);
        }
        for index in &mine {
            if let Some(list) = matches.of_truth.get_mut(*index) {
                list.push(at);
            }
        }
        matches.of_finding.push(mine);
    }
    matches
}

fn is_of_program(finding: &Found, truth: &Truth) -> bool {
    finding.application.path.as_ref().is_none_or(|path| *path == truth.application)
}

fn is_to(finding: &Found, truth: &Truth) -> bool {
    let destination = &finding.destination;
    let is_named = destination.host == truth.destination || destination.hosts.contains(&truth.destination);
    let is_addressed = truth.address.as_ref().is_some_and(|address| {
        // An address says something only where no name is known.
        destination.host == *address
            || (destination.host.parse::<std::net::IpAddr>().is_ok() && destination.ips.contains(address))
    });
    let is_masked = truth.masked.as_ref().is_some_and(|mask| destination.host.ends_with(mask.as_str()));
    is_named || is_addressed || is_masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::examples::{found, truth};

    #[test]
    fn a_finding_belongs_to_the_channel_of_its_program() {
        let truths =
            [truth("beacon", "anna", "~/agent", "c2.example.test"), truth("sync", "anna", "/sync", "c2.example.test")];
        let findings = [
            found("anna", Some("~/agent"), "c2.example.test", "no-reply", "high", 0.95),
            found("anna", None, "c2.example.test", "unknown", "low", 0.2),
            found("bert", Some("~/agent"), "c2.example.test", "no-reply", "high", 0.95),
        ];
        let matches = matches(&truths, &findings);
        assert_eq!(matches.of_finding, [vec![0], vec![0, 1], vec![]]);
        assert_eq!(matches.of_truth, [vec![0, 1], vec![1]]);
    }

    #[test]
    fn an_address_counts_where_no_name_is_known_and_the_rest_of_a_program_is_one_line() {
        let mut rest = truth("browser", "anna", "/browser", "*");
        rest.address = None;
        let truths = [truth("beacon", "anna", "~/agent", "c2.example.test"), rest];
        let mut nameless = found("anna", None, "198.51.100.7", "no-reply", "high", 0.95);
        nameless.destination.ips = vec!["198.51.100.7".to_owned()];
        let page = found("anna", Some("/browser"), "www.page.example", "unknown", "info", 0.01);
        assert_eq!(matches(&truths, &[nameless, page]).of_finding, [vec![0], vec![1]]);
    }

    #[test]
    fn a_masked_name_is_known_by_its_mask() {
        let findings = [found("anna", Some("~/agent"), "masked:mdns:bWFzaw==", "unknown", "low", 0.2)];
        assert_eq!(matches(&[truth("beacon", "anna", "~/agent", "c2.example.test")], &findings).of_finding, [vec![0]]);
    }

    #[test]
    fn behind_one_address_hosts_are_known_by_it() {
        let mut behind = truth("beacon", "anna", "~/agent", "c2.example.test");
        behind.seen_as = vec!["100.64.0.1".to_owned()];
        let findings = [found("100.64.0.1", None, "c2.example.test", "unknown", "low", 0.2)];
        assert_eq!(matches(&[behind], &findings).of_finding, [vec![0]]);
    }
}
