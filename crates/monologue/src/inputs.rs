//! Inputs: walking folders, finding each file's format, reading all its records.

use crate::{
    assets,
    cli::InputArguments,
    hosts::{Naming, path_matches},
    talk::note,
    walk::{Walked, walk},
    window::{Window, named_zone},
};
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use monologue_formats::{Bundle, Format, Head, Input, Item, Records, Refusal, Vantage, Zone};
use monologue_model::{CoverageState, Detail, Event, SourceSummary, Timestamp};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

/// Files read at once where order does not matter.
pub(crate) const READERS: usize = 4;

/// Events handed over at once.
const BATCH: usize = 1024;

/// Problems of one source that are shown.
const PROBLEMS_SHOWN: usize = 3;

/// The host of endpoint files that nothing names.
const UNNAMED_HOST: &str = "unnamed-host";

/// What to read and how.
pub(crate) struct Plan {
    files: Vec<PathBuf>,
    /// What the walk could not enter.
    barred: Vec<SourceSummary>,
    naming: Naming,
    forced: Vec<(&'static dyn Format, String)>,
    /// Formats of the user's own; they are asked first.
    mappings: Vec<&'static dyn Format>,
    /// Zone of the times in telemetry that name none.
    zone: Zone,
    /// Offset before which records of a file were taken already.
    taken: BTreeMap<PathBuf, u64>,
    /// Start of the window, if one was asked for.
    pub(crate) since: Option<Timestamp>,
    /// End of the window, if one was asked for.
    pub(crate) until: Option<Timestamp>,
}

enum Message {
    Events(Vec<Event>),
    Done(Box<ReadSource>),
}

/// One source, read.
pub(crate) struct ReadSource {
    /// What became of it.
    pub(crate) summary: SourceSummary,
    /// Offset up to which records were understood.
    pub(crate) taken_until: u64,
}

impl Plan {
    /// Finds the files and checks the options. Files given for another purpose, such as asset lists, are not telemetry.
    ///
    /// # Errors
    /// When a path does not exist, holds no file, or an option cannot be understood.
    pub(crate) fn new(arguments: &InputArguments, not_telemetry: &[PathBuf]) -> Result<Self> {
        if arguments.paths.is_empty() {
            bail!("expected at least one PATH to read; hint: name files or folders of telemetry");
        }
        let window = Window::new(arguments)?;
        let naming = Naming::new(arguments.host.as_deref(), arguments.host_pattern.as_deref())?;
        let mappings = arguments.mapping.iter().map(|file| mapping(file)).collect::<Result<Vec<_>>>()?;
        let forced = arguments.formats.iter().map(|text| forced(text, &mappings)).collect::<Result<Vec<_>>>()?;
        let Walked { files, barred } = walk(&arguments.paths, not_telemetry)?;
        for (format, glob) in &forced {
            if !files.iter().any(|file| path_matches(glob, file)) {
                note(&format!("--format {}={glob} matches no file", format.name()));
            }
        }
        let taken = BTreeMap::new();
        let zone = named_zone(arguments.timezone.as_deref())?.map_or_else(Zone::default, Zone::known);
        Ok(Self { files, barred, naming, forced, mappings, zone, taken, since: window.since, until: window.until })
    }

    /// The files to read.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The same plan for some of its files, of which records before an offset were taken already; what could not be
    /// entered is told once, by the first of several parts.
    pub(crate) fn part(&self, files: Vec<(PathBuf, u64)>, first: bool) -> Self {
        Self {
            files: files.iter().map(|(file, _)| file.clone()).collect(),
            barred: if first { self.barred.clone() } else { Vec::new() },
            naming: self.naming.clone(),
            forced: self.forced.clone(),
            mappings: self.mappings.clone(),
            zone: self.zone.clone(),
            taken: files.into_iter().collect(),
            since: self.since,
            until: self.until,
        }
    }

    /// Whether a file's records come from a network sensor, which knows hosts by address only. `false` also where no
    /// format reads it.
    pub(crate) fn is_network(&self, path: &Path) -> bool {
        let Ok(input) = Input::open(path) else { return false };
        let forced = self.forced_format(path);
        let looked = input.with_head(|head| forced.or_else(|| self.detect(head).ok()));
        looked.is_ok_and(|(format, _)| format.is_some_and(is_network))
    }

    /// The first format that reads an input, those of the user before ours.
    fn detect(&self, head: &Head<'_>) -> Result<&'static dyn Format, Vec<(&'static str, Refusal)>> {
        match self.mappings.iter().find(|format| format.detect(head).is_ok()) {
            Some(format) => Ok(*format),
            None => monologue_formats::detect(head),
        }
    }

    fn forced_format(&self, path: &Path) -> Option<&'static dyn Format> {
        self.forced.iter().find(|(_, glob)| path_matches(glob, path)).map(|(format, _)| *format)
    }

    /// Reads everything, `readers` files at once. With one, events come in the order of the files; with more, no order
    /// is kept between files and nothing may depend on it.
    ///
    /// # Errors
    /// When `take` fails. A file that cannot be read is summed up, not an error.
    pub(crate) fn read(&self, readers: usize, take: impl FnMut(Event) -> Result<()>) -> Result<Vec<SourceSummary>> {
        Ok(self.read_sources(readers, take)?.into_iter().map(|source| source.summary).collect())
    }

    /// As [`Plan::read`], telling how far each source was understood.
    ///
    /// # Errors
    /// When `take` fails. A file that cannot be read is summed up, not an error.
    pub(crate) fn read_sources(
        &self,
        readers: usize,
        mut take: impl FnMut(Event) -> Result<()>,
    ) -> Result<Vec<ReadSource>> {
        let bar = progress_bar(self.files.len() as u64);
        let next = Mutex::new(self.files.iter());
        let (sender, receiver) = mpsc::sync_channel::<Message>(64);
        let mut summaries = std::thread::scope(|scope| -> Result<Vec<ReadSource>> {
            for _ in 0..readers.min(self.files.len()) {
                let sender = sender.clone();
                let next = &next;
                scope.spawn(move || {
                    loop {
                        let file = next.lock().ok().and_then(|mut files| files.next());
                        let Some(file) = file else { break };
                        let summary = self.read_file(file, &sender);
                        if sender.send(Message::Done(Box::new(summary))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let barred = self.barred.iter().cloned();
            let mut summaries: Vec<ReadSource> = barred.map(|summary| ReadSource { summary, taken_until: 0 }).collect();
            // The receiver is dropped with this closure's end: readers that still send then stop.
            let receiver = receiver;
            for message in &receiver {
                match message {
                    Message::Events(events) => events.into_iter().try_for_each(&mut take)?,
                    Message::Done(summary) => {
                        bar.inc(1);
                        summaries.push(*summary);
                    }
                }
            }
            Ok(summaries)
        })?;
        bar.finish_and_clear();
        summaries.sort_by(|one, other| one.summary.source.cmp(&other.summary.source));
        Ok(summaries)
    }

    fn read_file(&self, path: &Path, sender: &mpsc::SyncSender<Message>) -> ReadSource {
        let mut source = ReadSource {
            summary: SourceSummary { source: path.display().to_string().into(), ..SourceSummary::default() },
            taken_until: 0,
        };
        let before = self.taken.get(path).copied().unwrap_or(0);
        self.read_into(path, before, &mut source, sender);
        source
    }

    fn read_into(&self, path: &Path, before: u64, source: &mut ReadSource, sender: &mpsc::SyncSender<Message>) {
        let summary = &mut source.summary;
        let zone = self.zone.renewed();
        let (format, records) = match self.opened(path, &zone) {
            Ok(opened) => opened,
            Err(reason) => {
                summary.refused = Some(reason);
                return;
            }
        };
        summary.format = Some(format.name().into());
        let host = self.naming.host_of(path);
        let mut batch = Vec::with_capacity(BATCH);
        for item in records {
            match item {
                Ok(Item::Event(event)) => {
                    source.taken_until = source.taken_until.max(end_of(&event));
                    if event.provenance.offset >= before {
                        summary.events += 1;
                        batch.push(named(*event, host.as_ref(), format));
                    }
                }
                Ok(Item::Derived(event)) if event.provenance.offset >= before || is_complete(&event) => {
                    batch.push(named(*event, host.as_ref(), format));
                }
                Ok(Item::Derived(_)) => {}
                Ok(Item::Skipped(_)) => summary.skipped += 1,
                Err(malformed) => {
                    summary.malformed += 1;
                    if summary.problems.len() < PROBLEMS_SHOWN {
                        summary.problems.push(malformed.to_string());
                    }
                }
            }
            if batch.len() >= BATCH && sender.send(Message::Events(std::mem::take(&mut batch))).is_err() {
                break;
            }
        }
        if zone.was_assumed() {
            summary.problems.push("its times name no zone and were taken as UTC; hint: --timezone ZONE".to_owned());
        }
        // A closed channel means that nobody wants more; there is nothing to report to.
        let _ = sender.send(Message::Events(batch));
    }
}

impl Plan {
    /// The format of an input and its records; `zone` is for times in it that name none.
    ///
    /// # Errors
    /// Why it is refused.
    fn opened(&self, path: &Path, zone: &Zone) -> Result<(&'static dyn Format, Records<'static>), String> {
        let forced = self.forced_format(path);
        if let Some(bundle) = Bundle::open(path).map_err(|error| error.to_string())? {
            let found = match forced {
                Some(format) => format.detect_bundle(&bundle).map(|()| format).map_err(|refusal| refusal.0),
                None => monologue_formats::detect_bundle(&bundle).map_err(|refusals| folded(&refusals)),
            };
            return found.map(|format| (format, format.read_bundle(bundle)));
        }
        let input = Input::open(path).map_err(|error| error.to_string())?;
        let input = Input { zone: zone.clone(), ..input };
        let looked = input.with_head(|head| match forced {
            Some(format) => Ok(format),
            None => self.detect(head).map_err(|refusals| {
                if assets::looks_like_one(head) {
                    "it looks like an asset list; give it with --assets".to_owned()
                } else {
                    folded(&refusals)
                }
            }),
        });
        match looked {
            Ok((found, input)) => found.map(|format| (format, format.read(input))),
            Err(error) => Err(format!("cannot read its beginning: {error}")),
        }
    }
}

/// Gives an endpoint event its host. Network records know only addresses; the hunt finds their owner.
fn named(mut event: Event, host: Option<&Arc<str>>, format: &dyn Format) -> Event {
    if event.host.is_none() && is_endpoint(&event, format) {
        event.host = Some(host.cloned().unwrap_or_else(|| UNNAMED_HOST.into()));
    }
    event
}

/// Whether a format's records come from a network sensor.
fn is_network(format: &dyn Format) -> bool {
    format.vantage() == Vantage::Network
}

/// Where the record of an event ends.
const fn end_of(event: &Event) -> u64 {
    event.provenance.offset.saturating_add(event.provenance.length)
}

/// Whether an event says that a source was complete for a while: what a source that grew says anew is all of it.
const fn is_complete(event: &Event) -> bool {
    matches!(&event.detail, Detail::Coverage(record) if matches!(record.state, CoverageState::Complete))
}

fn is_endpoint(event: &Event, format: &dyn Format) -> bool {
    match event.detail {
        Detail::Flow(_) | Detail::Tls(_) => false,
        // Recorded on the Mac itself: a browser's archive, or a debugging proxy there.
        Detail::Http(ref http) => http.originator.ip().is_unspecified() || http.originator.ip().is_loopback(),
        Detail::Dns(ref query) => query.originator.is_none(),
        Detail::Coverage(_) => !is_network(format),
        _ => true,
    }
}

/// What to say of the inputs: refusals, malformed records, unnamed hosts.
///
/// # Errors
/// When nothing of any input could be read: every one was refused, or broken in each of its records.
pub(crate) fn account(summaries: &[SourceSummary], endpoints_unnamed: bool) -> Result<()> {
    for summary in summaries {
        if let Some(reason) = &summary.refused {
            note(&format!("not read: {}: {}", summary.source, shown(reason, summaries.len() == 1)));
        } else if summary.malformed > 0 {
            let first = summary.problems.first().map_or("", String::as_str);
            note(&format!("{}: {} malformed records, first {first}", summary.source, summary.malformed));
        }
        if let Some(assumed) = summary.problems.iter().find(|problem| problem.starts_with("its times name no zone")) {
            note(&format!("{}: {assumed}", summary.source));
        }
    }
    if endpoints_unnamed {
        note(&format!(
            "endpoint files without a host are taken as {UNNAMED_HOST:?}; name it with --host or --host-pattern"
        ));
    }
    let unread = |summary: &SourceSummary| {
        summary.refused.is_some() || (summary.malformed > 0 && summary.events + summary.skipped == 0)
    };
    if summaries.iter().all(unread) {
        bail!("no input could be read; hint: `monologue formats` lists what can, and --format NAME=GLOB forces one");
    }
    Ok(())
}

/// The host name that stands for "nothing named it".
pub(crate) fn is_unnamed(event: &Event) -> bool {
    event.host.as_deref() == Some(UNNAMED_HOST)
}

/// How the reasons of all formats begin, where none of them reads an input.
const NOBODY_READS_IT: &str = "no format reads it";

/// What separates the reasons.
const NEXT_REASON: &str = "; ";

/// A refusal as it is told: the reasons of some sixty formats are a page, so they are shown, one a line, for an input that is
/// asked about alone. The report holds them all.
fn shown(reason: &str, alone: bool) -> String {
    let reasons = reason.strip_prefix(NOBODY_READS_IT).and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(')'));
    match reasons {
        None => reason.to_owned(),
        Some(reasons) if alone => format!("{NOBODY_READS_IT}\n  {}", reasons.replace(NEXT_REASON, "\n  ")),
        Some(_) => format!("{NOBODY_READS_IT} (name it alone to see what each expected)"),
    }
}

/// The reasons of all formats in one line; reasons that several share are said once.
fn folded(refusals: &[(&'static str, Refusal)]) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, refusal) in refusals {
        match reasons.iter_mut().find(|(reason, _)| *reason == refusal.0) {
            Some((_, names)) => names.push(name),
            None => reasons.push((refusal.0.clone(), vec![name])),
        }
    }
    let zeek = monologue_formats::FORMATS.iter().filter(|format| format.name().starts_with("zeek-")).count();
    let parts: Vec<String> = reasons
        .iter()
        .map(|(reason, names)| {
            let (family, mut shown): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.starts_with("zeek-"));
            // All of one family for one reason: its name says as much.
            if family.len() == zeek {
                shown.push("zeek")
            } else {
                shown.extend(family)
            }
            format!("{}: {reason}", shown.join(", "))
        })
        .collect();
    format!("{NOBODY_READS_IT} ({})", parts.join(NEXT_REASON))
}

/// The format that a file of the user describes.
fn mapping(file: &Path) -> Result<&'static dyn Format> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the mapping {}", file.display()))?;
    Ok(monologue_formats::user_mapping(&text, &file.display().to_string())?)
}

fn forced(text: &str, mappings: &[&'static dyn Format]) -> Result<(&'static dyn Format, String)> {
    let (name, glob) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("expected NAME=GLOB, found {text:?}; hint: such as --format zeek-conn='*.txt'"))?;
    let own = mappings.iter().copied().find(|format| format.name() == name);
    let format = own.or_else(|| monologue_formats::by_name(name)).ok_or_else(|| {
        anyhow!("expected the name of a format, found {name:?}; hint: `monologue formats` lists them")
    })?;
    Ok((format, glob.to_owned()))
}

fn progress_bar(files: u64) -> ProgressBar {
    let bar = ProgressBar::new(files);
    if let Ok(style) = ProgressStyle::with_template("reading {bar:30} {pos}/{len} files {elapsed}") {
        bar.set_style(style);
    }
    bar
}
