//! Where a service leads: bare addresses that an application contacts only soon after asking one named service.

use crate::{origin::is_public, settings};
use monologue_model::{ApplicationKey, Channel, Service, Timestamp};
use std::{collections::BTreeMap, net::IpAddr};

/// For each channel, the public address without a name to which its application went on, and how often; `None` where there is
/// none. Every request to that address came within the effect window after a request of this channel, and the first of it.
pub(crate) fn leads(channels: &[Channel]) -> Vec<Option<(IpAddr, u64)>> {
    let mut by_application: BTreeMap<&ApplicationKey, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, channel) in channels.iter().enumerate().filter(|(_, channel)| !channel.key.application.is_unknown()) {
        let (named, bare) = by_application.entry(&channel.key.application).or_default();
        if channel.key.service.is_named() {
            named.push(at);
        } else if bare_address(channel).is_some() {
            bare.push(at);
        }
    }
    let mut leads = vec![None; channels.len()];
    for (named, bare) in by_application.into_values().filter(|(_, bare)| !bare.is_empty()) {
        for at in named {
            let Some(from) = channels.get(at) else { continue };
            let asked: Vec<Timestamp> = from.rows().map(|row| row.time).collect();
            let led = bare.iter().filter_map(|other| channels.get(*other)).filter_map(|to| {
                let address = bare_address(to)?;
                // "Never else" is known only where no hour was dropped.
                let is_whole = !to.kept_hours().1;
                (is_whole && to.rows().all(|row| follows(row.time, &asked))).then_some((address, to.counters.exchanges))
            });
            if let Some(place) = leads.get_mut(at) {
                *place = led.max_by_key(|(_, times)| *times);
            }
        }
    }
    leads
}

/// The public address of a channel of which it is known that no name was sent or looked up.
pub(crate) fn bare_address(channel: &Channel) -> Option<IpAddr> {
    let attributes = &channel.attributes;
    // An address in the place of a name (`Host: 203.0.113.9`) is no name.
    let address: IpAddr = match &channel.key.service {
        Service::Address(address) => *address,
        Service::Name(name) => name.parse().ok()?,
        _ => return None,
    };
    let is_bare = attributes.name_unknown == 0
        && !attributes.names.overflow
        && attributes.names.iter().all(|(name, _)| name.parse::<IpAddr>().is_ok());
    (is_public(address) && is_bare).then_some(address)
}

/// Whether a moment lies within the window after one of these; they ascend.
fn follows(time: Timestamp, asked: &[Timestamp]) -> bool {
    let before = asked.partition_point(|asked| *asked < time);
    let last = before.checked_sub(1).and_then(|at| asked.get(at));
    last.is_some_and(|last| time.since(*last) <= settings::EFFECT_WINDOW_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_lies_within_half_a_minute_after() {
        let second = |at: i64| Timestamp::from_nanoseconds(at * 1_000_000_000);
        let asked = [second(100), second(700)];
        let answers: Vec<bool> = [99, 100, 101, 130, 131, 699, 701].map(|at| follows(second(at), &asked)).to_vec();
        assert_eq!(answers, [false, false, true, true, false, false, true]);
        assert!(!follows(second(5), &[]));
    }
}
