//! Columns that every event table begins with: when, what class, which device, and where the record stands.

use super::{Interner, error::Unexpected};
use monologue_model::{Event, Provenance, Sha256, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// The version of OCSF whose names the tables use.
pub const OCSF_VERSION: &str = "1.8.0";

/// Bytes of a SHA-256 hash.
pub(super) const HASH_LENGTH: i32 = 32;

/// Columns of every event table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Base<'a> {
    /// When it happened, or began: nanoseconds since 1970-01-01T00:00:00Z, exact. Row groups are chosen by it.
    time_ns: i64,
    /// OCSF: the same in whole milliseconds, rounded down.
    time: i64,
    /// OCSF: the class, such as 1007 for process activity; 0 (base event) where OCSF has no class.
    class_uid: i32,
    /// OCSF: the category of the class: 1 system activity, 4 network activity, 0 none.
    category_uid: i32,
    /// OCSF: the activity within the class; 0 unknown, 99 one that OCSF does not number.
    activity_id: i32,
    /// OCSF: class times 100 plus activity.
    type_uid: i64,
    /// OCSF: always 1 (informational); telemetry is not judged here.
    severity_id: i32,
    /// OCSF: about the record itself.
    metadata: Metadata<'a>,
    /// OCSF: the device it happened on.
    device: Device<'a>,
    /// Where the record stands: every fact resolves to bytes through this.
    provenance: Place<'a>,
}

/// OCSF `metadata`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Metadata<'a> {
    /// OCSF: version of the schema, 1.8.0.
    version: &'a str,
    /// OCSF: the product that made the row.
    product: Product<'a>,
    /// OCSF: the format that was read, such as `zeek-conn`.
    log_name: &'a str,
}

/// OCSF `product`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Product<'a> {
    /// OCSF: always Monologue.
    name: &'a str,
    /// OCSF: always Monologue.
    vendor_name: &'a str,
}

/// OCSF `device`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Device<'a> {
    /// OCSF: the host. Null means the record does not say; network rows know only addresses.
    hostname: Option<&'a str>,
}

/// Where a record stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Place<'a> {
    /// The source as it was named, usually a path.
    source: &'a str,
    /// First byte of the record in the (decompressed) source.
    offset: i64,
    /// Bytes of the record, without its line end.
    length: i64,
    /// SHA-256 of those bytes: 32 bytes.
    #[serde(serialize_with = "as_bytes")]
    sha256: &'a [u8],
}

fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// The base columns that an event is made from again; the others follow from these and the table's own.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Kept<'a> {
    time_ns: i64,
    metadata: KeptMetadata<'a>,
    device: Device<'a>,
    provenance: Place<'a>,
}

#[derive(Debug, Deserialize)]
struct KeptMetadata<'a> {
    log_name: &'a str,
}

impl<'a> Base<'a> {
    /// The base columns of an event that is the given activity of a class.
    pub(super) fn of(event: &'a Event, activity_id: i32) -> Self {
        let class_uid = event.detail.ocsf_class().map_or(0, u32::cast_signed);
        Self {
            time_ns: event.time.nanoseconds(),
            time: event.time.nanoseconds().div_euclid(1_000_000),
            class_uid,
            category_uid: class_uid / 1000,
            activity_id,
            type_uid: i64::from(class_uid) * 100 + i64::from(activity_id),
            severity_id: 1,
            metadata: Metadata {
                version: OCSF_VERSION,
                product: Product { name: "Monologue", vendor_name: "Monologue" },
                log_name: &event.format,
            },
            device: Device { hostname: event.host.as_deref() },
            provenance: Place {
                source: &event.provenance.source,
                offset: event.provenance.offset.cast_signed(),
                length: event.provenance.length.cast_signed(),
                sha256: event.provenance.sha256.as_bytes(),
            },
        }
    }
}

/// What of an event the base columns tell.
pub(super) struct Origin {
    pub(super) time: Timestamp,
    pub(super) host: Option<Arc<str>>,
    pub(super) format: Arc<str>,
    pub(super) provenance: Provenance,
}

impl Kept<'_> {
    /// What of an event the base columns tell.
    pub(super) fn origin(&self, interner: &mut Interner) -> Result<Origin, Unexpected> {
        let hash = <[u8; 32]>::try_from(self.provenance.sha256)
            .map_err(|_| Unexpected::new("provenance.sha256", "32 bytes", &self.provenance.sha256.len().to_string()))?;
        Ok(Origin {
            time: Timestamp::from_nanoseconds(self.time_ns),
            host: interner.option(self.device.hostname),
            format: interner.text(self.metadata.log_name),
            provenance: Provenance {
                source: interner.text(self.provenance.source),
                offset: self.provenance.offset.cast_unsigned(),
                length: self.provenance.length.cast_unsigned(),
                sha256: Sha256::from_bytes(hash),
            },
        })
    }
}
