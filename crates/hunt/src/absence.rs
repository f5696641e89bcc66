//! The one rule: absence needs every witness, presence needs one, else the answer is blind.
//!
//! A signal that speaks from absence is asked only if each of its sights saw *every* exchange that may belong to the
//! channel; one that speaks from presence, if one exchange was seen. "May belong" is wide: unknown parts of a key are
//! wildcards, so an unattributed reply from the same service may be this application's (design 1.2). And if records that
//! show exchanges were lost, one of them may have been an exchange of this channel.

use crate::link::HOST_MASK;
use monologue_model::{ApplicationKey, Channel, Counters, Needs, Service, Sight};
use std::collections::BTreeMap;

/// One channel with all that may belong to it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The channel: only exchanges that certainly belong to it. Presence is argued from these.
    pub channel: &'a Channel,
    /// Exchanges that may belong to it, itself included. Absence is argued over these.
    pub possible: &'a Counters,
    /// Exchanges that may have been lost altogether on this host.
    pub missing: u64,
}

/// What was missing for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blindness {
    /// What was not seen.
    pub sight: Sight,
    /// Exchanges for which it was seen.
    pub seen: u64,
    /// Exchanges for which it would have had to be seen.
    pub of: u64,
}

impl Subject<'_> {
    /// Exchanges that must have been seen by `sight` before anything may be said from absence.
    #[must_use]
    pub const fn due(&self, sight: Sight) -> u64 {
        let exchanges = match sight {
            Sight::FileEffect => self.possible.effect_due(),
            _ => self.possible.reply_due(),
        };
        exchanges + self.missing
    }

    /// Whether `sight` saw every exchange that may belong to the channel.
    ///
    /// # Errors
    /// How many it saw, of how many. Nothing to be seen at all is blind too.
    pub fn every(&self, sight: Sight) -> Result<(), Blindness> {
        let (seen, of) = (self.possible.seen_by(sight), self.due(sight));
        if of > 0 && seen >= of { Ok(()) } else { Err(Blindness { sight, seen, of }) }
    }

    /// Whether what a signal needs was seen.
    ///
    /// # Errors
    /// The first sight that was missing.
    pub fn sees(&self, needs: Needs) -> Result<(), Blindness> {
        match needs {
            Needs::Every(sights) => sights.iter().try_for_each(|sight| self.every(*sight)),
            Needs::Any(sights) => {
                let seen = |sight: &Sight| self.channel.counters.seen_by(*sight) > 0;
                match sights.first() {
                    Some(first) if !sights.iter().any(seen) => {
                        Err(Blindness { sight: *first, seen: 0, of: self.channel.counters.exchanges })
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// For each channel of one host, the counters of all exchanges that may belong to it.
#[must_use]
pub fn possible(channels: &[Channel]) -> Vec<Counters> {
    let index = Index::new(channels);
    channels
        .iter()
        .enumerate()
        .map(|(at, channel)| {
            let mut counters = channel.counters.clone();
            for (other, candidate) in index.candidates(channel) {
                if *other != at && may_overlap(channel, candidate) {
                    counters.merge(&candidate.counters);
                }
            }
            counters
        })
        .collect()
}

/// A channel and its place.
type Placed<'a> = (usize, &'a Channel);

/// Channels of one host by what their service is known by: two names, or two addresses, overlap only if they are the same,
/// or if one is a shared platform and the other one owner's part of it. Both have one family.
struct Index<'a> {
    same: BTreeMap<Service, Vec<Placed<'a>>>,
    names: Vec<Placed<'a>>,
    addresses: Vec<Placed<'a>>,
    hidden: Vec<Placed<'a>>,
}

impl<'a> Index<'a> {
    fn new(channels: &'a [Channel]) -> Self {
        let mut index = Self { same: BTreeMap::new(), names: Vec::new(), addresses: Vec::new(), hidden: Vec::new() };
        for placed in channels.iter().enumerate() {
            index.same.entry(placed.1.key.service.family()).or_default().push(placed);
            match placed.1.key.service {
                Service::Name(_) | Service::Part { .. } => index.names.push(placed),
                Service::Address(_) => index.addresses.push(placed),
                Service::Masked(_) | Service::Unknown => index.hidden.push(placed),
            }
        }
        index
    }

    fn candidates(&self, channel: &Channel) -> impl Iterator<Item = &Placed<'a>> {
        let same = self.same.get(&channel.key.service.family()).map_or(&[][..], Vec::as_slice);
        let (first, second): (&[Placed<'a>], &[Placed<'a>]) = match channel.key.service {
            Service::Name(_) | Service::Part { .. } => (same, &self.addresses),
            Service::Address(_) => (same, &self.names),
            Service::Masked(_) | Service::Unknown => (&self.names, &self.addresses),
        };
        first.iter().chain(second).chain(&self.hidden)
    }
}

/// Whether exchanges of one channel may belong to the other as well.
#[must_use]
pub fn may_overlap(one: &Channel, other: &Channel) -> bool {
    one.key.host == other.key.host && applications_overlap(one, other) && services_overlap(one, other)
}

fn applications_overlap(one: &Channel, other: &Channel) -> bool {
    let (a, b) = (&one.key.application, &other.key.application);
    let agents = match (a.agent(), b.agent()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    match (a, b) {
        (ApplicationKey::Unknown, _) | (_, ApplicationKey::Unknown) => true,
        (ApplicationKey::Signed { team, signing_id, .. }, ApplicationKey::Signed { team: t, signing_id: s, .. }) => {
            team == t && signing_id == s && agents
        }
        (ApplicationKey::Path { path: a, .. }, ApplicationKey::Path { path: b, .. }) => a == b && agents,
        // Known by signature here and by path there: the same program if it was seen at that path.
        (ApplicationKey::Signed { .. }, ApplicationKey::Path { path, .. }) => ran_at(one, path) && agents,
        (ApplicationKey::Path { path, .. }, ApplicationKey::Signed { .. }) => ran_at(other, path) && agents,
    }
}

fn ran_at(channel: &Channel, path: &std::sync::Arc<str>) -> bool {
    channel.attributes.path_unknown > 0 || channel.attributes.paths.overflow || channel.attributes.paths.contains(path)
}

fn services_overlap(one: &Channel, other: &Channel) -> bool {
    match (&one.key.service, &other.key.service) {
        (a, b) if a.is_named() && b.is_named() => a == b || may_be_whole_of(one, other) || may_be_whole_of(other, one),
        (Service::Address(a), Service::Address(b)) => a == b,
        // A name that is masked alike for the whole host is a name: only which one is hidden.
        (Service::Masked(a), Service::Masked(b)) if is_host_mask(a) && is_host_mask(b) => a == b,
        (Service::Masked(mask), named) | (named, Service::Masked(mask)) if is_host_mask(mask) && named.is_named() => {
            true
        }
        (Service::Masked(mask), Service::Address(address)) if is_host_mask(mask) => {
            name_may_be_at(one, *address, other)
        }
        (Service::Address(address), Service::Masked(mask)) if is_host_mask(mask) => {
            name_may_be_at(other, *address, one)
        }
        (named, Service::Address(address)) if named.is_named() => name_may_be_at(one, *address, other),
        (Service::Address(address), named) if named.is_named() => name_may_be_at(other, *address, one),
        (Service::Masked(a), Service::Masked(b)) if a == b => true,
        (Service::Masked(a), Service::Masked(b)) if are_different_names(a, b) && share_one_process(one, other) => false,
        // A masked or unknown name may be any service; the addresses of both rule it out only where both know all.
        _ => addresses_may_meet(one, other),
    }
}

/// Whether exchanges of `whole`, of which no path was seen, may be with the owner's part that the other channel is about:
/// the same platform, and its host was among those asked.
fn may_be_whole_of(whole: &Channel, part: &Channel) -> bool {
    if part.key.service == whole.key.service || part.key.service.family() != whole.key.service {
        return false;
    }
    let names = &whole.attributes.names;
    match &part.key.service {
        Service::Part { platform, .. } => {
            names.overflow || whole.attributes.name_unknown > 0 || names.contains(platform)
        }
        _ => true,
    }
}

fn is_host_mask(mask: &str) -> bool {
    mask.starts_with(HOST_MASK)
}

/// Whether two masks are of host names (an address may be that of a host), so that within one process they differ only if
/// the names do.
fn are_different_names(a: &str, b: &str) -> bool {
    a != b && a.starts_with("Hostname#") && b.starts_with("Hostname#")
}

/// Whether all exchanges of both channels were made by one and the same process.
fn share_one_process(one: &Channel, other: &Channel) -> bool {
    let (a, b) = (&one.attributes, &other.attributes);
    a.pid_unknown == 0
        && b.pid_unknown == 0
        && a.pids.len() == 1
        && a.pids.iter().map(|(pid, _)| pid).eq(b.pids.iter().map(|(pid, _)| pid))
}

/// Whether exchanges to an address may be exchanges with the named service: the service was seen there or somewhere
/// unknown, or nobody recorded whether a name was sent to the address.
fn name_may_be_at(named: &Channel, address: std::net::IpAddr, bare: &Channel) -> bool {
    let attributes = &named.attributes;
    attributes.address_unknown > 0
        || attributes.addresses.overflow
        || attributes.addresses.contains(&address)
        || bare.attributes.name_unknown > 0
}

fn addresses_may_meet(one: &Channel, other: &Channel) -> bool {
    let (a, b) = (&one.attributes, &other.attributes);
    let open =
        |attributes: &monologue_model::Attributes| attributes.address_unknown > 0 || attributes.addresses.overflow;
    open(a) || open(b) || a.addresses.iter().any(|(address, _)| b.addresses.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ChannelKey, Timestamp};

    fn channel(application: ApplicationKey, service: Service) -> Channel {
        let key = ChannelKey { host: "mac".into(), application, service };
        Channel::new(key, Timestamp::default(), 10)
    }

    fn signed(agent: Option<&str>) -> ApplicationKey {
        ApplicationKey::Signed { team: None, signing_id: "com.apple.curl".into(), agent: agent.map(Into::into) }
    }

    fn named(name: &str) -> Service {
        Service::Name(name.into())
    }

    #[test]
    fn unknown_parts_of_an_application_are_wildcards() {
        let service = || named("a.example");
        let known = channel(signed(Some("~/a.sh")), service());
        assert!(may_overlap(&known, &channel(ApplicationKey::Unknown, service())));
        assert!(may_overlap(&known, &channel(signed(None), service())), "nobody recorded the script");
        assert!(!may_overlap(&known, &channel(signed(Some("~/b.sh")), service())));
        assert!(!may_overlap(&known, &channel(ApplicationKey::Unknown, named("b.example"))));
        let mut elsewhere = channel(ApplicationKey::Path { path: "/opt/curl".into(), agent: None }, service());
        elsewhere.attributes.paths.insert("/opt/curl".into());
        let mut ours = channel(signed(None), service());
        ours.attributes.paths.insert("/usr/bin/curl".into());
        assert!(!may_overlap(&ours, &elsewhere), "signed here, and never seen at that path");
        ours.attributes.path_unknown = 1;
        assert!(may_overlap(&ours, &elsewhere));
    }

    #[test]
    fn an_address_may_be_a_name_that_was_seen_there_or_somewhere_unknown() {
        let address = "192.0.2.7".parse().unwrap();
        let mut name = channel(ApplicationKey::Unknown, named("a.example"));
        name.attributes.addresses.insert("192.0.2.1".parse().unwrap());
        let mut bare = channel(ApplicationKey::Unknown, Service::Address(address));
        bare.attributes.addresses.insert(address);
        assert!(!may_overlap(&name, &bare), "no name was sent there, and the name was never there");
        bare.attributes.name_unknown = 1;
        assert!(may_overlap(&name, &bare), "nobody recorded whether a name was sent");
        bare.attributes.name_unknown = 0;
        name.attributes.addresses.insert(address);
        assert!(may_overlap(&name, &bare));
    }

    #[test]
    fn masked_names_differ_only_within_one_process() {
        let mut one = channel(signed(None), Service::Masked("Hostname#aa".into()));
        let mut other = channel(signed(None), Service::Masked("Hostname#bb".into()));
        for masked in [&mut one, &mut other] {
            masked.attributes.address_unknown = 1;
            masked.attributes.pids.insert(71);
        }
        assert!(!may_overlap(&one, &other));
        other.attributes.pids.insert(72);
        assert!(may_overlap(&one, &other), "another process may mask the same name differently");
    }

    #[test]
    fn a_name_masked_alike_for_the_host_may_be_any_name_and_no_other_mask_of_its_kind() {
        let address = "192.0.2.7".parse().unwrap();
        let mut masked = channel(signed(None), Service::Masked("mdns:x==".into()));
        masked.attributes.addresses.insert(address);
        let other = channel(signed(None), Service::Masked("mdns:y==".into()));
        assert!(!may_overlap(&masked, &other));
        assert!(may_overlap(&masked, &channel(signed(None), named("a.example"))), "it may be the name behind the mask");
        let mut process_mask = channel(signed(None), Service::Masked("Hostname#1".into()));
        process_mask.attributes.address_unknown = 1;
        assert!(may_overlap(&masked, &process_mask));
        let bare = |address: &str| channel(signed(None), Service::Address(address.parse().unwrap()));
        assert!(may_overlap(&bare("192.0.2.7"), &masked));
        assert!(!may_overlap(&bare("192.0.2.8"), &masked), "no name was sent there, and the name was never there");
    }

    #[test]
    fn an_unseen_path_may_be_any_owners_part_of_its_platform() {
        let part = |part: &str| Service::Part { platform: "api.telegram.org".into(), part: part.into() };
        let mut whole = channel(signed(None), named("telegram.org"));
        whole.attributes.names.insert("api.telegram.org".into());
        let (one, other) = (channel(signed(None), part("bot1")), channel(signed(None), part("bot2")));
        assert!(may_overlap(&whole, &one) && may_overlap(&other, &whole) && !may_overlap(&one, &other));
        let mut elsewhere = channel(signed(None), named("telegram.org"));
        elsewhere.attributes.names.insert("web.telegram.org".into());
        assert!(!may_overlap(&elsewhere, &one), "it was never at that host");
        let bucket = channel(signed(None), named("parts.s3.eu-west-1.amazonaws.com"));
        let unseen = channel(signed(None), named("s3.eu-west-1.amazonaws.com"));
        assert!(may_overlap(&bucket, &unseen) && may_overlap(&unseen, &bucket));
        let another = channel(signed(None), named("other.s3.eu-west-1.amazonaws.com"));
        assert!(!may_overlap(&bucket, &another));
        // The index finds what the rule allows.
        let mut all = [whole, one, other, elsewhere, bucket, unseen, another];
        all.iter_mut().for_each(|channel| channel.counters.exchanges = 1);
        let seen: Vec<u64> = possible(&all).iter().map(|counters| counters.exchanges).collect();
        let counted: Vec<u64> =
            all.iter().map(|one| all.iter().filter(|other| may_overlap(one, other)).count() as u64).collect();
        assert_eq!(seen, counted);
    }

    #[test]
    fn nothing_to_be_seen_is_blind_and_so_is_one_record_missing() {
        let channel = channel(ApplicationKey::Unknown, named("a.example"));
        let mut counters = Counters::default();
        let every = |counters: &Counters, missing| {
            Subject { channel: &channel, possible: counters, missing }.every(Sight::FlowReply).is_ok()
        };
        assert!(!every(&counters, 0));
        counters.exchanges = 1;
        counters.seen[Sight::FlowReply as usize] = 1;
        assert!(every(&counters, 0));
        assert!(!every(&counters, 1));
    }
}
