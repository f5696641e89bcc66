//! From events to findings: link, summarise, judge, weigh. Pure functions of their input; nothing here prints, reads the
//! clock or touches files.

pub mod absence;
pub mod awake;
mod baseline;
mod claims;
mod code;
mod coverage;
pub mod dependence;
pub mod disposition;
mod documented;
mod exchanges;
mod finding;
mod fold;
mod host;
mod hunt;
mod identity;
pub mod judge;
#[cfg(test)]
mod laws;
mod layers;
mod leads;
mod lineage;
mod link;
mod macos_baseline;
pub mod novelty;
mod origin;
mod processes;
pub mod public_services;
mod randomness;
mod related;
mod sensors;
pub mod settings;
mod signals;
mod statements;
mod summarise;
mod triage;
mod user_agents;
mod verdict;
pub mod weigh;

pub mod cadence;
pub mod discovery;

pub use baseline::{Approval, Baseline, Lint};
pub use claims::CLAIMS;
pub use code::CodeProfiles;
pub use exchanges::{exchanges, exchanges_by_host};
pub use fold::{Fold, HourOutcome, HourSummary, RULES, StateError};
pub use host::{HostHours, HostHunt, hunt_host};
pub use hunt::{Hunt, Options, Progress};
pub use ipnet::IpNet;
pub use link::{RefusedJoins, TaskState, task_states};
pub use origin::{AddressFacts, Origin};
pub use sensors::{Sensors, sensor_of};
pub use settings::Settings;
pub use signals::{Opinion, SIGNALS, Signal, by_id, manual};
pub use statements::{Statements, coalesce};
pub use verdict::{Census, Verdict};
