//! One run of `eslogger`: which event types it showed, when, and what it lost.
//!
//! Two kinds of series tell losses: one for each event type, and one for all records of the client. A drop raises both,
//! so a gap of the whole counts only as far as no gap of a type explains it.

use super::sequence::{Gap, Mark, Series};
use super::{Writer, record::Body};
use monologue_model::{CoverageRecord, CoverageState, Loss, Provenance, Sight, SightSet, Timestamp};
use std::collections::HashMap;

/// Event types followed by number. Endpoint Security has fewer than 200.
const TYPE_CAP: usize = 512;

/// Gaps held back until they can be compared; when there are more, those held are told at once.
const HELD_CAP: usize = 4096;

const EXEC: SightSet = SightSet::of(&[Sight::ProcessExec, Sight::ProcessSignature, Sight::ProcessArguments]);
const FORK: SightSet = SightSet::of(&[Sight::ProcessFork]);
const EXIT: SightSet = SightSet::of(&[Sight::ProcessExit]);
const FILE: SightSet = SightSet::of(&[Sight::FileEffect]);
const LAUNCH: SightSet = SightSet::of(&[Sight::LaunchItem]);
const SERVICE: SightSet = SightSet::of(&[Sight::ServiceConnect]);

/// All that `eslogger` can show.
pub(super) const ALL: SightSet = EXEC.union(FORK).union(EXIT).union(FILE).union(LAUNCH).union(SERVICE);

/// What a record tells about the completeness of its source.
pub(super) struct Step<'a> {
    /// When it happened.
    pub(super) time: Timestamp,
    /// Number of its event type. `None` means nobody recorded it.
    pub(super) event_type: Option<u32>,
    /// Its number among records of its type. `None` means nobody recorded it.
    pub(super) type_number: Option<u64>,
    /// Its number among all records of the client. `None` means nobody recorded it.
    pub(super) global_number: Option<u64>,
    /// What happened.
    pub(super) body: &'a Body<'a>,
    /// Its place among the records of the source.
    pub(super) at: u64,
}

/// Which of the event types that `file.effect` rests on occurred.
#[derive(Default)]
struct FileTypes {
    create: bool,
    change: bool,
}

/// One series for the records of one event type.
struct TypeSeries {
    series: Series,
    /// What a loss hurts.
    sights: SightSet,
}

/// One run of `eslogger`.
pub(super) struct Client {
    writer: &'static Writer,
    from: Timestamp,
    until: Timestamp,
    provenance: Provenance,
    /// Sights of the event types that occurred: the only evidence of what the client asked for.
    shown: SightSet,
    file_types: FileTypes,
    global: Option<Series>,
    types: HashMap<u32, TypeSeries>,
    global_gaps: Vec<Gap>,
    type_gaps: Vec<(Gap, SightSet)>,
}

/// A statement about completeness, and the record it rests on.
pub(super) type Statement = (CoverageRecord, Provenance);

impl Client {
    /// A client whose first record has this time.
    pub(super) fn new(writer: &'static Writer, time: Timestamp, provenance: Provenance) -> Self {
        Self {
            writer,
            from: time,
            until: time,
            provenance,
            shown: SightSet::EMPTY,
            file_types: FileTypes::default(),
            global: None,
            types: HashMap::new(),
            global_gaps: Vec::new(),
            type_gaps: Vec::new(),
        }
    }

    /// Time of its latest record.
    pub(super) const fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether the record belongs to another client, and ends this one.
    pub(super) fn is_followed_by(&self, step: &Step<'_>) -> bool {
        let mark = Mark { time: step.time, global: step.global_number };
        let is_foreign = |series: Option<&Series>, number: Option<u64>| {
            series.zip(number).is_some_and(|(series, number)| series.is_foreign(number, mark))
        };
        let of_type = step.event_type.and_then(|kind| self.types.get(&kind)).map(|found| &found.series);
        is_foreign(self.global.as_ref(), step.global_number) || is_foreign(of_type, step.type_number)
    }

    /// Takes one record. Gives statements only where too much would have to be held back.
    pub(super) fn take(&mut self, step: &Step<'_>, provenance: &dyn Fn() -> Provenance) -> Vec<Statement> {
        let mark = Mark { time: step.time, global: step.global_number };
        // Without numbers nobody can tell whether anything is missing, so nothing is claimed.
        let mut belongs = step.global_number.is_some() || step.type_number.is_some();
        if let Some(number) = step.global_number {
            match &mut self.global {
                Some(series) => belongs = series.take(number, mark, step.at, provenance, &mut self.global_gaps),
                None => self.global = Some(Series::new(number, mark, step.at)),
            }
        }
        if let Some((kind, number)) = step.event_type.zip(step.type_number) {
            let sights = sights_of(step.body);
            if let Some(known) = self.types.get_mut(&kind) {
                let mut certain = Vec::new();
                belongs &= known.series.take(number, mark, step.at, provenance, &mut certain);
                self.type_gaps.extend(certain.into_iter().map(|gap| (gap, known.sights)));
            } else if self.types.len() < TYPE_CAP {
                self.types.insert(kind, TypeSeries { series: Series::new(number, mark, step.at), sights });
            }
        }
        if belongs {
            // A record told twice, or far out of order, adds nothing to what this client is known to have seen.
            self.from = self.from.min(step.time);
            self.until = self.until.max(step.time);
            self.note_type(step.body);
        }
        if self.global_gaps.len() >= HELD_CAP || self.type_gaps.len() >= HELD_CAP { self.settle() } else { Vec::new() }
    }

    /// All that is to be said when no more records come.
    pub(super) fn finish(mut self) -> Vec<Statement> {
        if let Some(series) = &mut self.global {
            series.finish(&mut self.global_gaps);
        }
        for TypeSeries { series, sights } in self.types.values_mut() {
            let mut certain = Vec::new();
            series.finish(&mut certain);
            self.type_gaps.extend(certain.into_iter().map(|gap| (gap, *sights)));
        }
        let mut statements = self.settle();
        let shown = self.shown();
        if self.writer.is_complete && !shown.is_empty() {
            let record = self.writer.record(shown, self.from, self.until, CoverageState::Complete);
            statements.push((record, self.provenance));
        }
        statements
    }

    fn note_type(&mut self, body: &Body<'_>) {
        match body {
            Body::Create(_) => self.file_types.create = true,
            Body::Close(_) | Body::Write(_) => self.file_types.change = true,
            _ if sights_of(body) == FILE => {}
            _ => self.shown = self.shown.union(sights_of(body)),
        }
    }

    /// Files made and files changed must both be shown before their absence means anything.
    fn shown(&self) -> SightSet {
        if self.file_types.create && self.file_types.change { self.shown.union(FILE) } else { self.shown }
    }

    /// Tells every gap held: those of the types, and what they leave unexplained of those of the whole.
    fn settle(&mut self) -> Vec<Statement> {
        let writer = self.writer;
        let mut type_gaps = std::mem::take(&mut self.type_gaps);
        let mut global_gaps = std::mem::take(&mut self.global_gaps);
        // Ordered by the end of the stretch each gap lies in, and given the earliest numbers that fit, the gaps of the
        // types explain as many missing numbers as any assignment can.
        type_gaps.sort_by_key(|(gap, _)| (gap.after.global, gap.before.global, gap.first));
        global_gaps.sort_by_key(|gap| gap.first);
        let mut unexplained: Vec<u64> = global_gaps.iter().map(Gap::count).collect();
        for (gap, _) in &type_gaps {
            explain(gap, &global_gaps, &mut unexplained);
        }
        let of_types = type_gaps.into_iter().filter(|(_, sights)| !sights.is_empty()).map(|(gap, sights)| {
            let count = gap.count();
            lost(writer, gap, sights, count)
        });
        let shown = self.shown.union(FILE);
        let hurt = if self.file_types.create || self.file_types.change { shown } else { self.shown };
        let of_whole = global_gaps
            .into_iter()
            .zip(unexplained)
            .filter(|(_, count)| *count > 0 && !hurt.is_empty())
            .map(|(gap, count)| lost(writer, gap, hurt, count));
        of_types.chain(of_whole).collect()
    }
}

/// Takes the numbers that a gap of a type explains from the gaps of the whole.
fn explain(gap: &Gap, global_gaps: &[Gap], unexplained: &mut [u64]) {
    let mut left = gap.count();
    let after = gap.before.global.unwrap_or(0);
    let before = gap.after.global.unwrap_or(u64::MAX);
    let start = global_gaps.partition_point(|global| global.last <= after);
    for (global, count) in global_gaps.iter().zip(unexplained).skip(start) {
        if left == 0 || global.first >= before {
            break;
        }
        let taken = left.min(*count);
        *count -= taken;
        left -= taken;
    }
}

fn lost(writer: &Writer, gap: Gap, sights: SightSet, count: u64) -> Statement {
    let (before, after) = (gap.before.time, gap.after.time);
    let state = CoverageState::Lost { reason: Loss::SequenceGap, records: Some(count) };
    (writer.record(sights, before.min(after), before.max(after), state), gap.provenance)
}

/// What a loss among events of this type hurts.
const fn sights_of(body: &Body<'_>) -> SightSet {
    match body {
        Body::Exec(_) => EXEC,
        Body::Fork(_) => FORK,
        Body::Exit(_) => EXIT,
        Body::LaunchItemAdd(_) | Body::LaunchItemRemove(_) => LAUNCH,
        Body::ServiceConnect(_) => SERVICE,
        Body::Other => SightSet::EMPTY,
        _ => FILE,
    }
}
