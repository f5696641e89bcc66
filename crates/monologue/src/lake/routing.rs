//! Routing: each event to the bucket of its owner, and from there into data files.

use super::{bucket_of, date_of_hour};
use anyhow::{Context, Result, anyhow};
use monologue_hunt::{Origin, Sensors};
use monologue_lake::{
    ledger::{Publication, StagedFile},
    tables::{self, MARKS, Mark, Table},
};
use monologue_model::{Detail, Event};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Bucket of what concerns many hosts: a network sensor's statements about itself.
pub(super) const SHARED_BUCKET: u16 = 0;

/// Threads that write files, at most: each holds the rows it encodes once more.
const WRITERS: usize = 8;

/// Rows encoded at once.
const BATCH_ROWS: usize = 8192;

/// Whose an event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The host. Empty: a network sensor speaks of itself.
    pub(super) host: Arc<str>,
    /// Something but its address names the host.
    pub(super) named: bool,
    /// A network sensor recorded it.
    pub(super) network: bool,
}

/// Whose `event` is, by what is known of addresses.
pub(super) fn owner_of(event: &Event, origin: &Origin) -> Owner {
    match (&event.host, event.originator()) {
        (Some(host), _) => Owner { host: host.clone(), named: true, network: false },
        (None, Some(originator)) => {
            Owner { host: origin.owner(originator.ip(), event.time), named: false, network: true }
        }
        (None, None) => Owner { host: "".into(), named: false, network: true },
    }
}

/// Rows of one host and hour.
#[derive(Clone, Copy, Debug)]
struct Touched {
    named: bool,
    rows: u64,
    first_time_ns: i64,
    last_time_ns: i64,
}

/// Which hours of which host a publication touches.
#[derive(Debug, Default)]
pub(super) struct Touches {
    /// By host, network sensor, and hour.
    rows: BTreeMap<(Arc<str>, Arc<str>, i64), Touched>,
    /// Statements about coverage: host, first and last hour.
    coverage: BTreeSet<(Arc<str>, i64, i64)>,
    sensors: Sensors,
}

impl Touches {
    /// Notes an event that is added.
    pub(super) fn add(&mut self, event: &Event, owner: &Owner) {
        if let Detail::Coverage(record) = &event.detail {
            let (from, until) = (record.from.hour(), record.until.max(record.from).hour());
            self.coverage.insert((owner.host.clone(), from, until));
            return;
        }
        let time = event.time.nanoseconds();
        let sensor = if owner.network { self.sensors.of(&event.provenance.source) } else { "".into() };
        let touched = self.rows.entry((owner.host.clone(), sensor, event.time.hour())).or_insert(Touched {
            named: false,
            rows: 0,
            first_time_ns: time,
            last_time_ns: time,
        });
        touched.named |= owner.named;
        touched.rows += 1;
        touched.first_time_ns = touched.first_time_ns.min(time);
        touched.last_time_ns = touched.last_time_ns.max(time);
    }

    /// Notes that rows of a host and hour are taken away.
    pub(super) fn take_away(&mut self, host: &Arc<str>, hour: i64) {
        self.coverage.insert((host.clone(), hour, hour));
    }

    /// Writes all marks as data files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn write(self, publication: &mut Publication<'_>, buckets: u16) -> Result<()> {
        let number = publication.number();
        // That a sensor recorded traffic at all must be known wherever its statements are read.
        let speaking: BTreeSet<(Arc<str>, i64)> =
            self.rows.keys().map(|(_, sensor, hour)| (sensor.clone(), *hour)).collect();
        let speaking = speaking.into_iter().filter(|(sensor, _)| !sensor.is_empty()).map(|(sensor, hour)| Mark {
            host: "".into(),
            named: false,
            sensor,
            hour,
            until_hour: hour,
            rows: 1,
            first_time_ns: 0,
            last_time_ns: 0,
            publication: number,
        });
        let rows = self.rows.into_iter().map(|((host, sensor, hour), touched)| Mark {
            host,
            named: touched.named,
            sensor,
            hour,
            until_hour: hour,
            rows: touched.rows,
            first_time_ns: touched.first_time_ns,
            last_time_ns: touched.last_time_ns,
            publication: number,
        });
        let coverage = self.coverage.into_iter().map(|(host, hour, until_hour)| Mark {
            host,
            named: false,
            sensor: "".into(),
            hour,
            until_hour,
            rows: 0,
            first_time_ns: 0,
            last_time_ns: 0,
            publication: number,
        });
        let mut files: BTreeMap<(String, u16), Vec<Mark>> = BTreeMap::new();
        for mark in rows.chain(coverage).chain(speaking) {
            let bucket = if mark.host.is_empty() { SHARED_BUCKET } else { bucket_of(&mark.host, buckets) };
            files.entry((date_of_hour(mark.hour), bucket)).or_default().push(mark);
        }
        for ((date, bucket), marks) in files {
            let mut file = publication.file(MARKS, &date, bucket)?;
            let written = tables::write_marks(&marks, &mut file)?;
            file.finish(written.rows, written.first_ns.unwrap_or(0), written.last_ns.unwrap_or(0))?;
        }
        Ok(())
    }
}

/// A place for rows: table, date and bucket.
type Place = (Table, String, u16);

/// Writes events into the data files of their owners.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(
    events: &mut [Event],
    origin: &Origin,
    publication: &mut Publication<'_>,
    touches: &mut Touches,
) -> Result<()> {
    let buckets = publication.lake().buckets();
    // In order of time, so that hours lie together in the files.
    events.sort_by(|one, other| (one.time, &one.provenance).cmp(&(other.time, &other.provenance)));
    let mut places: BTreeMap<Place, Vec<&Event>> = BTreeMap::new();
    for event in events.iter() {
        let owner = owner_of(event, origin);
        touches.add(event, &owner);
        let bucket = if owner.host.is_empty() { SHARED_BUCKET } else { bucket_of(&owner.host, buckets) };
        places.entry((Table::of(&event.detail), date_of_hour(event.time.hour()), bucket)).or_default().push(event);
    }
    let workers = thread::available_parallelism().map_or(2, usize::from).min(WRITERS).min(places.len());
    let waiting = Mutex::new((places.into_iter(), publication));
    // A file is begun when its place is taken, so that files are numbered in the order of places.
    let next = || -> Result<Option<(Table, Vec<&Event>, StagedFile)>> {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (places, publication) = &mut *waiting;
        let Some(((table, date, bucket), rows)) = places.next() else { return Ok(None) };
        Ok(Some((table, rows, publication.file(table.name(), &date, bucket)?)))
    };
    let work = || -> Result<()> {
        while let Some((table, rows, file)) = next()? {
            write_file(table, &rows, file)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a writer broke off"))?)
    })
}

/// Writes the rows of one place as one data file.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write_rows(
    table: Table,
    date: &str,
    bucket: u16,
    rows: &[&Event],
    publication: &mut Publication<'_>,
) -> Result<()> {
    write_file(table, rows, publication.file(table.name(), date, bucket)?)
}

fn write_file(table: Table, rows: &[&Event], mut file: StagedFile) -> Result<()> {
    let mut failed = None;
    let batches = rows.chunks(BATCH_ROWS).map_while(|rows| match tables::encode(table, rows) {
        Ok(batch) => Some(batch),
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let written = tables::write(table, batches, &mut file)?;
    if let Some(error) = failed {
        return Err(error).context("cannot encode rows");
    }
    file.flush()?;
    file.finish(written.rows, written.first_ns.unwrap_or(0), written.last_ns.unwrap_or(0))?;
    Ok(())
}
