//! `monologue ingest`: from files to the lake.

use super::{
    DEFAULT_BUCKETS, DEFAULT_MEMORY, EVENT_BYTES, StatedFact, address_facts, memory, memory_beside, now, reroute,
    routing::{self, Touches},
    store,
};
use crate::{
    assets,
    cli::IngestArguments,
    inputs::{self, Plan, ReadSource},
    talk::{Verdict, note},
};
use anyhow::{Context, Result, bail};
use monologue_formats::Bundle;
use monologue_hunt::Origin;
use monologue_lake::ledger::{Lake, Options, Publication, SourceRecord, prefix_hashes};
use monologue_model::{Asset, Event, Sha256};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

/// Runs the command.
///
/// # Errors
/// When an option cannot be understood, no input can be read, or the lake cannot be written.
pub(crate) fn ingest(arguments: &IngestArguments) -> Result<Verdict> {
    let memory = arguments.memory.as_deref().map_or(Ok(DEFAULT_MEMORY), memory)?;
    let buckets = arguments.buckets.unwrap_or(DEFAULT_BUCKETS);
    let plan = Plan::new(&arguments.inputs, &arguments.assets)?;
    if plan.since.is_some() || plan.until.is_some() {
        bail!("expected no --since or --until: a lake takes all; hint: give them to `monologue hunt --lake`");
    }
    let mut stated = Vec::new();
    for path in &arguments.assets {
        stated.extend(assets::read(path)?);
    }
    let taken = ingest_plan(&arguments.lake, &plan, &stated, buckets, memory)?;
    if !taken.sources.is_empty() {
        inputs::account(&taken.summaries(), taken.unnamed)?;
    }
    note(&taken.told(&arguments.lake));
    Ok(Verdict::Nothing)
}

/// What an ingest took in.
#[derive(Default)]
pub(crate) struct Taken {
    sources: Vec<ReadSource>,
    known: u64,
    events: u64,
    moved: u64,
    publication: Option<u64>,
    /// Endpoint files that nothing names a host for.
    pub(crate) unnamed: bool,
}

impl Taken {
    /// What became of each source that was read.
    pub(crate) fn summaries(&self) -> Vec<monologue_model::SourceSummary> {
        self.sources.iter().map(|source| source.summary.clone()).collect()
    }

    fn told(&self, lake: &Path) -> String {
        let read = self.sources.iter().filter(|source| source.summary.refused.is_none()).count();
        let mut told = match self.publication {
            Some(number) => {
                format!("took {} events from {read} sources into {}, publication {number}", self.events, lake.display())
            }
            None => format!("nothing new for {}", lake.display()),
        };
        if self.known > 0 {
            told.push_str(&format!("; {} sources were taken before", self.known));
        }
        if self.moved > 0 {
            told.push_str(&format!(
                "; {} rows moved to the hosts that are now known to own their addresses",
                self.moved
            ));
        }
        told
    }
}

/// A file that has something new.
struct Fresh {
    path: PathBuf,
    content_sha256: Sha256,
    content_bytes: u64,
    /// Offset before which records were taken already.
    taken_until: u64,
}

/// Takes in what is new among the files of a plan.
///
/// # Errors
/// When the lake cannot be read or written.
pub(crate) fn ingest_plan(address: &Path, plan: &Plan, stated: &[Asset], buckets: u16, memory: u64) -> Result<Taken> {
    let mut lake = Lake::open_or_create(store(address)?, Options { buckets }).context("cannot open the lake")?;
    let memory = memory_beside(&lake, memory);
    let (fresh, known) = fresh_files(&lake, plan)?;
    let old = address_facts(&lake)?;
    let mut facts = old.clone();
    stated.iter().for_each(|asset| facts.state(asset.clone()));
    let mut taken = Taken { known, ..Taken::default() };
    if fresh.is_empty() && facts == old {
        return Ok(taken);
    }
    let (network, endpoint): (Vec<&Fresh>, Vec<&Fresh>) = fresh.iter().partition(|file| plan.is_network(&file.path));
    let part = |files: &[&Fresh], first| {
        plan.part(files.iter().map(|file| (file.path.clone(), file.taken_until)).collect(), first)
    };
    let mut publication = lake.begin()?;
    let mut touches = Touches::default();
    let mut chunk = Chunk { events: Vec::new(), most: usize::try_from(memory / EVENT_BYTES / 2).unwrap_or(1 << 20) };
    // Endpoints first: what they say of addresses decides whose the network's rows are.
    let mut sources = part(&endpoint, true).read_sources(inputs::READERS, |event| {
        taken.unnamed |= inputs::is_unnamed(&event);
        facts.learn(&event);
        taken.events += 1;
        chunk.take(event, |events| {
            // Endpoint events name their host.
            routing::write(events, &Origin::default(), &mut publication, &mut touches)
        })
    })?;
    chunk.flush(|events| routing::write(events, &Origin::default(), &mut publication, &mut touches))?;
    let origin = Origin::new(facts.clone(), &[]);
    sources.extend(part(&network, false).read_sources(inputs::READERS, |event| {
        facts.learn(&event);
        taken.events += 1;
        chunk.take(event, |events| routing::write(events, &origin, &mut publication, &mut touches))
    })?);
    taken.sources = sources;
    chunk.flush(|events| routing::write(events, &origin, &mut publication, &mut touches))?;
    taken.moved = reroute::reroute(&old, &facts, &mut publication, &mut touches)?;
    let buckets = publication.lake().buckets();
    touches.write(&mut publication, buckets)?;
    record(&taken.sources, &fresh, &mut publication);
    if facts != old {
        publication.fact(&StatedFact::Addresses(facts))?;
    }
    if !publication.is_empty() {
        taken.publication = Some(publication.publish(now()).context("cannot publish")?);
    }
    Ok(taken)
}

/// The files of a plan that have something new, and how many have not.
fn fresh_files(lake: &Lake, plan: &Plan) -> Result<(Vec<Fresh>, u64)> {
    let mut fresh: Vec<Fresh> = Vec::new();
    let mut contents = BTreeMap::new();
    let mut known = 0;
    for path in plan.files() {
        let name = path.display().to_string();
        if path.is_dir() {
            // A folder that is one input: it is taken whole, or not at all.
            let hashed = Bundle::open(path).ok().flatten().and_then(|bundle| bundle.content_hash().ok());
            let (content_sha256, content_bytes) = hashed.unwrap_or_default();
            let is_known = hashed.is_some()
                && (lake.snapshot().taken(&content_sha256).is_some() || contents.insert(content_sha256, ()).is_some());
            if is_known {
                known += 1;
            } else {
                fresh.push(Fresh { path: path.clone(), content_sha256, content_bytes, taken_until: 0 });
            }
            continue;
        }
        let earlier = lake.snapshot().grown(&name);
        let lengths: Vec<u64> = earlier.map(|source| source.content_bytes).into_iter().collect();
        let hashes = match File::open(path).and_then(|file| prefix_hashes(file, &lengths)) {
            Ok(hashes) => hashes,
            // Reading will say what is wrong with it.
            Err(_) => {
                fresh.push(Fresh {
                    path: path.clone(),
                    content_sha256: Sha256::default(),
                    content_bytes: 0,
                    taken_until: 0,
                });
                continue;
            }
        };
        // A copy under another name is the same content.
        if lake.snapshot().taken(&hashes.whole).is_some() || contents.insert(hashes.whole, ()).is_some() {
            known += 1;
            continue;
        }
        let grown = earlier.filter(|source| hashes.prefixes.first() == Some(&Some(source.content_sha256)));
        fresh.push(Fresh {
            path: path.clone(),
            content_sha256: hashes.whole,
            content_bytes: hashes.bytes,
            taken_until: grown.map_or(0, |source| source.taken_until),
        });
    }
    Ok((fresh, known))
}

/// Notes what was taken, so that it is not taken again. What was refused may be read by a later version.
fn record(sources: &[ReadSource], fresh: &[Fresh], publication: &mut Publication<'_>) {
    let by_name: BTreeMap<String, &Fresh> = fresh.iter().map(|file| (file.path.display().to_string(), file)).collect();
    for source in sources {
        let summary = &source.summary;
        let Some(file) = by_name.get(&*summary.source).filter(|_| summary.refused.is_none()) else { continue };
        publication.source(SourceRecord {
            source: summary.source.clone(),
            content_sha256: file.content_sha256,
            content_bytes: file.content_bytes,
            taken_until: source.taken_until,
            format: summary.format.clone(),
            events: summary.events,
            skipped: summary.skipped,
            malformed: summary.malformed,
            problems: summary.problems.clone(),
            refused: None,
        });
    }
}

/// Events that wait to be written, as many as memory allows.
struct Chunk {
    events: Vec<Event>,
    most: usize,
}

impl Chunk {
    fn take(&mut self, event: Event, write: impl FnOnce(&mut [Event]) -> Result<()>) -> Result<()> {
        self.events.push(event);
        if self.events.len() >= self.most { self.flush(write) } else { Ok(()) }
    }

    fn flush(&mut self, write: impl FnOnce(&mut [Event]) -> Result<()>) -> Result<()> {
        if !self.events.is_empty() {
            write(&mut self.events)?;
            self.events.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_written_when_it_is_full_and_at_the_end() {
        let event = || Event {
            time: monologue_model::Timestamp::default(),
            host: None,
            format: "test".into(),
            provenance: monologue_model::Provenance {
                source: "a".into(),
                offset: 0,
                length: 0,
                sha256: Sha256::default(),
            },
            detail: monologue_model::Detail::Coverage(monologue_model::CoverageRecord {
                format: "test".into(),
                sights: monologue_model::SightSet::EMPTY,
                from: monologue_model::Timestamp::default(),
                until: monologue_model::Timestamp::default(),
                state: monologue_model::CoverageState::Complete,
            }),
        };
        let mut written = Vec::new();
        let mut chunk = Chunk { events: Vec::new(), most: 2 };
        for _ in 0..5 {
            chunk
                .take(event(), |events| {
                    written.push(events.len());
                    Ok(())
                })
                .unwrap();
        }
        chunk
            .flush(|events| {
                written.push(events.len());
                Ok(())
            })
            .unwrap();
        chunk
            .flush(|events| {
                written.push(events.len());
                Ok(())
            })
            .unwrap();
        assert_eq!(written, [2, 2, 1]);
    }
}
