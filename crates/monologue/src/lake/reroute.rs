//! Moving rows: a lease or an endpoint's line that comes late tells whose an address was.

use super::{
    bucket_of,
    routing::{self, Touches, owner_of},
};
use anyhow::{Context, Result};
use monologue_hunt::{AddressFacts, Origin};
use monologue_lake::{
    ledger::{DataFile, Publication},
    tables::{self, Interner, Select, Table},
};
use monologue_model::Event;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Tables with rows that know hosts by address only.
const NETWORK_TABLES: [Table; 3] = [Table::NetworkActivity, Table::HttpActivity, Table::DnsActivity];

/// Moves rows whose owner is another now, and says how many.
///
/// # Errors
/// When a data file cannot be read or written.
pub(super) fn reroute(
    old: &AddressFacts,
    new: &AddressFacts,
    publication: &mut Publication<'_>,
    touches: &mut Touches,
) -> Result<u64> {
    let differ = old.addresses_that_differ(new);
    if differ.is_empty() {
        return Ok(0);
    }
    let buckets = publication.lake().buckets();
    let (before, after) = (Origin::new(old.clone(), &[]), Origin::new(new.clone(), &[]));
    let concerned: BTreeSet<u16> = differ
        .iter()
        .flat_map(|address| before.owners_ever(*address))
        .map(|owner| bucket_of(&owner, buckets))
        .collect();
    let files: Vec<DataFile> = NETWORK_TABLES
        .iter()
        .flat_map(|table| publication.lake().snapshot().files_of(table.name()))
        .filter(|file| concerned.contains(&file.bucket))
        .cloned()
        .collect();
    let mut moved = 0;
    for file in &files {
        moved += reroute_file(file, &differ, [&before, &after], publication, touches)?;
    }
    Ok(moved)
}

/// Writes one file anew, without the rows that belong elsewhere, and those to their new places.
fn reroute_file(
    file: &DataFile,
    differ: &BTreeSet<IpAddr>,
    [before, after]: [&Origin; 2],
    publication: &mut Publication<'_>,
    touches: &mut Touches,
) -> Result<u64> {
    let Some(table) = Table::from_name(&file.table) else { return Ok(0) };
    let events = read(file, table, publication)?;
    let concerned = |event: &Event| {
        event.host.is_none() && event.originator().is_some_and(|originator| differ.contains(&originator.ip()))
    };
    let buckets = publication.lake().buckets();
    let mut places: BTreeMap<u16, Vec<&Event>> = BTreeMap::new();
    let mut moved = 0;
    for event in &events {
        let mut bucket = file.bucket;
        if concerned(event) {
            let (was, is) = (owner_of(event, before), owner_of(event, after));
            if was.host != is.host {
                moved += 1;
                touches.take_away(&was.host, event.time.hour());
                touches.add(event, &is);
                bucket = bucket_of(&is.host, buckets);
            }
        }
        places.entry(bucket).or_default().push(event);
    }
    // Where every owner that changed has the same bucket as before, the file can stay.
    if places.keys().all(|bucket| *bucket == file.bucket) {
        return Ok(moved);
    }
    publication.remove(&file.path())?;
    for (bucket, rows) in places {
        routing::write_rows(table, &file.date, bucket, &rows, publication)?;
    }
    Ok(moved)
}

fn read(file: &DataFile, table: Table, publication: &Publication<'_>) -> Result<Vec<Event>> {
    let context = || format!("cannot read {}", file.path());
    let contents = publication.lake().read(file)?;
    let mut interner = Interner::new();
    let mut events = Vec::new();
    for batch in tables::read(table, contents, &Select::ALL, &mut interner).with_context(context)? {
        events.extend(batch.with_context(context)?);
    }
    Ok(events)
}
