//! What becomes of a request, in words.

use crate::{answers::Answer, chance::Chance};

/// A number as a story writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Taken in turn.
    Listed(Vec<u64>),
    /// By chance, both ends included.
    Between(u64, u64),
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((from, until)) = text.split_once("..") {
            return Some(Self::Between(from.parse().ok()?, until.parse().ok()?));
        }
        text.split('|').map(|part| part.parse().ok()).collect::<Option<_>>().map(Self::Listed)
    }

    pub(super) fn of(&self, round: usize, chance: &mut Chance) -> u64 {
        match self {
            Self::Listed(list) => list.get(round % list.len().max(1)).copied().unwrap_or(0),
            Self::Between(from, until) => chance.whole(*from, *until),
        }
    }
}

/// How a request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A status and a body, and how the program takes them.
    Reply(Number, Number, Taken),
    /// Nothing that varies.
    Fixed(Answer),
}

/// How a program takes a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Whole,
    CancelledAtHeaders,
    BrokenOff,
    Dies,
    ModernLoader,
}

impl Outcome {
    /// The words after the colon of a request.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fixed = match text {
            "silence" => Some(Answer::Silence),
            "unreachable" => Some(Answer::Unreachable),
            "refused" => Some(Answer::Refused),
            "handshake failed" => Some(Answer::HandshakeFailed),
            "cancelled on send" => Some(Answer::CancelledOnSend),
            "cancelled before send" => Some(Answer::CancelledBeforeSend),
            "dies waiting" => Some(Answer::DiedWaiting),
            _ => None,
        };
        if let Some(answer) = fixed {
            return Some(Self::Fixed(answer));
        }
        if let Some(status) = text.strip_prefix("cached ") {
            return Some(Self::Fixed(Answer::Cached(status.parse().ok()?)));
        }
        if let Some(code) = text.strip_prefix("never sent ") {
            return Some(Self::Fixed(Answer::NeverSent(code.parse().ok()?)));
        }
        if let Some(rest) = text.strip_prefix("upgraded, ") {
            let (sent, received) = rest.split_once(" and ")?;
            return Some(Self::Fixed(Answer::Upgraded(sent.parse().ok()?, received.parse().ok()?)));
        }
        let (reply, taken) = match text.split_once(", ") {
            Some((reply, "cancelled at headers")) => (reply, Taken::CancelledAtHeaders),
            Some((reply, "broken off")) => (reply, Taken::BrokenOff),
            Some((reply, "dies")) => (reply, Taken::Dies),
            Some(_) => return None,
            None => match text.strip_suffix(" by the modern loader") {
                Some(reply) => (reply, Taken::ModernLoader),
                None => (text, Taken::Whole),
            },
        };
        let (status, body) = reply.split_once(" with ").unwrap_or((reply, "0"));
        Some(Self::Reply(Number::parse(status)?, Number::parse(body)?, taken))
    }

    /// What happens in that round.
    pub(super) fn of(&self, round: usize, chance: &mut Chance) -> Answer {
        let (status, body, taken) = match self {
            Self::Fixed(answer) => return *answer,
            Self::Reply(status, body, taken) => (status, body, taken),
        };
        let (status, body) = (status.of(round, chance) as u16, body.of(round, chance));
        match taken {
            Taken::Whole => Answer::Delivered(status, body),
            Taken::CancelledAtHeaders => Answer::CancelledAtHeaders(status, body),
            Taken::BrokenOff => Answer::Broken(status, body),
            Taken::Dies => Answer::DiedAtHeaders(status, body),
            Taken::ModernLoader => Answer::ModernLoader(status, body),
        }
    }
}
