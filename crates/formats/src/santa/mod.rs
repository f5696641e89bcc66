//! Santa (North Pole Security): its events as JSON, as the protobuf files of its spool, and as the older text log.
//!
//! JSON and protobuf are the same messages (`santa.proto`), so the protobuf is told as JSON first. `NetworkActivity` is
//! the only open source of bytes for each flow of a process: cumulative, final only once the flow was closed. Which events
//! are written is a setting, so the silence of any kind of event means nothing.

mod activity;
mod base64;
mod log;
mod message;
mod protobuf;
mod schema;
mod spool;

pub(crate) use log::SANTA_LOG;
pub(crate) use message::SANTA;
pub(crate) use spool::SANTA_SPOOL;

use monologue_model::{Sight, SightSet};

/// What the messages show.
const SIGHTS: SightSet = SightSet::of(&[
    Sight::ProcessExec,
    Sight::ProcessFork,
    Sight::ProcessExit,
    Sight::ProcessSignature,
    Sight::ProcessArguments,
    Sight::FlowBytes,
    Sight::FlowReply,
    Sight::FileEffect,
    Sight::LaunchItem,
]);
