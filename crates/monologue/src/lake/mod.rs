//! The lake on the command line: taking telemetry in, hunting what was taken in, keeping it in order.

mod access;
mod deciding;
mod hunting;
mod ingesting;
mod keeping;
mod reroute;
mod routing;
mod timetable;

pub(crate) use hunting::{Told, hunt, hunt_lake};
pub(crate) use ingesting::{ingest, ingest_plan};
pub(crate) use keeping::keep;

use anyhow::{Context, Result, anyhow};
use monologue_hunt::AddressFacts;
use monologue_lake::{
    ledger::Lake,
    store::{Store, open_store},
};
use monologue_model::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Buckets of a new lake, if none are asked for.
pub(crate) const DEFAULT_BUCKETS: u16 = 32;

/// Memory that is used, if no other is asked for: 2 GiB.
pub(crate) const DEFAULT_MEMORY: u64 = 2 << 30;

/// Memory of one event while it is worked on, about: what was measured over formats, with room for linking.
pub(crate) const EVENT_BYTES: u64 = 1_500;

/// A fact that an ingest states in the ledger.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StatedFact {
    /// What was learnt of addresses.
    Addresses(AddressFacts),
}

/// The store of a lake. Credentials of remote stores come from the environment, in their usual names.
fn store(address: &Path) -> Result<Arc<dyn Store>> {
    let address =
        address.to_str().ok_or_else(|| anyhow!("expected the address of a lake as UTF-8; hint: such as lake"))?;
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("AWS_"))
        .collect();
    open_store(address, &environment).context("cannot reach the lake")
}

/// All that a lake knows of addresses.
fn address_facts(lake: &Lake) -> Result<AddressFacts> {
    let mut facts = AddressFacts::default();
    for fact in lake.snapshot().facts() {
        let StatedFact::Addresses(stated) = fact.read()?;
        facts.merge(&stated);
    }
    Ok(facts)
}

/// Hash and bytes of each source's content when it was taken, by the source's name.
///
/// # Errors
/// When there is no lake at that address, or it cannot be read.
pub(crate) fn contents(address: &Path) -> Result<BTreeMap<String, (Sha256, u64)>> {
    let lake = Lake::open(store(address)?)?;
    let sources = lake.snapshot().sources();
    Ok(sources.map(|(_, source)| (source.source.to_string(), (source.content_sha256, source.content_bytes))).collect())
}

/// The bucket of a host: the same on every machine and in every version.
fn bucket_of(host: &str, buckets: u16) -> u16 {
    let hash = Sha256::of(host.as_bytes());
    let number = hash.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    u16::try_from(number % u64::from(buckets.max(1))).unwrap_or(0)
}

/// The date in UTC of an hour, such as `2026-03-02`.
fn date_of_hour(hour: i64) -> String {
    let time = Timestamp::from_nanoseconds(hour.saturating_mul(3600 * 1_000_000_000)).to_string();
    time.split('T').next().unwrap_or("1970-01-01").to_owned()
}

/// Now, by the clock of this machine.
fn now() -> Timestamp {
    let now = jiff::Timestamp::now().as_nanosecond();
    i64::try_from(now).map_or_else(|_| Timestamp::default(), Timestamp::from_nanoseconds)
}

/// The memory that is left beside the list of a lake of years, which is held whole; a quarter in any case.
fn memory_beside(lake: &Lake, memory: u64) -> u64 {
    memory.saturating_sub(lake.snapshot().memory_bytes()).max(memory / 4)
}

/// Understands an amount of memory such as `512MB`, `2GB` or a number of bytes; units are powers of 1024.
pub(crate) fn memory(text: &str) -> Result<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let unit = |letter| lower.strip_suffix(letter).map(str::trim_end);
    let bare = lower.strip_suffix("ib").or_else(|| lower.strip_suffix('b')).unwrap_or(&lower);
    let (number, shift) = [('k', 10), ('m', 20), ('g', 30), ('t', 40)]
        .into_iter()
        .find_map(|(letter, shift)| Some((bare.strip_suffix(letter)?.trim_end(), shift)))
        .or_else(|| Some((unit('b').unwrap_or(bare), 0)))
        .unwrap_or((bare, 0));
    let bytes = number.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    let bytes = bytes.map(|number| number * f64::from(1_u32 << (shift / 2)) * f64::from(1_u32 << (shift - shift / 2)));
    match bytes {
        Some(bytes) if bytes >= f64::from(64 << 20) => Ok(bytes as u64),
        _ => Err(anyhow!("expected at least 64 MB of memory, found {text:?}; hint: such as --memory 2GB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_fixed_and_spread() {
        // SHA-256 of "anna" begins with 55579b557896d0ce, by sha256sum: taken modulo the number of buckets.
        assert_eq!(bucket_of("anna", 1000), u16::try_from(0x5557_9b55_7896_d0ce_u64 % 1000).unwrap());
        let mut counts = [0; 8];
        (0..8000).for_each(|number| counts[usize::from(bucket_of(&format!("mac-{number}"), 8))] += 1);
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn dates_are_those_of_the_hour_in_utc() {
        assert_eq!(date_of_hour(0), "1970-01-01");
        assert_eq!(date_of_hour(-1), "1969-12-31");
        // 2026-11-24 is 20,781 days after the epoch.
        assert_eq!(date_of_hour(20_781 * 24 + 23), "2026-11-24");
    }

    #[test]
    fn memory_is_understood_with_and_without_units() {
        assert_eq!(memory("2GB").unwrap(), 2 << 30);
        assert_eq!(memory("512 MiB").unwrap(), 512 << 20);
        assert_eq!(memory("1.5g").unwrap(), 3 << 29);
        assert_eq!(memory("134217728").unwrap(), 128 << 20);
        for text in ["", "lots", "-2GB", "1MB", "NaN"] {
            assert!(memory(text).unwrap_err().to_string().contains("hint: such as --memory 2GB"), "{text}");
        }
    }
}
