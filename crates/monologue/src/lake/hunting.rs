//! `monologue hunt --lake`: bucket by bucket, doing again only what is new; then one judgement over all.

use super::{
    DEFAULT_MEMORY, EVENT_BYTES, access::Access, address_facts, deciding, memory, memory_beside, now,
    routing::SHARED_BUCKET, store, timetable,
};
use crate::{cli::HuntArguments, hunting::Known, talk::note, window::Window};
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use monologue_hunt::{Census, HostHunt, IpNet, Origin, Verdict, coalesce, sensor_of};
use monologue_lake::{
    ledger::{Lake, LedgerError},
    store::StoreError,
    tables::{Interner, Select, Table},
};
use monologue_model::{CoverageRecord, Detail, Level, Report, SourceSummary};
use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{BufReader, BufWriter, Seek, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Memory of deciding one bucket, about: 200 channels that are all full are 40 MB of rows, and as much again is in use while
/// a host is brought together at the end.
const WORKER_BYTES: u64 = 96 << 20;

/// Hunts what a lake holds.
///
/// # Errors
/// When there is no lake, it cannot be read, or an option does not go with it.
pub(crate) fn hunt(
    arguments: &HuntArguments,
    address: &Path,
    local: &[IpNet],
    known: Known,
    minimum: Level,
) -> Result<Report> {
    if !arguments.assets.is_empty() {
        bail!("expected --assets with `monologue ingest`: a lake keeps them; hint: ingest them, then hunt");
    }
    let window = Window::new(&arguments.inputs)?;
    let memory = arguments.memory.as_deref().map_or(Ok(DEFAULT_MEMORY), memory)?;
    hunt_lake(address, &window, Told { local, known, memory, minimum })
}

/// What a hunt is told besides where and when.
pub(crate) struct Told<'a> {
    /// Networks that are ours.
    pub(crate) local: &'a [IpNet],
    /// Code, approvals, settings.
    pub(crate) known: Known,
    /// Memory to use, in bytes.
    pub(crate) memory: u64,
    /// The lowest level that is listed.
    pub(crate) minimum: Level,
}

/// Hunts a lake within some memory, and keeps what was decided where the lake can be written.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn hunt_lake(address: &Path, window: &Window, told: Told<'_>) -> Result<Report> {
    let mut lake = match Lake::open_for_writing(store(address)?) {
        Err(error) if is_barred(&error) => {
            note(&format!("what is decided now is not kept: {error}"));
            let lake = Lake::open(store(address)?)?;
            return hunt_through(&Access::Reading(&lake), &Summary::of(&lake)?, window, told);
        }
        opened => opened.context("cannot open the lake")?,
    };
    let before = Summary::of(&lake)?;
    let access = Access::Writing(Box::new(Mutex::new(lake.begin()?)));
    let report = hunt_through(&access, &before, window, told)?;
    if let Access::Writing(publication) = access {
        let publication = publication.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !publication.is_empty() {
            publication.publish(now()).context("cannot keep what was decided")?;
        }
    }
    Ok(report)
}

/// Whether somebody else writes, or nobody may.
fn is_barred(error: &LedgerError) -> bool {
    match error {
        LedgerError::Store(StoreError::Locked { .. }) => true,
        LedgerError::Store(StoreError::Io { source, .. }) => {
            matches!(source.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
        }
        _ => false,
    }
}

/// What is known of a lake before it is hunted.
struct Summary {
    number: u64,
    buckets: u16,
    facts: monologue_hunt::AddressFacts,
}

impl Summary {
    fn of(lake: &Lake) -> Result<Self> {
        Ok(Self { number: lake.snapshot().number(), buckets: lake.buckets(), facts: address_facts(lake)? })
    }
}

/// What was taken from each source.
fn sources(lake: &Lake) -> Vec<SourceSummary> {
    let sources = lake.snapshot().sources().map(|(_, source)| SourceSummary {
        source: source.source.clone(),
        format: source.format.clone(),
        events: source.events,
        skipped: source.skipped,
        malformed: source.malformed,
        problems: source.problems.clone(),
        refused: source.refused.clone(),
    });
    sources.collect()
}

fn hunt_through(access: &Access<'_>, summary: &Summary, window: &Window, told: Told<'_>) -> Result<Report> {
    let Told { local, known: Known { code, baseline, settings }, memory, minimum } = told;
    let memory = access.with_lake(|lake| memory_beside(lake, memory));
    let workers = workers(thread::available_parallelism().map_or(2, usize::from), summary.buckets, memory);
    let each = memory / workers as u64;
    let touched = Arc::new(timetable::touched_by_sensors(access, SHARED_BUCKET)?);
    let plan = deciding::Plan {
        access,
        known: summary.number,
        origin: Origin::new(summary.facts.clone(), local),
        since_hour: window.since.map_or(i64::MIN, |since| since.hour()),
        until_hour: window.until.map_or(i64::MAX, |until| until.hour()),
        rows: usize::try_from(each / EVENT_BYTES / 2).unwrap_or(usize::MAX).max(1_000),
        shared: shared_records(access)?,
        touched,
    };
    let hosts = Mutex::new(Hosts::new(memory / 16));
    let census = Mutex::new(Census::by(&settings));
    let buckets: Mutex<VecDeque<u16>> = Mutex::new((0..summary.buckets).collect());
    let bar = ProgressBar::new(summary.buckets.into());
    if let Ok(style) = ProgressStyle::with_template("hunting {bar:30} {pos}/{len} buckets {elapsed}") {
        bar.set_style(style);
    }
    // Not within the loop's head, which would hold the lock through its body.
    let next = || lock(&buckets).pop_front();
    let work = || -> Result<()> {
        while let Some(bucket) = next() {
            for host in deciding::decide(&plan, bucket).with_context(|| format!("in bucket {bucket}"))? {
                lock(&census).add(&host);
                lock(&hosts).push(host)?;
            }
            bar.inc(1);
        }
        Ok(())
    };
    thread::scope(|scope| -> Result<()> {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker broke off"))?)
    })?;
    bar.finish_and_clear();
    let census = census.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut verdict = Verdict::new(census, minimum).with_settings(settings).with_code(code).with_baseline(baseline);
    let hosts = hosts.into_inner().unwrap_or_else(PoisonError::into_inner);
    // In a thread of its own, which takes over the memory that the workers have left: allocators keep it by thread.
    let judging = || hosts.each(|host| verdict.judge(host));
    thread::scope(|scope| scope.spawn(judging).join().map_err(|_| anyhow!("the judging broke off"))?)?;
    let mut report = verdict.report(env!("CARGO_PKG_VERSION").into());
    report.summary.sources = access.with_lake(sources);
    Ok(report)
}

/// Buckets that are decided at once: as many as there are processors, buckets and memory for.
fn workers(processors: usize, buckets: u16, memory: u64) -> usize {
    let fitting = usize::try_from(memory / WORKER_BYTES).unwrap_or(usize::MAX);
    processors.min(buckets.into()).min(fitting).max(1)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What network sensors say of their own completeness, with the sensor.
fn shared_records(access: &Access<'_>) -> Result<Vec<(Arc<str>, CoverageRecord)>> {
    let mut interner = Interner::new();
    let mut records: BTreeMap<Arc<str>, Vec<CoverageRecord>> = BTreeMap::new();
    for file in access.files(Table::Coverage.name(), SHARED_BUCKET) {
        access.events(&file, &Select::ALL, &mut interner, |event| {
            if let (None, Detail::Coverage(record)) = (event.host, event.detail) {
                records.entry(sensor_of(&event.provenance.source)).or_default().push(record);
            }
        })?;
    }
    let of_sensor = |(sensor, records)| -> Vec<(Arc<str>, CoverageRecord)> {
        coalesce(records).into_iter().map(|record| (Arc::clone(&sensor), record)).collect()
    };
    Ok(records.into_iter().flat_map(of_sensor).collect())
}

/// The hosts between the two passes: in memory while they fit, else in a temporary file that nobody else can open.
struct Hosts {
    held: Vec<HostHunt>,
    held_bytes: u64,
    most_bytes: u64,
    spilled: Option<BufWriter<File>>,
}

impl Hosts {
    const fn new(most_bytes: u64) -> Self {
        Self { held: Vec::new(), held_bytes: 0, most_bytes, spilled: None }
    }

    fn push(&mut self, host: HostHunt) -> Result<()> {
        self.held_bytes += host.memory_bytes();
        self.held.push(host);
        if self.held_bytes <= self.most_bytes {
            return Ok(());
        }
        let context = "cannot write to a temporary file; hint: free some disk space, or give more --memory";
        if self.spilled.is_none() {
            self.spilled = Some(BufWriter::new(tempfile::tempfile().context(context)?));
        }
        if let Some(file) = &mut self.spilled {
            for host in self.held.drain(..) {
                serde_json::to_writer(&mut *file, &host).context(context)?;
                file.write_all(b"\n").context(context)?;
            }
        }
        self.held_bytes = 0;
        Ok(())
    }

    fn each(self, mut take: impl FnMut(HostHunt)) -> Result<()> {
        if let Some(spilled) = self.spilled {
            let mut file = spilled.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            for host in serde_json::Deserializer::from_reader(BufReader::new(file)).into_iter() {
                take(host.context("expected a host in the temporary file")?);
            }
        }
        self.held.into_iter().for_each(take);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_means_fewer_buckets_at_once_and_never_none() {
        assert_eq!(workers(8, 32, 2 << 30), 8, "the processors bound it");
        assert_eq!(workers(64, 32, 8 << 30), 32, "so do the buckets");
        assert_eq!(workers(8, 32, 256 << 20), 2, "and the memory");
        assert_eq!(workers(8, 32, 64 << 20), 1);
    }
}
