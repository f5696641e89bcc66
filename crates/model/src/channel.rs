//! Channels: all exchanges of one application on one host with one destination service, as a mergeable summary.
//!
//! Merging is associative and commutative, whatever the order and however the exchanges were sharded, as long as each
//! exchange is summarised once. Counters are exact; rows are pruned by whole hours (design 1.2).

use crate::{
    ApplicationKey, Attributes, ByteLayer, Counters, Handling, Reply, Sha256, SightSet, Teardown, Timestamp, Witnesses,
    platform,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

/// Rows a channel keeps before it prunes whole hours.
pub const DEFAULT_ROW_CAP: usize = 4096;

/// A destination service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Nobody recorded it: a wildcard.
    Unknown,
    /// Known by a masked name only; comparable within one process.
    Masked(Arc<str>),
    /// An address to which no name was sent, or whose name nobody recorded.
    Address(IpAddr),
    /// A registrable domain (public suffix list), lower case.
    Name(Arc<str>),
    /// What one owner keeps on a shared platform, where a path shows it.
    Part {
        /// The platform's host, lower case.
        platform: Arc<str>,
        /// The part, such as `bot123456` or a user and a repository.
        part: Arc<str>,
    },
}

impl Service {
    /// The service that a full host name belongs to: its registrable domain, the name itself where it has none or is asked
    /// for only as a connectivity check, or the address where the name is one.
    #[must_use]
    pub fn from_host_name(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        if let Ok(address) = bare.parse() {
            return Self::Address(address);
        }
        if platform::connectivity_check(&name).is_some() {
            return Self::Name(name.as_str().into());
        }
        match psl::domain_str(&name) {
            Some(domain) => Self::Name(domain.into()),
            None => Self::Name(name.as_str().into()),
        }
    }

    /// The service of a host name and the part of a shared platform, as [`part_of`](crate::part_of) gives it. Without a
    /// part: the registrable domain.
    #[must_use]
    pub fn from_host_and_part(name: &str, part: Option<&Arc<str>>) -> Self {
        let Some(part) = part else { return Self::from_host_name(name) };
        let platform = name.trim_end_matches('.').to_ascii_lowercase();
        if platform::is_bucket_host(&platform) {
            // The same bucket, named in front of the host.
            return Self::from_host_name(&format!("{part}.{platform}"));
        }
        Self::Part { platform: platform.into(), part: part.clone() }
    }

    /// What an exchange with this service is known by when its path (or bucket) was not seen: itself, unless it is one
    /// owner's part of a shared platform.
    #[must_use]
    pub fn family(&self) -> Self {
        match self {
            Self::Part { platform, .. } => Self::from_host_name(platform),
            Self::Name(name) => platform::bucket_host_of(name).map_or_else(|| self.clone(), Self::from_host_name),
            _ => self.clone(),
        }
    }

    /// Whether a name in clear is known.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Part { .. })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("unknown"),
            Self::Masked(name) => write!(formatter, "masked:{name}"),
            Self::Address(address) => write!(formatter, "{address}"),
            Self::Name(name) => formatter.write_str(name),
            Self::Part { platform, part } => write!(formatter, "{platform}/{part}"),
        }
    }
}

/// What makes a channel the same channel: host × application × service. No time in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelKey {
    /// The host.
    pub host: Arc<str>,
    /// The application.
    pub application: ApplicationKey,
    /// The destination service.
    pub service: Service,
}

/// The name of a channel: the first 128 bits of the hash of its key, 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId([u8; 16]);

impl ChannelId {
    /// A number for seeding whatever must be the same tomorrow.
    #[must_use]
    pub fn seed(self) -> u64 {
        self.0.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl ChannelKey {
    /// The channel's name.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        let mut text = String::new();
        let (kind, team, name, agent) = match &self.application {
            ApplicationKey::Unknown => ("unknown", None, None, None),
            ApplicationKey::Signed { team, signing_id, agent } => {
                ("signed", team.as_ref(), Some(signing_id), agent.as_ref())
            }
            ApplicationKey::Path { path, agent } => ("path", None, Some(path), agent.as_ref()),
        };
        let (service_kind, service) = match &self.service {
            Service::Unknown => ("unknown", String::new()),
            Service::Masked(name) => ("masked", name.to_string()),
            Service::Address(address) => ("address", address.to_string()),
            Service::Name(name) => ("name", name.to_string()),
            part @ Service::Part { .. } => ("part", part.to_string()),
        };
        // Length before text keeps two keys from running into the same bytes.
        let mut part = |value: Option<&str>| match value {
            Some(value) => text.push_str(&format!("{}:{value};", value.len())),
            None => text.push_str("-;"),
        };
        part(Some(&self.host));
        part(Some(kind));
        part(team.map(|value| &**value));
        part(name.map(|value| &**value));
        part(agent.map(|value| &**value));
        part(Some(service_kind));
        part(Some(&service));
        let mut id = [0_u8; 16];
        id.iter_mut().zip(Sha256::of(text.as_bytes()).as_bytes()).for_each(|(to, from)| *to = *from);
        ChannelId(id)
    }
}

/// One exchange in a channel's memory: what sequence tests read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Row {
    /// When the request was made.
    pub time: Timestamp,
    /// Bytes sent; `u32::MAX` means nobody recorded it.
    pub request_bytes: u32,
    /// Bytes received; `u32::MAX` means nobody recorded it.
    pub response_bytes: u32,
    /// Hash of the response's content; 0 means nobody recorded it.
    pub content_hash: u32,
    /// Sights that saw it.
    pub seen: SightSet,
    /// What `request_bytes` counted. `None` means that it is no complete count.
    pub request_layer: Option<ByteLayer>,
    /// HTTP status; 0 means nobody recorded one.
    pub status: u16,
    /// Effects after the reply.
    pub effects: u16,
    /// What came back.
    pub reply: Reply,
    /// How it was taken.
    pub handling: Handling,
    /// A new connection was made for it.
    pub fresh_connection: bool,
    /// `time` is a moment of the application's own: when it asked.
    #[serde(default = "crate::exchange::yes")]
    pub timed: bool,
    /// Who ended its connection.
    #[serde(default)]
    pub teardown: Teardown,
    /// What was asked: a hash of method and path without query; 0 means nobody recorded it.
    #[serde(default)]
    pub request_kind: u32,
    /// Its TLS session was an earlier one, resumed. `None` means nobody recorded it.
    #[serde(default)]
    pub resumed: Option<bool>,
}

// Design 1.2 bounds the memory of a channel by this.
const _: () = assert!(size_of::<Row>() <= 48);

/// Two summaries of different channels cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected two summaries of the same channel, found {0} and {1}")]
pub struct MergeError(ChannelId, ChannelId);

/// All exchanges of one application on one host with one destination service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// What makes it this channel.
    pub key: ChannelKey,
    /// Exact numbers.
    pub counters: Counters,
    /// What it was seen with.
    pub attributes: Attributes,
    /// A few records for each claim.
    pub witnesses: Witnesses,
    /// First request.
    pub first_time: Timestamp,
    /// Last request.
    pub last_time: Timestamp,
    /// Rows, sorted. Written by hour (counted from the epoch).
    #[serde(rename = "hours", with = "by_hour")]
    rows: Vec<Row>,
    /// Hash of the first hour that no longer fitted; it and all hours after it in hash order are gone.
    pruned_from: Option<u64>,
    row_cap: usize,
}

impl Channel {
    /// A channel without exchanges. `time` is the time of the first one to come.
    #[must_use]
    pub fn new(key: ChannelKey, time: Timestamp, row_cap: usize) -> Self {
        Self {
            key,
            counters: Counters::default(),
            attributes: Attributes::default(),
            witnesses: Witnesses::default(),
            first_time: time,
            last_time: time,
            rows: Vec::new(),
            pruned_from: None,
            row_cap,
        }
    }

    /// Adds the row of one exchange. Call [`Channel::prune`] when all are added.
    pub fn push_row(&mut self, row: Row) {
        self.first_time = self.first_time.min(row.time);
        self.last_time = self.last_time.max(row.time);
        let hour = row.time.hour();
        if self.pruned_from.is_some_and(|bound| hour_hash(hour) >= bound) {
            return;
        }
        let at = self.rows.partition_point(|other| *other <= row);
        self.rows.insert(at, row);
    }

    /// How many rows are kept.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Memory that its rows take, in bytes.
    #[must_use]
    pub const fn row_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }

    /// The rows kept, by time.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// How many requests carried clearly more than any before something was done on account of a reply: output that may have
    /// gone back. Sizes are compared within one byte layer, and by more than `slack_bytes`. "Any before" speaks from
    /// absence: `None` where the size of an earlier one is not known, or in another layer, or its hour was dropped.
    #[must_use]
    pub fn grown_after_effect(&self, slack_bytes: u32) -> Option<u64> {
        let first_effect = self.counters.first_effect.filter(|_| !self.key.application.is_unknown())?;
        if self.pruned_from.is_some() {
            return None;
        }
        let mut before: Option<(ByteLayer, u32)> = None;
        let mut grown = 0;
        for row in self.rows() {
            if row.time <= first_effect {
                let layer = row.request_layer?;
                let (known, greatest) = before.unwrap_or((layer, 0));
                if known != layer {
                    return None;
                }
                before = Some((layer, row.request_bytes.max(greatest)));
            } else if let Some((layer, greatest)) = before {
                let more = row.request_bytes > greatest.saturating_add(slack_bytes);
                grown += u64::from(row.request_layer == Some(layer) && more);
            }
        }
        Some(grown)
    }

    /// Of the answers that may all be of a TLS handshake, the least bytes, and how many carried clearly more than the least of
    /// their kind (full handshake or resumed session), by more than `slack_bytes`: those were no handshake alone. `None`:
    /// fewer than two of a kind are known.
    #[must_use]
    pub fn beyond_handshake(&self, slack_bytes: u32) -> Option<(u32, u64)> {
        let mut kinds: BTreeMap<bool, Vec<u32>> = BTreeMap::new();
        // Where the API tells of the response, its size is that of the message and not of the connection.
        let of_connection = |row: &&Row| row.reply == Reply::Bytes && row.handling == Handling::Unknown;
        let known = self.rows().filter(of_connection).filter(|row| row.response_bytes != u32::MAX);
        for row in known {
            if let Some(resumed) = row.resumed {
                kinds.entry(resumed).or_default().push(row.response_bytes);
            }
        }
        kinds.retain(|_, sizes| sizes.len() > 1);
        let least = kinds.values().flatten().min().copied()?;
        let beyond = kinds.values().map(|sizes| {
            let floor = sizes.iter().min().copied().unwrap_or(0).saturating_add(slack_bytes);
            sizes.iter().filter(|size| **size > floor).count() as u64
        });
        Some((least, beyond.sum()))
    }

    /// Of the responses that the API delivered with a known size (headers and body, as sent), the least bytes, and how many
    /// were larger by more than `slack_bytes`: those had a body. The others may be headers alone, as a status of 200 does not
    /// tell; the size of the headers is not logged, so the least stands for it. `None`: fewer than two are known, or the
    /// least is more than `headers_bytes`, which headers alone hardly reach.
    #[must_use]
    pub fn beyond_headers(&self, slack_bytes: u32, headers_bytes: u32) -> Option<(u32, u64)> {
        let delivered = |row: &&Row| matches!(row.handling, Handling::Delivered | Handling::DeliveredEmpty);
        let sizes = || self.rows().filter(delivered).map(|row| row.response_bytes).filter(|bytes| *bytes != u32::MAX);
        let least = sizes().min().filter(|least| *least <= headers_bytes)?;
        let beyond = sizes().filter(|bytes| *bytes > least.saturating_add(slack_bytes)).count() as u64;
        (sizes().count() > 1).then_some((least, beyond))
    }

    /// Hours that are kept, and whether others were dropped.
    #[must_use]
    pub fn kept_hours(&self) -> (usize, bool) {
        (hours_of(&self.rows).count(), self.pruned_from.is_some())
    }

    /// Adds the exchanges of another summary of the same channel; the two must be of disjoint exchanges.
    ///
    /// # Errors
    /// When the keys differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        let own_bound = self.pruned_from;
        self.absorb(other)?;
        // Pruning looks at every hour: only when there are too many rows, or the other had dropped some that are here.
        if self.rows.len() > self.row_cap || self.pruned_from != own_bound {
            self.prune();
        }
        Ok(())
    }

    /// As [`Channel::merge`], for many in a row: rows are pruned only now and then. Call [`Channel::prune`] after the last;
    /// which hours are kept then depends on the exchanges alone.
    ///
    /// # Errors
    /// When the keys differ.
    pub fn absorb(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.key != other.key {
            return Err(MergeError(self.key.id(), other.key.id()));
        }
        self.counters.merge(&other.counters);
        self.attributes.merge(&other.attributes);
        self.witnesses.merge(&other.witnesses);
        self.first_time = self.first_time.min(other.first_time);
        self.last_time = self.last_time.max(other.last_time);
        self.row_cap = self.row_cap.min(other.row_cap);
        self.pruned_from = [self.pruned_from, other.pruned_from].into_iter().flatten().min();
        self.add_rows(&other.rows);
        if self.rows.len() > self.row_cap.saturating_add(self.row_cap / PRUNE_SLACK) {
            self.prune();
        }
        Ok(())
    }

    fn add_rows(&mut self, rows: &[Row]) {
        let bound = self.pruned_from;
        let fits = |row: &&Row| bound.is_none_or(|bound| hour_hash(row.time.hour()) < bound);
        let in_order = self.rows.last().is_none_or(|last| rows.first().is_none_or(|first| last <= first));
        if self.rows.capacity() - self.rows.len() < rows.len() {
            // Doubling would leave half of the memory of long channels unused.
            self.rows.reserve_exact(rows.len() + self.rows.len() / PRUNE_SLACK);
        }
        self.rows.extend(rows.iter().filter(fits));
        if !in_order {
            // Two sorted runs: the stable sort merges them.
            self.rows.sort();
        }
    }

    /// Drops whole hours, in order of their hash, from the first that does not fit.
    pub fn prune(&mut self) {
        if self.rows.len() > self.row_cap {
            let mut order: Vec<(u64, usize)> =
                hours_of(&self.rows).map(|(hour, rows)| (hour_hash(hour), rows.len())).collect();
            order.sort_unstable();
            let mut rows = 0;
            for (hash, count) in order {
                rows += count;
                if rows > self.row_cap {
                    self.pruned_from = Some(self.pruned_from.map_or(hash, |bound| bound.min(hash)));
                    break;
                }
            }
        }
        if let Some(bound) = self.pruned_from {
            self.rows.retain(|row| hour_hash(row.time.hour()) < bound);
        }
    }
}

/// Between two prunings a channel may hold this part of its cap more; as much room is made when it grows.
const PRUNE_SLACK: usize = 8;

/// The rows of each hour; `rows` must be sorted.
fn hours_of(rows: &[Row]) -> impl Iterator<Item = (i64, &[Row])> {
    rows.chunk_by(|one, other| one.time.hour() == other.time.hour())
        .filter_map(|rows| Some((rows.first()?.time.hour(), rows)))
}

/// Rows as a map from the hour to its rows, as lakes keep them.
mod by_hour {
    use super::{Row, hours_of};
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(hours_of(rows))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Row>, D::Error> {
        let hours = BTreeMap::<i64, Vec<Row>>::deserialize(deserializer)?;
        let mut rows: Vec<Row> = hours.into_values().flatten().collect();
        rows.sort_unstable();
        Ok(rows)
    }
}

/// A fixed mixing of the hour's number (the finaliser of SplitMix64), so that the hours kept are spread over the day.
fn hour_hash(hour: i64) -> u64 {
    let mut mixed = (hour as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(second: i64, response_bytes: u32, handling: Handling) -> Row {
        Row {
            time: Timestamp::from_nanoseconds(second * 1_000_000_000),
            request_bytes: 100,
            response_bytes,
            content_hash: 0,
            seen: SightSet::EMPTY,
            request_layer: Some(ByteLayer::Message),
            status: 200,
            effects: 0,
            reply: Reply::Payload,
            handling,
            fresh_connection: true,
            teardown: Teardown::Unknown,
            request_kind: 0,
            resumed: None,
            timed: true,
        }
    }

    fn channel(rows: impl IntoIterator<Item = Row>) -> Channel {
        let key = ChannelKey { host: "a".into(), application: ApplicationKey::Unknown, service: Service::Unknown };
        let mut channel = Channel::new(key, Timestamp::default(), DEFAULT_ROW_CAP);
        rows.into_iter().for_each(|row| channel.push_row(row));
        channel
    }

    #[test]
    fn a_response_clearly_larger_than_the_least_of_its_service_had_a_body() {
        let rows = |sizes: &[u32]| -> Vec<Row> {
            (0..).zip(sizes).map(|(second, bytes)| delivered(second, *bytes, Handling::Delivered)).collect()
        };
        let beyond = |rows: Vec<Row>| channel(rows).beyond_headers(16, 2048);
        // 212 + 16 is the last size that headers alone may have.
        assert_eq!(beyond(rows(&[212, 228, 229, 9_000])), Some((212, 2)));
        assert_eq!(beyond(rows(&[212, 220])), Some((212, 0)));
        assert_eq!(beyond(rows(&[212])), None, "one alone is compared with nothing");
        assert_eq!(beyond(rows(&[2_049, 9_000])), None, "headers alone hardly reach the least");
        assert_eq!(beyond(rows(&[u32::MAX, u32::MAX])), None, "nobody recorded the sizes");
        // A response without a body shows how large the headers are; one that was given up shows nothing.
        let mixed = vec![
            delivered(0, 150, Handling::DeliveredEmpty),
            delivered(1, 900, Handling::Delivered),
            delivered(2, 10, Handling::AbandonedAtHeaders),
        ];
        assert_eq!(beyond(mixed), Some((150, 1)));
    }

    #[test]
    fn services_are_as_fine_as_the_telemetry_shows() {
        let of = |name: &str, part: Option<&str>| {
            Service::from_host_and_part(name, part.map(Arc::from).as_ref()).to_string()
        };
        assert_eq!(of("api.telegram.org", None), "telegram.org");
        assert_eq!(of("API.telegram.org.", Some("bot77")), "api.telegram.org/bot77");
        assert_eq!(of("s3.eu-west-1.amazonaws.com", Some("parts")), "parts.s3.eu-west-1.amazonaws.com");
        assert_eq!(of("parts.s3.eu-west-1.amazonaws.com", None), "parts.s3.eu-west-1.amazonaws.com");
        // Platforms that give each owner a name stand in the private section of the public suffix list.
        for name in [
            "a.workers.dev",
            "a.pages.dev",
            "a.web.app",
            "a.herokuapp.com",
            "a.github.io",
            "a.blob.core.windows.net",
            "a.s3.amazonaws.com",
            "a.s3.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(of(&format!("x.{name}"), None), name);
        }
    }

    #[test]
    fn what_is_known_without_a_path_is_the_family() {
        let family = |name: &str, part: Option<&str>| {
            Service::from_host_and_part(name, part.map(Arc::from).as_ref()).family().to_string()
        };
        assert_eq!(family("api.telegram.org", Some("bot77")), "telegram.org");
        assert_eq!(family("api.telegram.org", None), "telegram.org");
        assert_eq!(family("s3.eu-west-1.amazonaws.com", Some("parts")), "s3.eu-west-1.amazonaws.com");
        assert_eq!(family("s3.eu-west-1.amazonaws.com", None), "s3.eu-west-1.amazonaws.com");
        assert_eq!(family("x.a.workers.dev", None), "a.workers.dev");
    }
}
