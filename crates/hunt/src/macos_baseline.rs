//! What macOS's own services talk to: approvals that ship with the product, each with its source.

use crate::public_services::above;
use monologue_model::{ApplicationKey, ApprovalOutcome, Channel, SignatureState, Timestamp};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

const TABLE: &str = include_str!("macos-baseline.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    signing_id: String,
    names: Vec<String>,
    source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    expires: String,
    service: Vec<Service>,
}

#[derive(Debug, Default)]
struct Known {
    expires: String,
    expires_at: Option<Timestamp>,
    by_signing_id: BTreeMap<String, Vec<Service>>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let table: Table = toml::from_str(TABLE).unwrap_or_default();
    let mut known = Known {
        expires_at: Timestamp::parse(&format!("{}T23:59:59Z", table.expires)).ok(),
        expires: table.expires,
        by_signing_id: BTreeMap::new(),
    };
    for service in table.service {
        known.by_signing_id.entry(service.signing_id.clone()).or_default().push(service);
    }
    known
});

/// The approval of a channel of macOS's own, if every name it was seen with is one that the service is known to ask. Nothing that
/// anybody could choose counts: the kernel must have called the program part of macOS, each time.
pub(crate) fn approve(channel: &Channel) -> Option<ApprovalOutcome> {
    let ApplicationKey::Signed { team: None, signing_id, agent: None } = &channel.key.application else { return None };
    let attributes = &channel.attributes;
    let platform = !attributes.signatures.is_empty()
        && attributes.signatures.iter().all(|(state, _)| *state == SignatureState::Platform);
    let named = attributes.name_unknown == 0 && !attributes.names.is_empty() && !attributes.names.overflow;
    if !platform || !named || KNOWN.expires_at.is_none_or(|expires| channel.last_time > expires) {
        return None;
    }
    let services = KNOWN.by_signing_id.get(&**signing_id)?;
    let of = |name: &str| {
        let name = name.to_ascii_lowercase();
        services.iter().find(|service| above(&name).any(|name| service.names.iter().any(|known| known == name)))
    };
    let mut found = attributes.names.iter().map(|(name, _)| of(name));
    let first = found.next()??;
    found.all(|other| other.is_some()).then(|| ApprovalOutcome {
        owner: "the product's baseline of macOS".to_owned(),
        reason: first.source.clone(),
        expires: KNOWN.expires.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ChannelKey, DEFAULT_ROW_CAP, Service as Destination};

    fn channel(signing_id: &str, name: &str, state: SignatureState) -> Channel {
        let application = ApplicationKey::Signed { team: None, signing_id: signing_id.into(), agent: None };
        let key = ChannelKey { host: "a".into(), application, service: Destination::Name(name.into()) };
        let time = Timestamp::parse("2026-03-02T06:00:00Z").unwrap();
        let mut channel = Channel::new(key, time, DEFAULT_ROW_CAP);
        channel.attributes.names.insert(name.into());
        channel.attributes.signatures.insert(state);
        channel
    }

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(TABLE).unwrap();
        assert!(Timestamp::parse(&format!("{}T23:59:59Z", table.expires)).is_ok());
        for service in &table.service {
            assert!(service.signing_id.starts_with("com.apple."), "{}", service.signing_id);
            assert!(service.source.contains(':') && !service.names.is_empty(), "{}", service.signing_id);
            assert!(service.names.iter().all(|name| name.contains('.')), "{}", service.signing_id);
        }
    }

    #[test]
    fn only_macos_itself_is_approved_and_only_for_what_it_is_known_to_ask() {
        let approved = |signing_id, name, state| approve(&channel(signing_id, name, state)).is_some();
        assert!(approved("com.apple.apsd", "1-courier.push.apple.com", SignatureState::Platform));
        assert!(!approved("com.apple.apsd", "1-courier.push.apple.com.evil.test", SignatureState::Platform));
        assert!(!approved("com.apple.apsd", "push.apple.com", SignatureState::AdHoc));
        assert!(!approved("com.apple.curl", "push.apple.com", SignatureState::Platform));
        let mut later = channel("com.apple.timed", "time.apple.com", SignatureState::Platform);
        assert!(approve(&later).is_some());
        later.attributes.name_unknown = 1;
        assert!(approve(&later).is_none(), "a name that nobody recorded may be another");
        later.attributes.name_unknown = 0;
        later.last_time = Timestamp::parse("2028-01-01T00:00:00Z").unwrap();
        assert!(approve(&later).is_none(), "the table is to be read again by then");
    }
}
