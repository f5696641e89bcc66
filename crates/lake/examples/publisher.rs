//! Publishes numbered files in a loop, for tests that kill it: `publisher DIR`. Prints each number once it is published.
//!
//! Publication `n` adds two files whose bytes say `n`, states the fact `n`, takes a source that says `n`, and removes the
//! first file of publication `n - 3`.

use monologue_lake::{
    ledger::{Lake, LedgerError, Options, SourceRecord},
    store::LocalStore,
};
use monologue_model::{Sha256, Timestamp};
use std::{
    env,
    error::Error,
    io::{Write, stdout},
    sync::Arc,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("expected DIR")?;
    let mut lake = Lake::open_or_create(Arc::new(LocalStore::new(folder)), Options { buckets: 8 })?;
    println!("open {}", lake.snapshot().number());
    loop {
        let number = publish(&mut lake)?;
        println!("published {number}");
        stdout().flush()?;
    }
}

fn publish(lake: &mut Lake) -> Result<u64, LedgerError> {
    let number = lake.snapshot().number() + 1;
    let first_of_old =
        lake.snapshot().files().filter(|file| file.publication + 3 == number).min_by_key(|file| file.bucket);
    let old = first_of_old.map(|file| file.path());
    let mut publication = lake.begin()?;
    for bucket in [0, 1] {
        let mut file = publication.file("events", "2026-03-02", bucket)?;
        let written = file.write_all(number.to_string().repeat(500).as_bytes());
        written.map_err(|source| LedgerError::Invalid { expected: "room to write", found: source.to_string() })?;
        file.finish(1, 0, 0)?;
    }
    if let Some(path) = old {
        publication.remove(&path)?;
    }
    publication.fact(&number)?;
    let content_sha256 = Sha256::of(number.to_string().as_bytes());
    publication.source(SourceRecord {
        source: number.to_string().into(),
        content_sha256,
        content_bytes: 1,
        taken_until: 1,
        format: None,
        events: 1,
        skipped: 0,
        malformed: 0,
        problems: Vec::new(),
        refused: None,
    });
    publication.publish(Timestamp::from_nanoseconds(i64::try_from(number).unwrap_or_default()))
}
