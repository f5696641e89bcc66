//! The command line of `monologue send`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "Credentials come from the environment: MONOLOGUE_SEND_TOKEN, or MONOLOGUE_SEND_USER and \
MONOLOGUE_SEND_PASSWORD.\n\nExamples:\n  \
monologue hunt logs/ --output ecs=findings.ndjson\n  \
monologue send --to elastic https://elastic.example:9200 findings.ndjson\n  \
monologue send --to syslog tcp://127.0.0.1:601 findings.cef\n\n\
Exit codes: 0 everything was taken; 2 something was not (it is in the dead letters).")]
pub(crate) struct SendArguments {
    /// What receives it. The lines must be those of the output splunk-hec, ecs, cef or json, in this order.
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: SendTarget,
    /// Its address, such as https://splunk.example:8088 or tcp://syslog.example:601.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// What an output wrote; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to add what could not be delivered. FILE.unsent if not given, monologue.unsent for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letters: Option<PathBuf>,
    /// Most findings in one request.
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) batch: usize,
    /// Tries without progress after the first, before everything left is given up.
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) retries: u32,
    /// Longest time one request may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Certificate authorities to trust in place of the built-in ones.
    #[arg(long = "certificate-authorities", value_name = "FILE.pem")]
    pub(crate) authorities: Option<PathBuf>,
    /// Proxy to go through, such as http://proxy.example:3128.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Let credentials go over plain HTTP to another machine.
    #[arg(long)]
    pub(crate) allow_plain_text: bool,
}

/// The receivers, as values of an option.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SendTarget {
    /// Splunk's HTTP Event Collector.
    SplunkHec,
    /// The bulk interface of Elastic or OpenSearch.
    Elastic,
    /// Syslog over TCP.
    Syslog,
    /// One POST of JSON a finding.
    Webhook,
}
