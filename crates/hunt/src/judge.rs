//! The engine: asks each signal of each channel, and answers for those that could not look.

use crate::{
    absence::Subject,
    cadence::Cadence,
    dependence::Dependence,
    signals::{SIGNALS, Signal},
};
use monologue_model::{CodeVerdict, Judgement, Prevalence, Sight};

/// What is known besides the channel itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// How many hosts do the same.
    pub prevalence: Prevalence,
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

impl Context {
    /// Whether the cadence passed its test and false-discovery control.
    #[must_use]
    pub fn passes_cadence(&self) -> bool {
        match (&self.cadence, self.cadence_threshold) {
            (Some(cadence), Some(threshold)) => cadence.p_value <= threshold,
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
pub fn judge(subject: &Subject<'_>, context: &Context) -> Vec<Answer> {
    SIGNALS.iter().map(|signal| Answer { signal: *signal, judgement: ask(*signal, subject, context) }).collect()
}

fn ask(signal: &dyn Signal, subject: &Subject<'_>, context: &Context) -> Judgement {
    // A profile is of a program, not of an exchange: it was seen if there is one.
    let profiled = context.code.is_some() && signal.needs().sights() == [Sight::CodeProfile];
    if let (false, Err(blind)) = (profiled, subject.sees(signal.needs())) {
        return Judgement::Blind { seen: blind.seen, of: blind.of, sight: blind.sight };
    }
    if context.prevalence.of < signal.hosts_needed() {
        let (seen, of) = (context.prevalence.of, signal.hosts_needed());
        return Judgement::Blind { seen, of, sight: Sight::ProcessExec };
    }
    signal.judge(subject, context)
}
