//! What the readers of endpoint sensors share: JSON records whatever their layout, fields of any spelling, and the nouns
//! they become.
//!
//! An endpoint sensor chooses what it reports: it samples, folds repetitions and mutes. So these readers state presence
//! and never completeness: no silence of theirs means anything. Two exceptions lower what others claim: counted losses.

pub(crate) mod command_line;
pub(crate) mod contact;
pub(crate) mod deeds;
pub(crate) mod fields;
pub(crate) mod ready;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod stamps;

pub(crate) use contact::Contact;
pub(crate) use fields::{Fields, Time};
pub(crate) use records::{JsonFormat, Place, Said, Sensor, Told};
