//! From events to findings: link, summarise, judge, weigh. Pure functions of their input; nothing here prints, reads the
//! clock or touches files.

pub mod absence;
mod coverage;
pub mod disposition;
mod documented;
mod exchanges;
mod finding;
mod host;
mod hunt;
mod identity;
pub mod judge;
#[cfg(test)]
mod laws;
mod link;
mod origin;
mod processes;
pub mod settings;
mod signals;
mod summarise;
mod triage;
pub mod weigh;

pub mod cadence;
pub mod discovery;

pub use exchanges::{exchanges, exchanges_by_host};
pub use host::{HostHunt, hunt_host};
pub use hunt::{Hunt, Judged, Options, Progress, judge_hosts};
pub use ipnet::IpNet;
pub use link::{TaskState, task_states};
pub use signals::{SIGNALS, Signal, by_id, manual};
