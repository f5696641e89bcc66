//! Events of every kind with every field, for properties.

mod network;
mod web;

use monologue_model::{
    CoverageRecord, CoverageState, Detail, Event, FileEffect, FileEffectKind, LaunchItem, Loss, ProcessExec,
    ProcessExit, ProcessFork, ProcessImage, ProcessKey, Provenance, ServiceConnect, Sha256, Sight, SignatureState,
    Timestamp,
};
use proptest::{
    collection::vec,
    option,
    prelude::{Arbitrary, BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
};
use std::sync::Arc;

/// Texts: empty, ASCII, with separators, outside of ASCII, with control characters.
pub(crate) fn text() -> BoxedStrategy<Arc<str>> {
    prop_oneof![
        Just(String::new()),
        "[a-z./?= %-]{1,24}".prop_map(String::from),
        "\\PC{0,12}".prop_map(String::from),
        vec(any::<char>(), 0..8).prop_map(|characters| characters.into_iter().collect()),
    ]
    .prop_map(Arc::from)
    .boxed()
}

pub(crate) fn texts() -> BoxedStrategy<Vec<Arc<str>>> {
    vec(text(), 0..4).boxed()
}

/// A text, or none.
pub(crate) fn maybe() -> BoxedStrategy<Option<Arc<str>>> {
    option::of(text()).boxed()
}

/// Numbers with their ends.
pub(crate) fn number() -> BoxedStrategy<u64> {
    prop_oneof![Just(0), Just(u64::MAX), Just(1 << 63), Just((1 << 63) - 1), any::<u64>()].boxed()
}

pub(crate) fn signed() -> BoxedStrategy<i64> {
    prop_oneof![Just(0), Just(i64::MIN), Just(i64::MAX), Just(-1), any::<i64>()].boxed()
}

/// Anything of a list.
pub(crate) fn one_of<T: Copy + std::fmt::Debug + 'static>(values: &'static [T]) -> BoxedStrategy<T> {
    select(values).boxed()
}

/// Anything of a type, or nothing.
pub(crate) fn maybe_any<T: Arbitrary + 'static>() -> BoxedStrategy<Option<T>> {
    option::of(any::<T>()).boxed()
}

fn time() -> BoxedStrategy<Timestamp> {
    signed().prop_map(Timestamp::from_nanoseconds).boxed()
}

fn key() -> BoxedStrategy<ProcessKey> {
    (maybe(), maybe(), maybe_any(), maybe_any(), maybe())
        .prop_map(|(host, boot, pid, pidversion, instance)| ProcessKey { host, boot, pid, pidversion, instance })
        .boxed()
}

/// A process image.
pub(crate) fn image() -> BoxedStrategy<ProcessImage> {
    use SignatureState::{AdHoc, Platform, Team, Unknown, Unsigned};
    let signature = one_of(&[Unknown, Unsigned, AdHoc, Team, Platform]);
    let keys = (key(), option::of(key()), option::of(key()));
    (keys, (maybe(), maybe(), maybe(), maybe(), maybe()), signature, maybe_any())
        .prop_map(|((key, parent, responsible), texts, signature, user_id)| {
            let (path, signing_id, team_id, cdhash, code_uuid) = texts;
            ProcessImage { key, path, signing_id, team_id, cdhash, code_uuid, signature, user_id, parent, responsible }
        })
        .boxed()
}

fn process_details() -> BoxedStrategy<Detail> {
    let exec =
        (image(), image(), texts(), (maybe(), maybe(), maybe())).prop_map(|(previous, target, arguments, rest)| {
            let (script, working_directory, launch_label) = rest;
            let arguments = arguments.iter().map(ToString::to_string).collect();
            Detail::ProcessExec(Box::new(ProcessExec {
                previous,
                target,
                arguments,
                script,
                working_directory,
                launch_label,
            }))
        });
    let fork =
        (image(), image()).prop_map(|(parent, child)| Detail::ProcessFork(Box::new(ProcessFork { parent, child })));
    let exit = (image(), maybe_any())
        .prop_map(|(process, status)| Detail::ProcessExit(Box::new(ProcessExit { process, status })));
    let connect = (image(), text())
        .prop_map(|(process, service)| Detail::ServiceConnect(Box::new(ServiceConnect { process, service })));
    prop_oneof![exec, fork, exit, connect].boxed()
}

fn file_details() -> BoxedStrategy<Detail> {
    use FileEffectKind as Kind;
    let kinds = one_of(&[
        Kind::Create,
        Kind::Write,
        Kind::Rename,
        Kind::Unlink,
        Kind::Copy,
        Kind::Attribute,
        Kind::Mode,
        Kind::MapExecutable,
    ]);
    let effect = (image(), kinds, text(), maybe()).prop_map(|(process, effect, path, target)| {
        Detail::FileEffect(Box::new(FileEffect { process, effect, path, target }))
    });
    let item =
        (option::of(image()), any::<bool>(), maybe(), maybe()).prop_map(|(instigator, added, item, executable)| {
            Detail::LaunchItem(Box::new(LaunchItem { instigator, added, item, executable }))
        });
    prop_oneof![effect, item].boxed()
}

fn coverage_details() -> BoxedStrategy<Detail> {
    use Loss::{Malformed, Removed, SensorLoss, SequenceGap, Truncated};
    let reason = one_of(&[SequenceGap, SensorLoss, Truncated, Malformed, Removed]);
    let lost = (reason, option::of(number())).prop_map(|(reason, records)| CoverageState::Lost { reason, records });
    let state = prop_oneof![Just(CoverageState::Complete), lost];
    let sights = vec(one_of(&Sight::ALL), 0..Sight::COUNT);
    (text(), sights, time(), time(), state)
        .prop_map(|(format, sights, from, until, state)| {
            let sights = sights.into_iter().collect();
            Detail::Coverage(CoverageRecord { format, sights, from, until, state })
        })
        .boxed()
}

/// Any event.
pub(crate) fn event() -> BoxedStrategy<Event> {
    let detail = prop_oneof![
        4 => process_details(),
        2 => file_details(),
        4 => network::details(),
        5 => web::details(),
        1 => coverage_details(),
    ];
    let provenance = (text(), number(), number(), any::<[u8; 32]>()).prop_map(|(source, offset, length, hash)| {
        Provenance { source, offset, length, sha256: Sha256::from_bytes(hash) }
    });
    (time(), maybe(), text(), provenance, detail)
        .prop_map(|(time, host, format, provenance, detail)| Event { time, host, format, provenance, detail })
        .boxed()
}
