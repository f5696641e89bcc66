//! Names of addresses over time, from the DNS answers this very host got.

use crate::settings;
use monologue_model::{Detail, Event, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// How long after an answer its addresses still go by that name: a day. Caches and long-lived programs outlast a TTL.
const ANSWER_LIFE_NS: i64 = 86_400 * 1_000_000_000;

/// What a masked name begins with that is the same for every process of its host.
pub(crate) const HOST_MASK: &str = "mdns:";

/// Which names this host was told for which address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    answers: BTreeMap<IpAddr, Vec<(Timestamp, Arc<str>)>>,
    /// The same for names that the resolver's log masks.
    masked: BTreeMap<IpAddr, Vec<(Timestamp, Arc<str>)>>,
}

impl Names {
    /// Adds the answers of one host, from events ordered by time.
    pub(crate) fn extend(&mut self, events: &[Event]) {
        for event in events {
            let Detail::Dns(query) = &event.detail else { continue };
            if let (None, Some(hash)) = (&query.name, &query.name_hash) {
                for address in &query.answers {
                    self.masked.entry(*address).or_default().push((event.time, mask(hash)));
                }
            }
            if let Some(name) = &query.name {
                for address in &query.answers {
                    self.answers
                        .entry(*address)
                        .or_default()
                        .push((event.time, name.trim_end_matches('.').to_ascii_lowercase().into()));
                }
            }
        }
    }

    /// Forgets answers that no request after `horizon` can go by.
    pub(crate) fn forget(&mut self, horizon: Timestamp) {
        let oldest = horizon.saturating_add(-settings::MEMORY_NS);
        for names in [&mut self.answers, &mut self.masked] {
            names.retain(|_, answers| {
                answers.retain(|(answered, _)| *answered >= oldest);
                !answers.is_empty()
            });
        }
    }

    /// The name an address had at `time`. `None` if this host was told none, or two of different services: two
    /// candidates are not one.
    pub(crate) fn of_address(&self, address: IpAddr, time: Timestamp) -> Option<Arc<str>> {
        let recent = self.answers.get(&address)?.iter().filter(|(answered, _)| {
            // The sensor may stamp the answer a little after the connection it led to.
            answered.saturating_add(-2_000_000_000) <= time && time.since(*answered) <= ANSWER_LIFE_NS
        });
        let mut best: Option<&(Timestamp, Arc<str>)> = None;
        for answer in recent {
            if let Some(known) = best {
                let one = monologue_model::Service::from_host_name(&known.1);
                if one != monologue_model::Service::from_host_name(&answer.1) {
                    return None;
                }
            }
            best = Some(answer);
        }
        best.map(|(_, name)| name.clone())
    }

    /// The masked name an address had at `time`. `None` if this host was told none, or two.
    pub(crate) fn mask_of_address(&self, address: IpAddr, time: Timestamp) -> Option<Arc<str>> {
        let mut recent = self.masked.get(&address)?.iter().filter(|(answered, _)| {
            answered.saturating_add(-2_000_000_000) <= time && time.since(*answered) <= ANSWER_LIFE_NS
        });
        let (_, first) = recent.next()?;
        recent.all(|(_, other)| other == first).then(|| first.clone())
    }
}

/// A name as the resolver's log masks it, as a destination.
pub(super) fn mask(hash: &str) -> Arc<str> {
    format!("{HOST_MASK}{hash}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_two_services_has_no_name() {
        let mut names = Names::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let at = |seconds| Timestamp::from_seconds(seconds).unwrap();
        names.answers.insert(address, vec![(at(10), "a.one.example".into()), (at(20), "b.one.example".into())]);
        assert_eq!(names.of_address(address, at(30)).as_deref(), Some("b.one.example"));
        assert_eq!(names.of_address(address, at(5)), None, "asked later than the connection");
        assert_eq!(names.of_address(address, at(90_000)), None, "forgotten after a day");
        names.answers.insert(address, vec![(at(10), "a.one.example".into()), (at(20), "c.two.example".into())]);
        assert_eq!(names.of_address(address, at(30)), None, "two services share the address");
    }
}
