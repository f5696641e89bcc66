//! Sending: the lines that an output wrote, in batches, to Splunk, Elastic, syslog or a webhook.
//!
//! Formatting is done elsewhere: what is sent are lines of a file, as they stand. What the receiver refuses, and all that is left
//! when it takes nothing any more, goes to a file of *dead letters*, which can be sent again as it is.
//!
//! Nothing is lost silently, and each line is delivered *at least once*: when an answer is lost, a batch is sent again. Elastic
//! knows a document by its id and does not store it twice; the others may. Memory is bounded by one batch, and the next line
//! is read only when the batch before is settled, so a slow receiver slows the reader.

mod address;
mod dead_letters;
mod delivery;
mod elastic;
mod http;
mod items;
mod secret;
mod splunk;
mod syslog;
mod webhook;
mod work;

pub use secret::Secret;

use address::Address;
use dead_letters::DeadLetters;
use delivery::Delivery;
use items::Items;
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    path::PathBuf,
    time::Duration,
};

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Splunk's HTTP Event Collector: lines of the output `splunk-hec`.
    SplunkHec,
    /// The bulk interface of Elastic or OpenSearch: pairs of lines of the output `ecs`.
    Elastic,
    /// A syslog receiver over TCP (RFC 6587, octet counting): any lines, such as those of `cef` or `json`.
    Syslog,
    /// One POST for each line of JSON.
    Webhook,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 4] = [Self::SplunkHec, Self::Elastic, Self::Syslog, Self::Webhook];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SplunkHec => "splunk-hec",
            Self::Elastic => "elastic",
            Self::Syslog => "syslog",
            Self::Webhook => "webhook",
        }
    }

    /// The output whose lines it takes.
    #[must_use]
    pub const fn output(self) -> &'static str {
        match self {
            Self::SplunkHec => "splunk-hec",
            Self::Elastic => "ecs",
            Self::Syslog => "cef",
            Self::Webhook => "json",
        }
    }
}

/// What proves to the receiver who sends. Never printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A token: Splunk's collector token, Elastic's API key (as it is shown, base64), a webhook's bearer token.
    Token(Secret),
    /// User and password (Elastic and webhooks).
    Password(String, Secret),
}

/// How to send.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to.
    pub target: Target,
    /// Address of the receiver: `https://…`, `http://…`, or `tcp://host:port` for syslog.
    pub url: String,
    /// Who sends. `None`: nothing is proved.
    pub credentials: Option<Credentials>,
    /// Whether credentials may go over plain HTTP to another machine.
    pub allow_plain_text: bool,
    /// A proxy, such as `http://proxy.example:3128`. `None`: straight.
    pub proxy: Option<String>,
    /// Certificate authorities in PEM to trust in place of the built-in ones. `None`: the built-in ones.
    pub authorities: Option<Vec<u8>>,
    /// Most lines (pairs of lines for Elastic) in one request.
    pub batch_items: usize,
    /// Most bytes in one request, unless a single line has more.
    pub batch_bytes: usize,
    /// Longest line; longer ones go to the dead letters untried.
    pub item_bytes: usize,
    /// How often a batch is tried again without progress before all is given up.
    pub retries: u32,
    /// Longest time that one request may take.
    pub timeout: Duration,
    /// Where what could not be delivered is added to. Made when it is needed.
    pub dead_letters: PathBuf,
}

impl Options {
    /// The usual settings.
    #[must_use]
    pub fn new(target: Target, url: &str, dead_letters: PathBuf) -> Self {
        Self {
            target,
            url: url.to_owned(),
            credentials: None,
            allow_plain_text: false,
            proxy: None,
            authorities: None,
            batch_items: 500,
            batch_bytes: 1 << 20,
            item_bytes: 8 << 20,
            retries: 6,
            timeout: Duration::from_secs(60),
            dead_letters,
        }
    }
}

/// What became of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Items that the receiver took. For syslog: written to a connection that was closed in order; nobody acknowledges them.
    pub taken: u64,
    /// Of these, items that it had already.
    pub known: u64,
    /// Items that it refused, or that cannot be sent: in the dead letters.
    pub refused: u64,
    /// Items that were given up or never tried: in the dead letters.
    pub unsent: u64,
    /// Requests made.
    pub requests: u64,
    /// How often items were refused for which reason. Only the first few reasons are told apart.
    pub reasons: BTreeMap<String, u64>,
    /// Why nothing more was tried. `None`: all was tried.
    pub stopped: Option<String>,
}

impl Summary {
    /// Whether everything was taken.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.refused == 0 && self.unsent == 0 && self.stopped.is_none()
    }
}

/// Why sending could not begin or go on. No message holds a credential or the path of an address.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
    /// The certificate authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// The lines are not what the target takes.
    #[error("expected {expected}, found something else in the first line; hint: write it with --output {output}")]
    Input {
        /// What was expected.
        expected: &'static str,
        /// The output that writes it.
        output: &'static str,
    },
    /// The lines cannot be read.
    #[error("cannot read what is to be sent: {0}")]
    Read(io::Error),
    /// The dead letters cannot be written, so going on would lose lines.
    #[error(
        "cannot write the dead letters {path}: {source}; hint: name a file that can be written with --dead-letters"
    )]
    DeadLetters {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Sends all lines of `input`. `wait` is called for the time between two tries.
///
/// # Errors
/// When nothing can be sent at all, or lines would be lost. Refusals of the receiver are no error: the summary counts them.
pub fn send(options: &Options, input: &mut dyn BufRead, wait: &mut dyn FnMut(Duration)) -> Result<Summary, SendError> {
    let address = Address::parse(options)?;
    let mut delivery: Box<dyn Delivery> = match options.target {
        Target::SplunkHec => Box::new(splunk::SplunkHec::new(options, &address)?),
        Target::Elastic => Box::new(elastic::Elastic::new(options, &address)?),
        Target::Webhook => Box::new(webhook::Webhook::new(options, &address)?),
        Target::Syslog => Box::new(syslog::Syslog::new(options, &address)),
    };
    let items = Items::new(input, options);
    let dead = DeadLetters::new(&options.dead_letters);
    work::Work::new(options, dead, wait).all(items, delivery.as_mut())
}
