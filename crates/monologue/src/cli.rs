//! The command line: what can be asked, in words a newcomer understands.

use crate::attack::arguments::AttackArguments;
use clap::{Args, Parser, Subcommand, ValueEnum};
use monologue_model::Level;
use monologue_simulate::Disturbance;
use std::path::PathBuf;

#[cfg(feature = "send")]
mod send;
#[cfg(feature = "send")]
pub(crate) use send::{SendArguments, SendTarget};

/// Hunt one-way command and control on Macs: processes that ask the web and do nothing with the answer.
#[derive(Debug, Parser)]
#[command(name = "monologue", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 nothing found where it could look; 1 findings at or above --minimum-level; \
2 error; 3 could not look (coverage below --require).\nNew here? Run `monologue demo`.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a small fleet of Macs, hunt it, and write a report to open.
    Demo(DemoArguments),
    /// Read telemetry, join it, and list the applications whose web requests nobody answers or nobody listens to.
    Hunt(HuntArguments),
    /// Say what the telemetry can and cannot show, per host and hour, which claims that allows, and what to collect next.
    Coverage(CoverageArguments),
    /// Explain one finding: every citation back to its bytes, the score step by step, what would change the answer.
    Explain(ExplainArguments),
    /// Take telemetry into a lake: Parquet tables that are hunted, extended and hunted again.
    Ingest(IngestArguments),
    /// Show what a lake holds, put its small files together, or remove old dates.
    Lake(LakeArguments),
    /// Print the events that were understood, as NDJSON, one a line.
    Read(ReadArguments),
    /// Send what an output wrote to Splunk, Elastic, syslog or a webhook.
    #[cfg(feature = "send")]
    Send(SendArguments),
    /// Write the telemetry of a simulated fleet, with the truth beside it.
    Simulate(SimulateArguments),
    /// Hold the findings of a hunt against the truth of what was simulated.
    Evaluate(EvaluateArguments),
    /// Learn, check, compare and list approvals of known-good software.
    Baseline(BaselineArguments),
    /// List applications that talk to public web services without anybody's approval, or write policy that denies it.
    Review(ReviewArguments),
    /// Show which settings are in force, and why.
    Settings(SettingsArguments),
    /// Keep MITRE ATT&CK releases offline: search, compare, brief, and what of an analytic is covered here.
    Attack(AttackArguments),
    /// List the telemetry formats that can be read.
    Formats(ListArguments),
    /// List the signals a channel is judged by, or print the manual page of one.
    Signals(SignalsArguments),
    /// List the ways a report can be written, or print the manual page of one.
    Outputs(OutputsArguments),
    /// Write manual pages or a shell's completions, for packagers.
    #[command(hide = true)]
    Generate(GenerateArguments),
}

/// Which files to read, and whose they are.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct InputArguments {
    /// Files or folders of telemetry. Folders are walked; gzip and zstd are undone.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Name of the Mac that the endpoint files come from (they seldom name it themselves).
    #[arg(long, value_name = "NAME", conflicts_with = "host_pattern")]
    pub(crate) host: Option<String>,
    /// Where the host's name stands in the paths, matched against their end. Without it, the folder under `endpoint/`
    /// or `hosts/` is tried.
    #[arg(
        long,
        value_name = "PATTERN",
        help = "Where the host's name stands in the paths, such as 'endpoint/{host}/**'"
    )]
    pub(crate) host_pattern: Option<String>,
    /// Read files whose path matches GLOB as this format, whatever they look like. May be repeated.
    #[arg(long = "format", value_name = "NAME=GLOB")]
    pub(crate) formats: Vec<String>,
    /// A format of your own: a TOML file that says how its records become events. May be repeated. See the guide.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) mapping: Vec<PathBuf>,
    /// Zone of times that name none, in telemetry and in --since and --until, such as Europe/Paris. UTC if not given.
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// Leave out what happened before this: a time such as 2026-11-24T08:00:00Z, or a date (its first moment).
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Leave out what happened after this: a time such as 2026-11-24T08:00:00Z, or a date (its first moment).
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
monologue hunt logs/                                   one laptop or a folder of everything\n  \
monologue hunt --host anna-mac eslogger.ndjson log.ndjson conn.log\n  \
monologue hunt fleet/ --assets leases.csv --report report.html --output json=findings.ndjson\n  \
monologue hunt fleet/ --require flow.reply=90          exit 3 where less than 90 % was watched")]
pub(crate) struct HuntArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// How to write the report, and where; standard output if no file is named. May be repeated. See `monologue outputs`.
    #[arg(long = "output", value_name = "NAME[=FILE]")]
    pub(crate) outputs: Vec<String>,
    /// Write the HTML report to this file (short for --output html=FILE).
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Write an evidence pack to this new or empty folder: what was collected, what was lost, what was in force, the hash of
    /// every input, and what may and may not be claimed.
    #[arg(long, value_name = "DIR")]
    pub(crate) evidence: Option<PathBuf>,
    /// CSV of which host had which address when (columns ip, host, from, until), or an inventory. May be repeated.
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) assets: Vec<PathBuf>,
    /// Hunt what was taken into this lake, by whole hours, and keep what is decided: the next hunt does only what is new.
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    pub(crate) lake: Option<PathBuf>,
    /// Memory to use, such as 2GB. Telemetry that does not fit passes through a temporary lake on disk.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Network or address that is ours, such as 10.0.0.0/8. May be repeated; overrides every other way to tell.
    #[arg(long, value_name = "NET")]
    pub(crate) local: Vec<String>,
    /// Approvals of known-good software: TOML with `[[approval]]` entries, or CSV with the same names as columns. May be
    /// repeated. See `monologue baseline`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Settings: TOML with ATT&CK's mutable elements, levels and weights. See `monologue settings show`.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) settings: Option<PathBuf>,
    /// Folder of the ATT&CK library whose newest state of AN1601 is cited. If not given, the platform's folder for data, where
    /// there is one.
    #[arg(long, value_name = "DIR")]
    pub(crate) library: Option<PathBuf>,
    /// Pages that `monologue attack site` wrote, for the HTML report to link to: their folder, or the address they are served at.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub(crate) attack_site: Option<String>,
    /// Profiles of programs' code: NDJSON with path, verdict and slices. May be repeated.
    #[arg(long, value_name = "FILE.ndjson")]
    pub(crate) code: Vec<PathBuf>,
    /// List findings from this level on, and let them decide the exit code.
    #[arg(long, value_name = "LEVEL", default_value = "medium")]
    pub(crate) minimum_level: MinimumLevel,
    /// Exit with 3 if on any host less than PERCENT of its time was watched by SIGHT. May be repeated.
    #[arg(long, value_name = "SIGHT=PERCENT")]
    pub(crate) require: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue coverage logs/                                   in words\n  \
monologue coverage fleet/ --assets inventory.csv --report coverage.html\n  \
monologue coverage --lake lake --output json=coverage.json --output svg=map.svg")]
pub(crate) struct CoverageArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// How to write it, and where: text, json, html or svg; standard output if no file is named. May be repeated.
    #[arg(long = "output", value_name = "NAME[=FILE]")]
    pub(crate) outputs: Vec<String>,
    /// Write the page or the picture to this file (short for --output html=FILE or svg=FILE).
    #[arg(long, value_name = "FILE.html|FILE.svg")]
    pub(crate) report: Option<PathBuf>,
    /// CSV of which host had which address when, or an inventory (columns host, os_version). May be repeated.
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) assets: Vec<PathBuf>,
    /// Look at what was taken into this lake.
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    pub(crate) lake: Option<PathBuf>,
    /// Memory to use, such as 2GB.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Network or address that is ours, such as 10.0.0.0/8. May be repeated; overrides every other way to tell.
    #[arg(long, value_name = "NET")]
    pub(crate) local: Vec<String>,
    /// Exit with 3 if on any host less than PERCENT of its time was watched by SIGHT. May be repeated.
    #[arg(long, value_name = "SIGHT=PERCENT")]
    pub(crate) require: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue explain 3f0a9c17 --findings findings.ndjson\n  \
monologue explain 3f0a9c17 --findings findings.ndjson --evidence copies/\n  \
monologue explain 3f0a9c17 --lake lake")]
pub(crate) struct ExplainArguments {
    /// The finding's id, or its first digits.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Findings as `--output json` writes them.
    #[arg(long, value_name = "FILE", conflicts_with = "lake")]
    pub(crate) findings: Option<PathBuf>,
    /// Hunt this lake, and explain a finding of it.
    #[arg(long, value_name = "DIR")]
    pub(crate) lake: Option<PathBuf>,
    /// Approvals that apply. May be repeated.
    #[arg(long, value_name = "FILE", requires = "lake")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Settings that apply: the levels of the score, and of a lake the whole hunt.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) settings: Option<PathBuf>,
    /// Files or folders with the telemetry, if it no longer lies where it was read. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub(crate) evidence: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue review telemetry/ --baseline approvals.toml\n  \
monologue review telemetry/ --baseline approvals.toml --form little-snitch > unapproved.lsrules")]
pub(crate) struct ReviewArguments {
    #[command(flatten)]
    pub(crate) hunt: HuntArguments,
    /// How to write it: for people, for machines, or as rules that deny what was not approved.
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) form: ReviewForm,
}

/// How a review is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReviewForm {
    /// For people.
    Text,
    /// NDJSON, one application and service a line.
    Json,
    /// A rule group of Little Snitch (.lsrules).
    LittleSnitch,
    /// Rules of LuLu.
    Lulu,
    /// Rules of Santa, for `santactl rule --import`.
    Santa,
    /// A list of names for Squid's `dstdomain`.
    Squid,
}

#[derive(Args, Debug)]
pub(crate) struct BaselineImportArguments {
    /// Rules that LuLu exported.
    #[arg(value_name = "FILE.json")]
    pub(crate) file: PathBuf,
    /// Who answers for the proposals.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: String,
    /// The last day on which they hold, such as 2027-06-30.
    #[arg(long, value_name = "DATE")]
    pub(crate) expires: String,
}

#[derive(Args, Debug)]
pub(crate) struct SettingsArguments {
    #[command(subcommand)]
    pub(crate) command: SettingsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Print every setting that is in force, who set it, and what it does.
    Show(SettingsShowArguments),
}

#[derive(Args, Debug)]
pub(crate) struct SettingsShowArguments {
    /// The settings file, as for `monologue hunt`; without it the product's own are shown.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) settings: Option<PathBuf>,
    /// Write one JSON object a setting.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the page of the reference.
    #[arg(long, hide = true, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BaselineArguments {
    #[command(subcommand)]
    pub(crate) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Propose approvals from a period that is known to be good, as TOML to be reviewed.
    Learn(BaselineLearnArguments),
    /// Name approvals that expired, are too broad, rest on a name alone or are shadowed. Exit 1 if there are any.
    Check(BaselineFiles),
    /// Show what a changed baseline would hide or reveal on past data, without taking it in again.
    Diff(BaselineDiffArguments),
    /// List the approvals, one a line.
    List(BaselineFiles),
    /// Propose approvals from the rules of LuLu that allow one destination, as TOML to be reviewed.
    ImportLulu(BaselineImportArguments),
}

#[derive(Args, Debug)]
pub(crate) struct BaselineFiles {
    /// Baselines: TOML or CSV.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BaselineLearnArguments {
    #[command(flatten)]
    pub(crate) hunt: HuntArguments,
    /// Who answers for the proposals.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: String,
    /// Why they are approved.
    #[arg(long, value_name = "TEXT", default_value = "seen in a period that is known to be good")]
    pub(crate) reason: String,
    /// The last day on which they hold, such as 2027-06-30.
    #[arg(long, value_name = "DATE")]
    pub(crate) expires: String,
}

#[derive(Args, Debug)]
pub(crate) struct BaselineDiffArguments {
    #[command(flatten)]
    pub(crate) hunt: HuntArguments,
    /// The baseline as it is now; --baseline names the changed one. May be repeated; none compares with nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) before: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue ingest telemetry/ --lake lake --assets leases.csv   the first time, and every time something was added\n  \
monologue hunt --lake lake                                    everything\n  \
monologue hunt --lake lake --since 2026-11-23                 requests from that day on")]
pub(crate) struct IngestArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// The lake: a folder, made if it is not there, or s3://BUCKET/PREFIX in builds with the feature s3.
    #[arg(long, value_name = "DIR")]
    pub(crate) lake: PathBuf,
    /// CSV of which host had which address when (columns ip, host, from, until), or an inventory. May be repeated.
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) assets: Vec<PathBuf>,
    /// Buckets of a new lake: more for larger fleets. One host lives in one bucket, and one bucket is hunted at a time.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) buckets: Option<u16>,
    /// Memory to use, such as 2GB.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct LakeArguments {
    #[command(subcommand)]
    pub(crate) command: LakeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// List the tables with their files, rows, bytes and dates.
    Show(LakeAddress),
    /// Put small files of one table, date and bucket together.
    Compact(CompactArguments),
    /// Remove the rows of dates before a date. The ledger still knows what was taken.
    Retain(RetainArguments),
    /// List the columns of every table.
    Columns(ListArguments),
}

#[derive(Args, Debug)]
pub(crate) struct LakeAddress {
    /// The lake.
    #[arg(value_name = "DIR")]
    pub(crate) lake: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct CompactArguments {
    /// The lake.
    #[arg(value_name = "DIR")]
    pub(crate) lake: PathBuf,
    /// Put files together where at least so many small ones lie.
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    pub(crate) least_files: usize,
}

#[derive(Args, Debug)]
pub(crate) struct RetainArguments {
    /// The lake.
    #[arg(value_name = "DIR")]
    pub(crate) lake: PathBuf,
    /// First date to keep, such as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: String,
}

#[derive(Args, Debug)]
pub(crate) struct ReadArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
    /// Show for one record which of its bytes became which field: the first of each input, or the one at OFFSET.
    #[arg(long, value_name = "OFFSET", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) explain: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// Keep the simulated telemetry and the report in this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct SimulateArguments {
    /// Folder to write to. It must be empty or new.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Number the fleet is made from: the same number, the same fleet.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Hours to simulate.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub(crate) hours: u32,
    /// Which fleet: small, one host for each behaviour and its blind twin; or realistic, people and regular software with the
    /// traffic of real Macs, attacks among them, and sensors of every kind.
    #[arg(long, value_name = "NAME", default_value = "small")]
    pub(crate) fleet: FleetKind,
    /// Macs of a realistic fleet.
    #[arg(long, value_name = "NUMBER", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) hosts: u32,
    /// Days of a realistic fleet.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=31))]
    pub(crate) days: u32,
    /// First day of a realistic fleet, such as 2026-03-01. The same seed is the same Macs with the same software on every day.
    #[arg(long, value_name = "DATE", default_value = "2026-03-02")]
    pub(crate) start: String,
    /// A realistic fleet without attacks: a day that is known to be good, to learn a baseline from.
    #[arg(long)]
    pub(crate) without_attacks: bool,
    /// What stands between events and their records, such as nat or proxy+drift-50ppm.
    #[arg(long, value_name = "NAME", default_value = "none", value_parser = disturbance)]
    pub(crate) disturb: Disturbance,
    /// Record a story of one Mac in place of a fleet: a text file, or the block `story` of a Markdown file such as a case.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "hours", "disturb", "fleet"])]
    pub(crate) story: Option<PathBuf>,
    /// Sensor to take away from a story: endpoint, files, exits, log or network. May be repeated.
    #[arg(long, value_name = "SENSOR", requires = "story")]
    pub(crate) without: Vec<String>,
    /// Write into a folder that is not empty.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
monologue simulate fleet --fleet realistic --hosts 20 --days 2 --seed 7\n  \
monologue hunt fleet --assets fleet/assets.csv --minimum-level info --output json=findings.ndjson\n  \
monologue evaluate --truth fleet/truth.ndjson findings.ndjson\n\n\
Exit codes: 0 nothing false is claimed; 1 something is; 2 error.")]
pub(crate) struct EvaluateArguments {
    /// What really happened: truth.ndjson of a simulated fleet.
    #[arg(long, value_name = "FILE.ndjson")]
    pub(crate) truth: PathBuf,
    /// The findings: --output json of a hunt with --minimum-level info, so that every channel is there.
    #[arg(value_name = "FINDINGS")]
    pub(crate) findings: PathBuf,
    /// Level from which a channel counts as found.
    #[arg(long, value_name = "LEVEL", default_value = "medium")]
    pub(crate) minimum_level: MinimumLevel,
    /// Hosts times days of the recording; by default what recording.json beside the truth says.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) host_days: Option<f64>,
    /// How to print it.
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub(crate) output: EvaluationOutput,
}

/// The fleets that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FleetKind {
    Small,
    Realistic,
}

/// How an evaluation is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EvaluationOutput {
    /// Text to read.
    Text,
    /// A page of Markdown.
    Markdown,
    /// One JSON object, schema monologue.evaluation/1.
    Json,
    /// A picture of what scores said beside what was true.
    Svg,
}

/// Understands the name of a disturbance, or several joined by `+`.
fn disturbance(text: &str) -> Result<Disturbance, String> {
    Disturbance::named(text)
        .ok_or_else(|| format!("expected names joined by +, each one of: {}", Disturbance::names().join(", ")))
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Print a Markdown table.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
pub(crate) struct OutputsArguments {
    /// Print the manual page of this output.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print Markdown: a table, then the manual pages.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SignalsArguments {
    /// Print the manual page of this signal.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print a Markdown table.
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// The levels, as values of an option.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MinimumLevel {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<MinimumLevel> for Level {
    fn from(level: MinimumLevel) -> Self {
        match level {
            MinimumLevel::Info => Self::Info,
            MinimumLevel::Low => Self::Low,
            MinimumLevel::Medium => Self::Medium,
            MinimumLevel::High => Self::High,
            MinimumLevel::Critical => Self::Critical,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct GenerateArguments {
    #[command(subcommand)]
    pub(crate) command: GenerateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GenerateCommand {
    /// Write a manual page for the program and for each command into a folder.
    Man {
        /// The folder; it is made if it is not there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}
