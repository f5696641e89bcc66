//! What really happened: what the findings are held against.

use serde::Serialize;

/// The truth about one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// `no-reply`, `reply-unhandled`, `pull-only`, `two-way`, `unknown`, or `any` where nothing is asserted.
    pub disposition: String,
    /// The scenario this one repeats with too few sensors. `None` means nobody recorded it, because there is none.
    pub blind_twin_of: Option<String>,
    /// What is missing to tell more. `None` means nobody recorded it, because nothing is.
    pub missing: Option<String>,
    /// Requests made, whichever sensor saw them.
    pub exchanges: u64,
}
