//! DNS over UDP: questions and their answers, paired by identifier within one flow.

use super::conversation::{Place, Side};
use crate::dns_message::DnsMessage;

/// Questions of one flow that wait for their answer; the oldest is given up first.
const WAITING_CAP: usize = 64;

/// A question with its answer, or without.
#[derive(Debug)]
pub(super) struct Lookup {
    /// Where it was asked; of an answer whose question was not seen, where the answer stands.
    pub(super) place: Place,
    pub(super) asked: DnsMessage,
    /// `None`: no answer was seen.
    pub(super) answer: Option<DnsMessage>,
}

/// The questions of one flow.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    waiting: Vec<Lookup>,
    /// Those that are over.
    pub(super) done: Vec<Lookup>,
    /// Any message was understood.
    pub(super) any: bool,
}

impl Lookups {
    /// Takes in a datagram of one side.
    pub(super) fn add(&mut self, side: Side, payload: &[u8], place: &dyn Fn() -> Place) {
        let Some(message) = DnsMessage::parse(payload) else { return };
        self.any = true;
        if message.is_response != (side == Side::Responder) {
            return;
        }
        let same = |lookup: &Lookup| {
            lookup.asked.id == message.id
                && (lookup.asked.name == message.name || message.name.is_none())
                && (lookup.asked.query_type == message.query_type || message.query_type.is_none())
        };
        let known = self.waiting.iter().position(same);
        match (message.is_response, known) {
            // Asked again: one question.
            (false, Some(_)) => {}
            (false, None) => {
                if self.waiting.len() >= WAITING_CAP {
                    self.done.push(self.waiting.remove(0));
                }
                self.waiting.push(Lookup { place: place(), asked: message, answer: None });
            }
            (true, Some(at)) => {
                let lookup = self.waiting.remove(at);
                self.done.push(Lookup { answer: Some(message), ..lookup });
            }
            (true, None) => {
                self.done.push(Lookup { place: place(), asked: message.clone(), answer: Some(message) });
            }
        }
    }

    /// The flow is over: what waits stays without an answer.
    pub(super) fn end(&mut self) {
        self.done.append(&mut self.waiting);
    }
}
