//! What each of the four layers says of a channel's responses, in a sentence, and where two of them contradict each other.
//!
//! Nothing here decides: the disposition does. This is for the reader, who must see a contradiction and not an average.

use crate::{absence::Subject, judge::Context, settings};
use monologue_model::{
    CodeVerdict, Confidence, Disposition, FailedCheck, Handling, Layer, LayerSays, LayerView, LinkStrength, Reply,
    Sight, Teardown,
};

/// The four layers that response handling is argued from, in the order of a finding.
#[must_use]
pub(crate) fn views(subject: &Subject<'_>, context: &Context<'_>) -> Vec<LayerView> {
    vec![code(context), api(subject), wire(subject), effect(subject)]
}

fn view(layer: Layer, says: LayerSays, sentence: impl Into<String>) -> LayerView {
    LayerView { layer: layer.name(), says, sentence: sentence.into() }
}

fn code(context: &Context<'_>) -> LayerView {
    let (says, sentence) = match context.code {
        None => (LayerSays::Blind, "nobody inspected the program's code"),
        Some(CodeVerdict::HandlerPresent) => (LayerSays::Used, "the code has a path that handles responses"),
        Some(CodeVerdict::FireAndForgetOnly) => (LayerSays::Left, "the code has no path that looks at a response"),
        Some(CodeVerdict::Unproved) => (LayerSays::Silent, "the code was inspected, and neither could be proved"),
        Some(CodeVerdict::Opaque) => (LayerSays::Silent, "the code cannot be read by inspection"),
    };
    view(Layer::Code, says, sentence)
}

fn api(subject: &Subject<'_>) -> LayerView {
    let counters = &subject.channel.counters;
    let handling = &counters.handling;
    let settled: u64 = counters.exchanges - handling.of(Handling::Unknown).min(counters.exchanges);
    let mut parts: Vec<String> = Handling::ALL
        .into_iter()
        .filter(|state| *state != Handling::Unknown && handling.of(*state) > 0)
        .map(|state| format!("{} {}", handling.of(state), state.words()))
        .collect();
    for check in FailedCheck::ALL {
        let count = counters.failed_checks.of(check);
        if count > 0 {
            parts.push(format!("{count} without a response, of which nothing may be said: the log {}", check.words()));
        }
    }
    if parts.is_empty() {
        return view(Layer::Api, LayerSays::Blind, "the life of the requests was not logged");
    }
    let mut sentence = format!("of {} requests: {}", counters.exchanges, parts.join(", "));
    let headers = (settings::HEADERS_SLACK_BYTES, settings::HEADERS_GREATEST_BYTES);
    match subject.channel.beyond_headers(headers.0, headers.1).filter(|_| handling.of(Handling::Delivered) > 0) {
        Some((least, 0)) => sentence.push_str(&format!(
            "; none was clearly larger than the least ({least} bytes), which headers alone may be: as good as empty"
        )),
        Some((least, beyond)) => sentence.push_str(&format!(
            "; {beyond} clearly larger than the least ({least} bytes, perhaps headers alone): with a body"
        )),
        None => {}
    }
    let says = if handling.of(Handling::Collected) > 0 {
        LayerSays::Used
    } else if settled == 0 {
        LayerSays::Blind
    } else if handling.abandoned() == settled {
        LayerSays::Left
    } else if handling.of(Handling::NoResponse) == settled {
        LayerSays::NothingCame
    } else if handling.of(Handling::NeverSent) == settled {
        LayerSays::Silent
    } else {
        LayerSays::Came
    };
    view(Layer::Api, says, sentence)
}

fn wire(subject: &Subject<'_>) -> LayerView {
    let counters = &subject.channel.counters;
    let count = |reply| counters.reply.of(reply);
    let words = [
        (count(Reply::Silent), "silent"),
        (count(Reply::HandshakeOnly), "no further than the TLS handshake"),
        (count(Reply::Bytes), "answered with bytes that may be of the handshake or of another request"),
        (count(Reply::Empty), "answered without a body"),
        (count(Reply::Payload), "answered in full"),
        (count(Reply::Unknown), "not seen"),
        (counters.reply_pending, "still open at the end of coverage"),
    ];
    let mut parts: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    let by_client = counters.teardown.of(Teardown::ClientClosed) + counters.teardown.of(Teardown::ClientReset);
    if by_client > 0 {
        parts.push(format!("{by_client} ended by the client first"));
    }
    let aborted = counters.teardown.of(Teardown::ClientAborted);
    if aborted > 0 {
        parts.push(format!("{aborted} left by the client before the reply was complete, as a gateway says"));
    }
    let by_server = counters.teardown.of(Teardown::ServerClosed) + counters.teardown.of(Teardown::ServerReset);
    if by_server > 0 {
        parts.push(format!("{by_server} ended by the server first"));
    }
    let mut sentence = format!("of {} requests: {}", counters.exchanges, parts.join(", "));
    match subject.channel.beyond_handshake(settings::HANDSHAKE_SLACK_BYTES) {
        Some((least, 0)) => sentence.push_str(&format!(
            "; over TLS none brought clearly more than the least of its kind ({least} bytes), which a handshake alone may be"
        )),
        Some((least, beyond)) => sentence.push_str(&format!(
            "; over TLS {beyond} brought clearly more than the least of its kind ({least} bytes): more than a handshake"
        )),
        None => {}
    }
    let says = if counters.reply.answered() > 0 {
        LayerSays::Came
    } else if count(Reply::Silent) > 0 {
        LayerSays::NothingCame
    } else if count(Reply::HandshakeOnly) > 0 {
        LayerSays::Silent
    } else {
        LayerSays::Blind
    };
    view(Layer::Wire, says, sentence)
}

fn effect(subject: &Subject<'_>) -> LayerView {
    let counters = &subject.channel.counters;
    if counters.effects_witnessed > 0 {
        let sentence = format!(
            "something was done after replies: {} deeds beyond what the program does anyway",
            counters.effects_witnessed
        );
        return view(Layer::Effect, LayerSays::Used, sentence);
    }
    if counters.effects.seen == 0 {
        return view(Layer::Effect, LayerSays::Blind, "the time after replies was not watched");
    }
    let mut sentence = format!("nothing followed {} replies whose whole time after was watched", counters.effects.seen);
    if counters.output_discarded.yes > 0 {
        sentence.push_str(&format!("; output was thrown away {} times", counters.output_discarded.yes));
    }
    if counters.process_gone.yes > 0 {
        sentence.push_str(&format!("; the process was gone at once {} times", counters.process_gone.yes));
    }
    let watched = subject.every(Sight::FileEffect).is_ok();
    view(Layer::Effect, if watched { LayerSays::Left } else { LayerSays::Silent }, sentence)
}

/// Where two layers cannot both be the whole truth.
#[must_use]
pub(crate) fn contradictions(views: &[LayerView]) -> Vec<String> {
    let says = |layer: Layer| views.iter().find(|view| view.layer == layer.name()).map(|view| view.says);
    let (code, api, wire, effect) = (says(Layer::Code), says(Layer::Api), says(Layer::Wire), says(Layer::Effect));
    let mut found = Vec::new();
    let mut note = |holds: bool, sentence: &str| {
        if holds {
            found.push(sentence.to_owned());
        }
    };
    note(
        api == Some(LayerSays::NothingCame) && wire == Some(LayerSays::Came),
        "the log shows no response, and the wire shows one: it may have come after the client's timeout, or been stopped on the Mac",
    );
    note(
        api == Some(LayerSays::Left) && effect == Some(LayerSays::Used),
        "the client gave the responses up, and something was done after them: what came before the body (status, headers) may be the order",
    );
    note(
        wire == Some(LayerSays::NothingCame) && effect == Some(LayerSays::Used),
        "nothing came back, and something was done all the same: it was not done on account of a reply",
    );
    note(
        code == Some(LayerSays::Used) && matches!(api, Some(LayerSays::Left)),
        "the code can handle responses, and the client gave these up",
    );
    note(
        code == Some(LayerSays::Left) && effect == Some(LayerSays::Used),
        "the inspected code looks at no response, and something was done after replies: other code does it, or a child",
    );
    found
}

/// How sure the disposition is: by how many layers say it, how the records were joined, and whether any layer contradicts.
/// `None` for `unknown`.
#[must_use]
pub(crate) fn confidence(
    subject: &Subject<'_>,
    disposition: Disposition,
    views: &[LayerView],
    contradictions: &[String],
) -> Option<Confidence> {
    let agrees = |says: LayerSays| match disposition {
        Disposition::NoReply => says == LayerSays::NothingCame,
        Disposition::ReplyUnhandled => says == LayerSays::Left,
        Disposition::PullOnly | Disposition::TwoWay => says == LayerSays::Used,
        Disposition::Unknown => false,
    };
    if !disposition.is_definite() {
        return None;
    }
    let agreeing = views.iter().filter(|view| agrees(view.says)).count();
    // A reply that came is what "unhandled" and "acted on" presuppose: the wire or the API that shows it supports them.
    let came = disposition != Disposition::NoReply && views.iter().any(|view| view.says == LayerSays::Came);
    let weak_link = subject.channel.attributes.links.iter().any(|(link, _)| *link >= LinkStrength::ArgumentsAndTime);
    Some(if !contradictions.is_empty() {
        Confidence::Low
    } else if agreeing + usize::from(came) >= 2 && !weak_link {
        Confidence::High
    } else {
        Confidence::Medium
    })
}
