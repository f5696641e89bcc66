//! The ATT&CK library: takes STIX bundles in as snapshots, keeps every object's exact bytes and canonical hash, and
//! answers what an object says, what changed between releases, and what it is related to. It knows nothing of hunting.

pub mod brief;
pub mod canonical;
mod card;
mod check;
pub mod crosswalk;
mod diff;
pub mod fields;
mod graph;
mod import;
pub mod kinds;
pub mod known;
mod library;
pub mod measured;
mod object;
pub mod official;
mod problem;
mod prose;
mod scan;
mod search;
pub mod site;
mod source;
mod terms;
mod view;

pub use card::{Card, Detail, Element, LogSource, Mention, Relation};
pub use check::{Readable, check};
pub use diff::{Changed, Class, Difference, RelationshipChanges, Step, difference, object_difference, successor};
pub use graph::{Graph, Link, Node, Reach};
pub use import::{Imported, Stated, import};
pub use library::{Library, ReleaseFrom, Snapshot, Whole};
pub use object::{Edge, Header};
pub use problem::{Error, Problem};
pub use prose::{Citation, Prose, Segment};
pub use search::{Filter, Listed, Page, Retired};
pub use view::{Ask, Found, StatedEdge, View};

/// The line that ATT&CK's terms of use ask for wherever its text is reproduced.
pub const LICENCE: &str = "© 2026 The MITRE Corporation. This work is reproduced and distributed with the permission of \
                           The MITRE Corporation. ATT&CK terms of use: https://attack.mitre.org/resources/terms-of-use/";
