//! Dispositions: what happened to the responses of a channel, and what it leans to where the evidence does not suffice.

use crate::{absence::Subject, settings};
use monologue_model::{Channel, Disposition, Handling, Reading, Reply, Sight};
use std::collections::BTreeSet;

/// The disposition that the evidence suffices for (design 1.3); `Unknown` where it does not.
#[must_use]
pub fn decide(subject: &Subject<'_>) -> Disposition {
    let counters = &subject.channel.counters;
    if is_two_way(subject) {
        return Disposition::TwoWay;
    }
    if is_no_reply(subject) {
        return Disposition::NoReply;
    }
    if counters.effects_witnessed > 0 {
        return if carries_nothing_back(subject) { Disposition::PullOnly } else { Disposition::Unknown };
    }
    if is_unhandled(subject) { Disposition::ReplyUnhandled } else { Disposition::Unknown }
}

/// An effect of a reply was witnessed, and a later request carried more than any before: that none before did is known of
/// all requests that may belong to the channel.
fn is_two_way(subject: &Subject<'_>) -> bool {
    let counters = &subject.channel.counters;
    let whole = subject.possible.exchanges + subject.missing == counters.exchanges;
    whole && counters.effects_witnessed > 0 && grows(subject.channel)
}

fn grows(channel: &Channel) -> bool {
    channel.grown_after_effect(settings::REQUEST_SLACK_BYTES).is_some_and(|grown| grown > 0)
}

/// Absence: every exchange that may belong to the channel was seen and silent, and there are enough of them; or the API
/// shows for each, with its four checks, that it was sent and no response came.
fn is_no_reply(subject: &Subject<'_>) -> bool {
    let possible = subject.possible;
    let due = subject.due(Sight::FlowReply);
    let silent = possible.reply.of(Reply::Silent);
    let all_silent = due > 0 && silent == due;
    let enough = subject.channel.counters.reply.of(Reply::Silent) >= settings::NO_REPLY_MINIMUM;
    let shown_by_api = possible.handling.of(Handling::NoResponse) == due;
    all_silent && (enough || shown_by_api)
}

/// Absence: every exchange was given up at the API and none collected; or a reply came to each, the whole time after each
/// was seen and empty, and its output was thrown away, or the process was gone at once, or many identical replies changed
/// nothing.
fn is_unhandled(subject: &Subject<'_>) -> bool {
    let possible = subject.possible;
    let due = possible.reply_due() + subject.missing;
    if due == 0 {
        return false;
    }
    let abandoned =
        possible.handling.abandoned() == possible.exchanges + subject.missing && possible.reply_pending == 0;
    if abandoned {
        return true;
    }
    // Bytes that may all be of a TLS handshake prove no reply: then it is not known that one was left.
    let certain = possible.reply.of(Reply::Empty) + possible.reply.of(Reply::Payload);
    let answered = certain == due && possible.handling.of(Handling::Collected) == 0;
    let watched = possible.effect_due() + subject.missing;
    let nothing_after = watched > 0 && possible.effects.seen == watched && possible.effects.yes == 0;
    if !answered || !nothing_after {
        return false;
    }
    let all = |tally: monologue_model::Tally| tally.yes >= watched;
    let identical = possible.answer.is_constant()
        && possible.answer.seen == due
        && subject.channel.counters.answer.seen >= settings::IDENTICAL_REPLIES_MINIMUM;
    all(possible.output_discarded) || all(possible.process_gone) || identical
}

/// Absence: the size of every request that may belong to the channel was seen, and they do not differ by more than a
/// counter or a ticket would.
fn carries_nothing_back(subject: &Subject<'_>) -> bool {
    let sizes = subject.possible.request_bytes;
    let all_seen = sizes.seen == subject.possible.exchanges + subject.missing;
    match (sizes.least, sizes.greatest) {
        (Some(least), Some(greatest)) => all_seen && greatest - least <= u64::from(settings::REQUEST_SLACK_BYTES),
        _ => false,
    }
}

/// What the disposition would be if the unseen exchanges were like the seen ones. Not a claim.
#[must_use]
pub fn lean(subject: &Subject<'_>) -> Option<Disposition> {
    let counters = &subject.channel.counters;
    let silent = counters.reply.of(Reply::Silent);
    let answered = counters.reply.answered();
    if counters.effects_witnessed > 0 {
        return Some(if grows(subject.channel) { Disposition::TwoWay } else { Disposition::PullOnly });
    }
    if silent > 0 && answered == 0 && counters.reply.of(Reply::HandshakeOnly) == 0 {
        return Some(Disposition::NoReply);
    }
    let abandoned = counters.handling.abandoned();
    let taken: u64 =
        [Handling::Delivered, Handling::DeliveredEmpty, Handling::Collected, Handling::NotFollowed, Handling::Upgraded]
            .into_iter()
            .map(|handling| counters.handling.of(handling))
            .sum();
    if abandoned > 0 && taken == 0 {
        return Some(Disposition::ReplyUnhandled);
    }
    let identical = counters.answer.is_constant() && counters.answer.seen >= settings::IDENTICAL_REPLIES_MINIMUM;
    let identical = identical || kinds_always_answered_alike(subject.channel).is_some();
    let empty_after = counters.effects.seen > 0 && counters.effects.yes == 0;
    (silent == 0 && answered > 0 && (identical || empty_after)).then_some(Disposition::ReplyUnhandled)
}

/// How many things are asked for in turn, if there are several and to each the answer is always the same, at least eight
/// times. `None`: that is not so, or not known.
#[must_use]
pub(crate) fn kinds_always_answered_alike(channel: &Channel) -> Option<u64> {
    let answers = &channel.attributes.answers;
    let kinds: BTreeSet<&str> = answers.iter().filter_map(|(answer, _)| answer.split('/').next()).collect();
    let often = answers.iter().all(|(_, count)| count >= settings::IDENTICAL_REPLIES_MINIMUM);
    let known = !kinds.contains("00000000") && kinds.len() == answers.len() && answers.len() > 1;
    (known && often && !answers.overflow).then_some(kinds.len() as u64)
}

/// Which meanings of "one-way" a disposition matches (attack knowledge 1.5: AN1601, its siblings and the technique differ).
#[must_use]
pub fn readings(disposition: Disposition) -> Vec<Reading> {
    match disposition {
        Disposition::NoReply => vec![Reading::NoReturn],
        Disposition::ReplyUnhandled => vec![Reading::An1601Strict],
        Disposition::PullOnly => vec![Reading::PullOnly],
        Disposition::TwoWay => vec![Reading::TwoWay],
        Disposition::Unknown => Vec::new(),
    }
}
