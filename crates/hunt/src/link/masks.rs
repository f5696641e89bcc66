//! Masked names made comparable: Network.framework masks a host differently in every process (`Hostname#cc2f46d4`), the
//! resolver masks it alike for all processes of a host. A lookup of the same process right after the start of a connection
//! joins the two, so that check-ins stay together when their process restarts. Never across hosts.

use super::names;
use crate::settings;
use monologue_model::{ConnectionFact, DestinationName, Detail, Event, ProcessImage, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A lookup comes this long before the start line of its connection at most: the two lines race.
const BEFORE_NS: i64 = 20_000_000;

/// And this long after it.
const AFTER_NS: i64 = 300_000_000;

/// Masked names that are remembered.
const KNOWN_CAP: usize = 65_536;

/// A masked name of one process: boot, pid, path and mask. The path tells two users of a pid apart.
type MaskKey = (Option<Arc<str>>, u32, Option<Arc<str>>, Arc<str>);

/// What lookups say of masked names. It grows by one event at a time, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Masks {
    /// Lookups not yet settled, by pid.
    lookups: BTreeMap<u32, Vec<(Timestamp, DestinationName)>>,
    /// Starts of connections to masked names not yet settled, by pid.
    starts: BTreeMap<u32, Vec<(Timestamp, MaskKey)>>,
    /// What a mask stands for, and when it was last looked up. `None`: two lookups fitted it at different times.
    known: Vec<(MaskKey, Option<DestinationName>, Timestamp)>,
}

impl Masks {
    /// Takes the next event by time. [`Masks::settle`] makes use of it.
    pub(crate) fn take(&mut self, event: &Event) {
        match &event.detail {
            Detail::Dns(query) => {
                let name = match (&query.name, &query.name_hash) {
                    (Some(name), _) => DestinationName::Known(name.trim_end_matches('.').to_ascii_lowercase().into()),
                    (None, Some(hash)) => DestinationName::Masked(names::mask(hash)),
                    (None, None) => DestinationName::Unknown,
                };
                if let Some(pid) = query.process.as_ref().and_then(|process| process.key.pid) {
                    self.lookups.entry(pid).or_default().push((event.time, name));
                }
            }
            Detail::Connection(connection) => {
                if let ConnectionFact::Started { endpoint, .. } = &connection.fact
                    && let (None, Some(hash)) = (&endpoint.name, &endpoint.name_hash)
                    && let Some(key) = key(&connection.process, hash)
                {
                    self.starts.entry(key.1).or_default().push((event.time, key));
                }
            }
            _ => {}
        }
    }

    /// Decides what was started before `before`; all that could bear on it must have been taken.
    pub(crate) fn settle(&mut self, before: Timestamp) {
        let mut votes = Vec::new();
        for (pid, starts) in &self.starts {
            let lookups = self.lookups.get(pid).map_or(&[][..], Vec::as_slice);
            for (time, key) in starts.iter().filter(|(time, _)| *time < before) {
                let near = |other: Timestamp| {
                    let after = other.since(*time);
                    (-BEFORE_NS..=AFTER_NS).contains(&after)
                };
                // Another connection close by may have asked for the name that is seen.
                let alone = starts.iter().all(|(other, mask)| mask == key || other.since(*time).abs() > 2 * AFTER_NS);
                let mut names = lookups.iter().filter(|(asked, _)| near(*asked)).map(|(_, name)| name);
                if let Some(first) = names.next().filter(|_| alone)
                    && names.all(|other| other == first)
                    && *first != DestinationName::Unknown
                {
                    votes.push((key.clone(), first.clone(), *time));
                }
            }
        }
        votes.into_iter().for_each(|(key, name, time)| self.vote(key, name, time));
        // What lies close to the bound may still be a neighbour of what comes.
        let keep = before.saturating_add(-4 * AFTER_NS);
        for starts in self.starts.values_mut() {
            starts.retain(|(time, _)| *time >= keep);
        }
        for lookups in self.lookups.values_mut() {
            lookups.retain(|(time, _)| *time >= keep);
        }
        self.starts.retain(|_, starts| !starts.is_empty());
        self.lookups.retain(|_, lookups| !lookups.is_empty());
    }

    /// Forgets masks that were not looked up for a day before `horizon`.
    pub(crate) fn forget(&mut self, horizon: Timestamp) {
        let oldest = horizon.saturating_add(-settings::MEMORY_NS);
        self.known.retain(|(_, _, last)| *last >= oldest);
    }

    fn vote(&mut self, key: MaskKey, name: DestinationName, time: Timestamp) {
        match self.known.binary_search_by(|(known, _, _)| known.cmp(&key)) {
            Ok(at) => {
                if let Some((_, known, last)) = self.known.get_mut(at) {
                    *last = time.max(*last);
                    if known.as_ref() != Some(&name) {
                        *known = None;
                    }
                }
            }
            Err(at) if self.known.len() < KNOWN_CAP => self.known.insert(at, (key, Some(name), time)),
            Err(_) => {}
        }
    }

    /// What a mask in the log of this process stands for. `None`: nobody knows.
    pub(crate) fn name_of(&self, process: &ProcessImage, hash: &Arc<str>) -> Option<&DestinationName> {
        let key = key(process, hash)?;
        let at = self.known.binary_search_by(|(known, _, _)| known.cmp(&key)).ok()?;
        self.known.get(at)?.1.as_ref()
    }

    /// Masks for which two lookups fitted.
    pub(crate) fn refused(&self) -> u64 {
        self.known.iter().filter(|(_, name, _)| name.is_none()).count() as u64
    }
}

fn key(process: &ProcessImage, hash: &Arc<str>) -> Option<MaskKey> {
    // An address that the log masks was not looked up.
    let is_name = hash.starts_with("Hostname#");
    Some((process.key.boot.clone(), process.key.pid.filter(|_| is_name)?, process.path.clone(), hash.clone()))
}

#[cfg(test)]
impl Masks {
    /// Gathers what the events of one host say, ordered by time.
    fn collect(events: &[Event]) -> Self {
        let mut masks = Self::default();
        events.iter().for_each(|event| masks.take(event));
        masks.settle(Timestamp::from_nanoseconds(i64::MAX));
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{DnsQuery, Endpoint, NetworkConnection, ProcessKey, Provenance, Sha256, Transport};

    fn event(milliseconds: i64, detail: Detail) -> Event {
        let provenance = Provenance {
            source: "x".into(),
            offset: milliseconds.unsigned_abs(),
            length: 1,
            sha256: Sha256::default(),
        };
        let time = Timestamp::from_nanoseconds(milliseconds * 1_000_000);
        Event { time, host: None, format: "unified-log".into(), provenance, detail }
    }

    fn process(pid: u32) -> ProcessImage {
        ProcessImage {
            key: ProcessKey::from_pid(pid, None),
            path: Some("/opt/agent".into()),
            ..ProcessImage::default()
        }
    }

    fn start(milliseconds: i64, pid: u32, hash: &str) -> Event {
        let endpoint = Endpoint { name_hash: Some(hash.into()), port: Some(443), ..Endpoint::default() };
        let fact = ConnectionFact::Started { endpoint, transport: Transport::Tcp, tls: true };
        let connection = NetworkConnection { process: process(pid), connection: 1, fact, effective_process: None };
        event(milliseconds, Detail::Connection(Box::new(connection)))
    }

    fn lookup(milliseconds: i64, pid: u32, hash: &str) -> Event {
        let query = DnsQuery {
            process: Some(ProcessImage { path: None, ..process(pid) }),
            originator: None,
            resolver: None,
            name: None,
            name_hash: Some(hash.into()),
            query_type: None,
            answers: Vec::new(),
            response_code: None,
        };
        event(milliseconds, Detail::Dns(Box::new(query)))
    }

    fn named(masks: &Masks, pid: u32, hash: &str) -> Option<String> {
        match masks.name_of(&process(pid), &hash.into())? {
            DestinationName::Masked(mask) => Some(mask.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_runs_of_a_program_name_the_same_host_the_same() {
        let events = [
            start(1_000, 71, "Hostname#aa"),
            lookup(1_004, 71, "hash=="),
            start(60_000, 71, "Hostname#aa"),
            start(90_000, 99, "Hostname#bb"),
            lookup(90_003, 99, "hash=="),
        ];
        let masks = Masks::collect(&events);
        assert_eq!(named(&masks, 71, "Hostname#aa").as_deref(), Some("mdns:hash=="), "the second use was cached");
        assert_eq!(named(&masks, 99, "Hostname#bb").as_deref(), Some("mdns:hash=="));
        assert_eq!(named(&masks, 99, "Hostname#aa"), None, "a mask means nothing in another process");
    }

    #[test]
    fn two_candidates_are_none() {
        let two_lookups = [start(0, 7, "Hostname#a"), lookup(3, 7, "x=="), lookup(5, 7, "y==")];
        assert_eq!(named(&Masks::collect(&two_lookups), 7, "Hostname#a"), None);
        let two_starts = [start(0, 7, "Hostname#a"), start(4, 7, "Hostname#b"), lookup(6, 7, "x==")];
        assert_eq!(named(&Masks::collect(&two_starts), 7, "Hostname#a"), None);
        let late = [start(0, 7, "Hostname#a"), lookup(900, 7, "x==")];
        assert_eq!(named(&Masks::collect(&late), 7, "Hostname#a"), None);
        let contradicting =
            [start(0, 7, "Hostname#a"), lookup(3, 7, "x=="), start(9_000, 7, "Hostname#a"), lookup(9_003, 7, "y==")];
        let masks = Masks::collect(&contradicting);
        assert_eq!((named(&masks, 7, "Hostname#a"), masks.refused()), (None, 1));
        let masked_address = [start(0, 7, "IPv4#a"), lookup(3, 7, "x==")];
        assert!(Masks::collect(&masked_address).known.is_empty());
    }

    #[test]
    fn settling_hour_by_hour_gives_what_settling_once_gives() {
        let mut events = Vec::new();
        for beat in 0..40_i64 {
            events.push(start(beat * 1_700, 7, if beat % 3 == 0 { "Hostname#a" } else { "Hostname#b" }));
            events.push(lookup(beat * 1_700 + 9, 7, if beat % 3 == 0 { "x==" } else { "y==" }));
        }
        let once = Masks::collect(&events);
        for step in [1_000_i64, 1_700, 5_000] {
            let mut carried = Masks::default();
            let mut bound = step;
            for event in &events {
                while event.time.nanoseconds() > (bound + 1_000) * 1_000_000 {
                    carried.settle(Timestamp::from_nanoseconds(bound * 1_000_000));
                    bound += step;
                }
                carried.take(event);
            }
            carried.settle(Timestamp::from_nanoseconds(i64::MAX));
            assert_eq!(carried, once);
        }
        assert_eq!(named(&once, 7, "Hostname#b").as_deref(), Some("mdns:y=="));
    }
}
