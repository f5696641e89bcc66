//! Tables: what a file of the lake looks like inside.
//!
//! Each event table holds the events of one OCSF 1.8 class and uses OCSF's attribute names where OCSF has one; what it has
//! no name for stands in groups named `monologue`. The base columns, [`time_ns`](reference()) first, are the same in all.
//! [`encode`] and [`decode`] lose nothing. What OCSF requires inside of objects and no record says, such as the type of
//! a file, is left out rather than made up.
//!
//! Types are those that DuckDB, Spark and Arrow read alike: no unsigned numbers and no nanosecond timestamps. A count of up to
//! 64 bits is stored as `int64` in two's complement: 2⁶³ and more, which no honest source gives, reads as negative.
//! Smaller unsigned numbers are stored in the next wider signed type.

mod base;
mod coverage;
mod dns_activity;
mod endpoints;
mod error;
mod file_activity;
mod files;
mod http_activity;
mod http_task;
mod http_transaction;
mod interner;
mod marks;
mod network_activity;
mod process;
mod process_activity;
mod reference;
mod scheduled_job_activity;
mod shape;
mod states;
mod summaries;

pub use base::OCSF_VERSION;
pub use error::{TableError, Unexpected};
pub use files::{LAYOUT, ROW_GROUP_ROWS, Select, Written, read, write};
pub use interner::Interner;
pub use marks::{MARKS, Mark, marks_schema, read_marks, write_marks};
pub use reference::reference;
pub use states::{STATES, StateRow, read_states, states_schema, write_states};
pub use summaries::{
    SUMMARIES, SummaryRow, decode_summaries, encode_summaries, read_summaries, summaries_schema, write_summaries,
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use monologue_model::{Detail, Event};
use shape::Plan;
use std::{fmt, sync::LazyLock};

/// An event table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// OCSF 1007 Process Activity: execs, forks, exits, connections to system services.
    ProcessActivity,
    /// OCSF 1001 File Activity: effects on files.
    FileActivity,
    /// OCSF 1006 Scheduled Job Activity: launch items.
    ScheduledJobActivity,
    /// OCSF 4001 Network Activity: flows, connections, TLS handshakes.
    NetworkActivity,
    /// OCSF 4002 HTTP Activity: transactions, and the life of API requests.
    HttpActivity,
    /// OCSF 4003 DNS Activity: names asked for.
    DnsActivity,
    /// Our own: what sources say of their completeness.
    Coverage,
}

impl Table {
    /// Every event table.
    pub const ALL: [Self; 7] = [
        Self::ProcessActivity,
        Self::FileActivity,
        Self::ScheduledJobActivity,
        Self::NetworkActivity,
        Self::HttpActivity,
        Self::DnsActivity,
        Self::Coverage,
    ];

    /// Its name, as folders and files have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcessActivity => "process_activity",
            Self::FileActivity => "file_activity",
            Self::ScheduledJobActivity => "scheduled_job_activity",
            Self::NetworkActivity => "network_activity",
            Self::HttpActivity => "http_activity",
            Self::DnsActivity => "dns_activity",
            Self::Coverage => "coverage",
        }
    }

    /// The table of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The table that an event of this detail belongs to.
    #[must_use]
    pub const fn of(detail: &Detail) -> Self {
        match detail {
            Detail::ProcessExec(_) | Detail::ProcessFork(_) | Detail::ProcessExit(_) | Detail::ServiceConnect(_) => {
                Self::ProcessActivity
            }
            Detail::FileEffect(_) => Self::FileActivity,
            Detail::LaunchItem(_) => Self::ScheduledJobActivity,
            Detail::Connection(_) | Detail::Flow(_) | Detail::Tls(_) => Self::NetworkActivity,
            Detail::Task(_) | Detail::Background(_) | Detail::Http(_) => Self::HttpActivity,
            Detail::Dns(_) => Self::DnsActivity,
            Detail::Coverage(_) => Self::Coverage,
        }
    }

    /// Its columns.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        self.plan().schema.clone()
    }

    fn plan(self) -> &'static Plan {
        static PROCESS: LazyLock<Plan> = LazyLock::new(Plan::of::<process_activity::ProcessActivity>);
        static FILE: LazyLock<Plan> = LazyLock::new(Plan::of::<file_activity::FileActivity>);
        static JOB: LazyLock<Plan> = LazyLock::new(Plan::of::<scheduled_job_activity::ScheduledJobActivity>);
        static NETWORK: LazyLock<Plan> = LazyLock::new(Plan::of::<network_activity::NetworkActivity>);
        static HTTP: LazyLock<Plan> = LazyLock::new(Plan::of::<http_activity::HttpActivity>);
        static DNS: LazyLock<Plan> = LazyLock::new(Plan::of::<dns_activity::DnsActivity>);
        static COVERAGE: LazyLock<Plan> = LazyLock::new(Plan::of::<coverage::Coverage>);
        match self {
            Self::ProcessActivity => &PROCESS,
            Self::FileActivity => &FILE,
            Self::ScheduledJobActivity => &JOB,
            Self::NetworkActivity => &NETWORK,
            Self::HttpActivity => &HTTP,
            Self::DnsActivity => &DNS,
            Self::Coverage => &COVERAGE,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The columns of events, in their order.
///
/// # Errors
/// When an event belongs to another table, or the texts of one column exceed 2 GiB.
pub fn encode(table: Table, events: &[&Event]) -> Result<RecordBatch, TableError> {
    let plan = table.plan();
    match table {
        Table::ProcessActivity => shape::encode::<process_activity::ProcessActivity>(table, plan, events),
        Table::FileActivity => shape::encode::<file_activity::FileActivity>(table, plan, events),
        Table::ScheduledJobActivity => {
            shape::encode::<scheduled_job_activity::ScheduledJobActivity>(table, plan, events)
        }
        Table::NetworkActivity => shape::encode::<network_activity::NetworkActivity>(table, plan, events),
        Table::HttpActivity => shape::encode::<http_activity::HttpActivity>(table, plan, events),
        Table::DnsActivity => shape::encode::<dns_activity::DnsActivity>(table, plan, events),
        Table::Coverage => shape::encode::<coverage::Coverage>(table, plan, events),
    }
}

/// The events of columns, in their order. Columns that merely repeat others in OCSF's words are not looked at, and a null
/// group reads as a group of nulls.
///
/// # Errors
/// When a column is missing or has another type, or a value cannot be what it should be: the first such is named.
pub fn decode(table: Table, batch: &RecordBatch, interner: &mut Interner) -> Result<Vec<Event>, TableError> {
    let plan = table.plan();
    match table {
        Table::ProcessActivity => shape::decode::<process_activity::ProcessActivity>(table, plan, batch, interner),
        Table::FileActivity => shape::decode::<file_activity::FileActivity>(table, plan, batch, interner),
        Table::ScheduledJobActivity => {
            shape::decode::<scheduled_job_activity::ScheduledJobActivity>(table, plan, batch, interner)
        }
        Table::NetworkActivity => shape::decode::<network_activity::NetworkActivity>(table, plan, batch, interner),
        Table::HttpActivity => shape::decode::<http_activity::HttpActivity>(table, plan, batch, interner),
        Table::DnsActivity => shape::decode::<dns_activity::DnsActivity>(table, plan, batch, interner),
        Table::Coverage => shape::decode::<coverage::Coverage>(table, plan, batch, interner),
    }
}
