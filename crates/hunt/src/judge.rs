//! The engine: asks each signal of each channel, and answers for those that could not look.

use crate::{
    absence::Subject,
    cadence::Cadence,
    dependence::Dependence,
    novelty::Novelty,
    settings::Settings,
    signals::{Opinion, SIGNALS, Signal},
};
use monologue_model::{CodeVerdict, Judgement, Prevalence, Sight};
use std::net::IpAddr;

/// What is known besides the channel itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What a team may change.
    pub settings: &'a Settings,
    /// How many hosts do the same.
    pub prevalence: Prevalence,
    /// Hosts on which the application was seen at all, whatever it talked to.
    pub application_hosts: u64,
    /// Hosts that ask the service, whoever asks there.
    pub service_hosts: u64,
    /// Hosts of which it is known for at least one channel which service it leads to.
    pub telling_hosts: u64,
    /// Whether the service was new when the host first asked it. `None` means that nothing is known of the time before.
    pub novelty: Option<Novelty>,
    /// The address without a name to which the application goes on after asking, and how often. `None` means none is known.
    pub leads_to: Option<(IpAddr, u64)>,
    /// The cadence test. `None` means too few check-ins.
    pub cadence: Option<Cadence>,
    /// Largest p-value that still counts, by false-discovery control over the hunt. `None` means none does.
    pub cadence_threshold: Option<f64>,
    /// Whether what the server says changes what the client does. `None` means too few replies, or all alike.
    pub dependence: Option<Dependence>,
    /// Whether the client asks more and more rarely. `None` means too few requests to say.
    pub backs_off: Option<bool>,
    /// What the program's code can do with a response. `None` means nobody inspected it.
    pub code: Option<CodeVerdict>,
    /// What the channel is, if it is a documented thing.
    pub documented: Option<&'static str>,
}

impl Default for Context<'static> {
    fn default() -> Self {
        Self {
            settings: Settings::shipped(),
            prevalence: Prevalence::default(),
            application_hosts: 0,
            service_hosts: 0,
            telling_hosts: 0,
            novelty: None,
            leads_to: None,
            cadence: None,
            cadence_threshold: None,
            dependence: None,
            backs_off: None,
            code: None,
            documented: None,
        }
    }
}

impl Context<'_> {
    /// Whether the cadence passed its test and false-discovery control.
    #[must_use]
    pub fn passes_cadence(&self) -> bool {
        match (&self.cadence, self.cadence_threshold) {
            (Some(cadence), Some(threshold)) => {
                let (least, greatest) = self.settings.connection_interval_seconds;
                let period = cadence.period_ns as f64 / 1e9;
                cadence.p_value <= threshold && least <= period && period <= greatest
            }
            _ => false,
        }
    }
}

/// What one signal said, or why it could not be asked.
pub struct Answer {
    /// The signal.
    pub signal: &'static dyn Signal,
    /// What it said.
    pub judgement: Judgement,
}

/// Asks every signal.
#[must_use]
pub fn judge(subject: &Subject<'_>, context: &Context<'_>) -> Vec<Answer> {
    SIGNALS.iter().map(|signal| Answer { signal: *signal, judgement: ask(*signal, subject, context) }).collect()
}

fn ask(signal: &dyn Signal, subject: &Subject<'_>, context: &Context<'_>) -> Judgement {
    // A profile is of a program, not of an exchange: it was seen if there is one.
    let profiled = context.code.is_some() && signal.needs().sights() == [Sight::CodeProfile];
    if let (false, Err(blind)) = (profiled, subject.sees(signal.needs())) {
        return Judgement::Blind { seen: blind.seen, of: blind.of, sight: blind.sight };
    }
    let hosts_needed = context.settings.rarity_hosts;
    if signal.compares_hosts() && context.prevalence.of < hosts_needed {
        return Judgement::Blind { seen: context.prevalence.of, of: hosts_needed, sight: Sight::ProcessExec };
    }
    if signal.compares_services() && context.telling_hosts < hosts_needed {
        return Judgement::Blind { seen: context.telling_hosts, of: hosts_needed, sight: Sight::FlowReply };
    }
    let hours_needed = context.settings.known_hours;
    let known = context.novelty.map_or((0, Sight::FlowReply), |novelty| (novelty.watched_hours, novelty.sight));
    if signal.compares_past() && known.0 < hours_needed {
        return Judgement::Blind { seen: known.0, of: hours_needed, sight: known.1 };
    }
    let weight = |case| context.settings.weights.of(signal.id(), case);
    match signal.judge(subject, context) {
        Opinion::Supports { case, why } => Judgement::Supports { weight: weight(case), why },
        Opinion::Refutes { case, why } => Judgement::Refutes { weight: weight(case), why },
        Opinion::Silent => Judgement::Silent,
    }
}
