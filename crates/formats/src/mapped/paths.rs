//! The places of an event that a mapping can fill.

use monologue_model::{Sight, SightSet};

/// Which event the records of a mapping become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    /// An HTTP transaction that passed a gateway.
    Http,
    /// A flow, as a firewall or flow exporter counts it.
    Flow,
    /// A DNS query.
    Dns,
}

/// What a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A moment.
    Time,
    /// A length of time.
    Duration,
    /// A number of bytes.
    Bytes,
    /// A whole number.
    Number,
    /// An address.
    Address,
    /// A text.
    Text,
    /// A list of texts.
    List,
}

/// Places that every event has.
const COMMON: &[(&str, Kind)] =
    &[("time", Kind::Time), ("time.end", Kind::Time), ("duration", Kind::Duration), ("device", Kind::Text)];

const HTTP: &[(&str, Kind)] = &[
    ("uid", Kind::Text),
    ("client.address", Kind::Address),
    ("client.port", Kind::Number),
    ("proxy.address", Kind::Address),
    ("proxy.port", Kind::Number),
    ("server.address", Kind::Address),
    ("user", Kind::Text),
    ("method", Kind::Text),
    ("url", Kind::Text),
    ("scheme", Kind::Text),
    ("host", Kind::Text),
    ("port", Kind::Number),
    ("path", Kind::Text),
    ("query", Kind::Text),
    ("user-agent", Kind::Text),
    ("status", Kind::Number),
    ("request.bytes", Kind::Bytes),
    ("response.bytes", Kind::Bytes),
    ("outcome", Kind::Text),
    ("answered-by", Kind::Text),
    ("teardown", Kind::Text),
    ("content-hash", Kind::Text),
];

const FLOW: &[(&str, Kind)] = &[
    ("uid", Kind::Text),
    ("originator.address", Kind::Address),
    ("originator.port", Kind::Number),
    ("responder.address", Kind::Address),
    ("responder.port", Kind::Number),
    ("transport", Kind::Text),
    ("service", Kind::Text),
    ("sent.bytes", Kind::Bytes),
    ("received.bytes", Kind::Bytes),
    ("sent.packets", Kind::Number),
    ("received.packets", Kind::Number),
    ("phase", Kind::Text),
    ("direction", Kind::Text),
    ("state", Kind::Text),
];

const DNS: &[(&str, Kind)] = &[
    ("client.address", Kind::Address),
    ("client.port", Kind::Number),
    ("resolver.address", Kind::Address),
    ("resolver.port", Kind::Number),
    ("name", Kind::Text),
    ("type", Kind::Text),
    ("answers", Kind::List),
    ("response-code", Kind::Text),
];

impl EventKind {
    /// The kind of that name.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        match name {
            "http" => Ok(Self::Http),
            "flow" => Ok(Self::Flow),
            "dns" => Ok(Self::Dns),
            other => Err(format!("expected `http`, `flow` or `dns` in `event`, found {other:?}")),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Flow => "flow",
            Self::Dns => "dns",
        }
    }

    const fn own(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::Http => HTTP,
            Self::Flow => FLOW,
            Self::Dns => DNS,
        }
    }

    /// What records of this kind show, where a mapping does not say.
    pub(super) const fn sights(self) -> SightSet {
        match self {
            Self::Http => SightSet::of(&[Sight::GatewayRecord, Sight::HttpResponse, Sight::HttpRequest]),
            Self::Flow => SightSet::of(&[Sight::FlowBytes, Sight::FlowReply]),
            Self::Dns => SightSet::of(&[Sight::DnsQuery]),
        }
    }

    /// Places of which a mapping must fill one each.
    pub(super) const fn required(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Http => &[&["time", "time.end"], &["client.address", "device", "user"], &["url", "host"]],
            Self::Flow => &[&["time", "time.end"], &["originator.address"], &["responder.address"]],
            Self::Dns => &[&["time", "time.end"], &["client.address", "device"], &["name"]],
        }
    }
}

/// The place of that name.
///
/// # Errors
/// What was expected, with the nearest name.
pub(super) fn find(event: EventKind, path: &str) -> Result<(&'static str, Kind), String> {
    let mut places = COMMON.iter().chain(event.own());
    if let Some(found) = places.clone().find(|(name, _)| *name == path) {
        return Ok(*found);
    }
    let near =
        places.clone().min_by_key(|(name, _)| distance(name, path)).filter(|(name, _)| distance(name, path) <= 3);
    let hint = match near {
        Some((name, _)) => format!("did you mean `{name}`?"),
        None => format!("one of {}", places.by_ref().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
    };
    Err(format!("expected a path of `{}`, found {path:?}; hint: {hint}", event.name()))
}

/// Letters to change, add or take away to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().take(64).enumerate() {
        let mut before = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (cell, wanted) in row.iter().skip(1).zip(&other) {
            let change = before + usize::from(letter != *wanted);
            before = *cell;
            left = change.min(*cell + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!((distance("url", "urll"), distance("status", "state"), distance("a", "")), (1, 2, 1));
        let error = find(EventKind::Http, "client.adress").unwrap_err();
        assert!(error.ends_with("did you mean `client.address`?"), "{error}");
        assert!(find(EventKind::Dns, "nothing-like-it").unwrap_err().contains("one of time, time.end"));
    }
}
