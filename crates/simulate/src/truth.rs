//! What really happened: what the findings are held against.

use serde::{Deserialize, Serialize};

/// Every disposition that says something.
pub const DEFINITE: [&str; 4] = ["no-reply", "reply-unhandled", "pull-only", "two-way"];

/// The truth about one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Name of the behaviour.
    pub scenario: String,
    /// The host.
    pub host: String,
    /// Path of the program that asked, the home folder as `~`.
    pub application: String,
    /// Its signing identifier. `None` means nobody recorded it, because it has none.
    pub signing_id: Option<String>,
    /// Its team. `None` means nobody recorded it, because it has none.
    pub team_id: Option<String>,
    /// For which script a general program asked. `None` means nobody recorded it, because it asked for itself.
    pub agent: Option<String>,
    /// Full host name asked for, or address.
    pub destination: String,
    /// Registrable domain, or address.
    pub service: String,
    /// Whether it is an attack.
    pub malicious: bool,
    /// What the sensors that were there allow to be said: `no-reply`, `reply-unhandled`, `pull-only`, `two-way`, `unknown`, or
    /// `any` where nothing is asserted.
    pub disposition: String,
    /// What really happened to the responses, whichever sensor saw it: `no-reply`, `reply-unhandled`, `pull-only`, `two-way`, or
    /// `any` where nothing is asserted.
    #[serde(default = "any")]
    pub happened: String,
    /// Definite dispositions that would be false of this channel.
    #[serde(default)]
    pub false_claims: Vec<String>,
    /// What of it any sensor shows: `program`, where a record says which program asked; `connection`, where only a network sensor
    /// recorded it, and any program of the Mac may have asked; `nothing`. Empty where nothing is asserted.
    #[serde(default)]
    pub shown: String,
    /// Other names under which sensors know the host: the address behind which they see it.
    #[serde(default)]
    pub seen_as: Vec<String>,
    /// Address of the destination. `None` means nobody recorded it.
    #[serde(default)]
    pub address: Option<String>,
    /// What stands for the name, or for the address where there is no name, where the unified log masks it (of the last process). `None` means nobody recorded it.
    #[serde(default)]
    pub masked: Option<String>,
    /// The scenario this one repeats with too few sensors. `None` means nobody recorded it, because there is none.
    pub blind_twin_of: Option<String>,
    /// What is missing to tell more. `None` means nobody recorded it, because nothing is.
    pub missing: Option<String>,
    /// Requests made, whichever sensor saw them.
    pub exchanges: u64,
}

fn any() -> String {
    "any".to_owned()
}

/// The definite dispositions that would be false where this happened.
pub(crate) fn contradicted(happened: &str) -> Vec<String> {
    DEFINITE
        .iter()
        .filter(|claim| DEFINITE.contains(&happened) && **claim != happened)
        .map(|claim| (*claim).to_owned())
        .collect()
}
