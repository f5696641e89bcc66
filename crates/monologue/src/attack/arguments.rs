//! The command line of `monologue attack`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue attack import enterprise-attack.json      a STIX bundle of MITRE ATT&CK, once for each release\n  \
monologue attack show AN1601\n  \
monologue attack search one-way web service --type technique\n  \
monologue attack diff 18.1 19.1 DC0085\n\n\
Nothing is fetched. Bundles are published by MITRE in its repositories cti (STIX 2.0) and attack-stix-data (STIX 2.1).")]
pub(crate) struct AttackArguments {
    /// Folder of the library. If not given, the platform's folder for data.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) library: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: AttackCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AttackCommand {
    /// Take STIX bundles, or folders of them, into the library.
    Import(ImportArguments),
    /// List what was imported.
    Snapshots(FormArguments),
    /// Show all that is said of an object.
    Show(ShowArguments),
    /// Print the exact object, byte for byte.
    Raw(RawArguments),
    /// List objects.
    List(ListArguments),
    /// Search ids, names and texts.
    Search(SearchArguments),
    /// Show an object across all snapshots.
    History(HistoryArguments),
    /// Compare two releases, or one object in them.
    Diff(DiffArguments),
    /// Show what an object is related to.
    Graph(GraphArguments),
    /// What an object asks for, and what this site's own numbers allow to be said of it.
    Brief(BriefArguments),
    /// What analytics ask for beside what is seen and can be tuned here: covered, partly, not.
    Crosswalk(CrosswalkArguments),
    /// Write the library as pages that work from a folder without a network.
    Site(SiteArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// Bundles (JSON, gzip), or folders with one file for each object. Each becomes a snapshot.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Release of inputs that do not say it themselves, such as 18.1.
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    pub(crate) release: Option<String>,
    /// The input is all of its release: what is not in it was deleted.
    #[arg(long)]
    pub(crate) whole: bool,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

fn release(text: &str) -> Result<String, String> {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    if fits { Ok(text.to_owned()) } else { Err("expected a release such as 18.1".to_owned()) }
}

/// How results are written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormArguments {
    /// How to write it.
    #[arg(long = "output", value_name = "NAME", default_value = "text")]
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Which snapshots are asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct AskArguments {
    /// Ask this release, such as 18.1, or this snapshot, such as '#2', in place of the latest.
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
    /// Only this domain: enterprise, mobile or ics.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArguments {
    /// ATT&CK id such as AN1601, or STIX id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    /// Show revoked and deprecated relationships too, and what relationships say in words.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

#[derive(Args, Debug)]
pub(crate) struct RawArguments {
    /// ATT&CK id such as AN1601, or STIX id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
}

/// What is listed, and how much of it.
#[derive(Args, Clone, Debug)]
pub(crate) struct FilterArguments {
    /// Only this type: technique, tactic, strategy, analytic, component, mitigation, group, software, campaign … May be
    /// repeated.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kinds: Vec<String>,
    /// Only this platform, such as macOS.
    #[arg(long, value_name = "NAME")]
    pub(crate) platform: Option<String>,
    /// Only this tactic, such as command-and-control.
    #[arg(long, value_name = "NAME")]
    pub(crate) tactic: Option<String>,
    /// Whether revoked and deprecated objects are listed.
    #[arg(long, value_name = "WHICH", default_value = "without")]
    pub(crate) retired: RetiredChoice,
    /// How many to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    /// How many to pass over.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RetiredChoice {
    Without,
    With,
    Only,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    /// Words that must all occur: in ids, names or texts.
    #[arg(value_name = "WORDS", required = true)]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

#[derive(Args, Debug)]
pub(crate) struct HistoryArguments {
    /// ATT&CK id such as AN1601, or STIX id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArguments {
    /// The older release, such as 18.1, or snapshot, such as '#1'.
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The newer one.
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    /// Compare this object field by field.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Only this domain: enterprise, mobile or ics.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// Only objects of this type. May be repeated.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kinds: Vec<String>,
    /// How to write it.
    #[arg(long = "output", value_name = "NAME", default_value = "text")]
    pub(crate) form: DocumentForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentForm {
    Text,
    Markdown,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct GraphArguments {
    /// ATT&CK id such as AN1601, or STIX id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Steps from the object.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) depth: u8,
    /// Most objects shown.
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    pub(crate) limit: usize,
    /// Show revoked and deprecated ones too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    /// How to write it.
    #[arg(long = "output", value_name = "NAME", default_value = "text")]
    pub(crate) form: GraphForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphForm {
    Text,
    Dot,
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
monologue coverage telemetry/ --output json=coverage.json\n  \
monologue hunt telemetry/ --minimum-level info --output json=findings.ndjson\n  \
monologue attack brief AN1601 --coverage coverage.json --findings findings.ndjson --output html > brief.html")]
pub(crate) struct BriefArguments {
    /// ATT&CK id such as AN1601, or STIX id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What `monologue coverage --output json` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) coverage: Option<PathBuf>,
    /// What `monologue hunt --output json` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) findings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    /// How to write it.
    #[arg(long = "output", value_name = "NAME", default_value = "text")]
    pub(crate) form: BriefForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BriefForm {
    Text,
    Markdown,
    Json,
    Html,
}

#[derive(Args, Debug)]
pub(crate) struct CrosswalkArguments {
    /// Analytics. If none is named: AN1601, its siblings, and the related macOS analytics.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    /// How to write it.
    #[arg(long = "output", value_name = "NAME", default_value = "text")]
    pub(crate) form: DocumentForm,
}

#[derive(Args, Debug)]
pub(crate) struct SiteArguments {
    /// Folder to write to: new, empty, or with an earlier site.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) ask: AskArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}
