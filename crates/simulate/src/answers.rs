//! What becomes of a request, and what that looks like from each side.

use crate::{
    Moment,
    clock::{MILLISECOND, SECOND},
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Status and body in bytes, given to the program in whole.
    Delivered(u16, u64),
    /// Status and body in bytes; the program cancels when it has the headers.
    CancelledAtHeaders(u16, u64),
    /// The program cancels a moment after the request is out.
    CancelledOnSend,
    /// The program cancels while the request is on its way; the log has the two in the wrong order.
    CancelledBeforeSend,
    /// Status and the part of the body that came before the connection broke.
    Broken(u16, u64),
    /// The program ends a moment after the request is out.
    DiedWaiting,
    /// Status and body in bytes; the program ends when it has the headers.
    DiedAtHeaders(u16, u64),
    /// Another protocol follows on the connection: bytes sent and received by it.
    Upgraded(u64, u64),
    /// The server takes the request and says nothing for a minute.
    Silence,
    /// Nobody takes the connection within fifteen seconds.
    Unreachable,
    /// The server turns the connection away.
    Refused,
    /// The client does not accept the server's certificate.
    HandshakeFailed,
    /// Status, from the cache and not from the network.
    Cached(u16),
    /// Nothing is sent, for a reason of the Mac's own: an error of `NSURLErrorDomain`.
    NeverSent(i64),
    /// As delivered, by the loader of Network.framework, which logs little.
    ModernLoader(u16, u64),
}

/// Which line sums the task up, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    Success,
    Failure,
    /// Without a connection.
    Short,
    Missing,
}

impl Answer {
    /// Whether a connection is tried at all.
    pub(crate) const fn connects(self) -> bool {
        !matches!(self, Self::Cached(_) | Self::NeverSent(_))
    }

    /// Whether a connection comes about.
    pub(crate) const fn is_open(self) -> bool {
        self.connects() && !matches!(self, Self::Unreachable | Self::Refused)
    }

    /// Whether the request goes out.
    pub(crate) const fn is_sent(self) -> bool {
        self.is_open() && !matches!(self, Self::HandshakeFailed)
    }

    /// Status and body of what the server says, in bytes.
    pub(crate) const fn reply(self) -> Option<(u16, u64)> {
        match self {
            Self::Delivered(status, body)
            | Self::CancelledAtHeaders(status, body)
            | Self::Broken(status, body)
            | Self::DiedAtHeaders(status, body)
            | Self::ModernLoader(status, body) => Some((status, body)),
            Self::Upgraded(..) => Some((101, 0)),
            _ => None,
        }
    }

    /// Status of which the log tells.
    pub(crate) const fn told(self) -> Option<u16> {
        match self.reply() {
            Some((status, _)) => Some(status),
            None => None,
        }
    }

    /// Whether the log tells that the response ended.
    pub(crate) const fn ends(self) -> bool {
        matches!(self, Self::Delivered(..) | Self::Upgraded(..))
    }

    /// Whether the program is gone before the task is.
    pub(crate) const fn dies(self) -> bool {
        matches!(self, Self::DiedWaiting | Self::DiedAtHeaders(..))
    }

    /// The error with which the task fails.
    pub(crate) const fn code(self) -> Option<i64> {
        match self {
            Self::CancelledAtHeaders(..) | Self::CancelledOnSend | Self::CancelledBeforeSend => Some(-999),
            Self::Silence | Self::Unreachable => Some(-1001),
            Self::Broken(..) => Some(-1005),
            Self::Refused => Some(-1004),
            Self::HandshakeFailed => Some(-1202),
            Self::NeverSent(code) => Some(code),
            _ => None,
        }
    }

    pub(crate) const fn sum(self) -> Sum {
        match self {
            Self::Delivered(..) | Self::Upgraded(..) => Sum::Success,
            Self::Cached(_) | Self::NeverSent(_) => Sum::Short,
            Self::CancelledOnSend | Self::CancelledBeforeSend | Self::ModernLoader(..) => Sum::Missing,
            Self::DiedWaiting | Self::DiedAtHeaders(..) => Sum::Missing,
            _ => Sum::Failure,
        }
    }

    /// When the task is over, and when its connection is, from when it began and its SYN, request and reply were there.
    pub(crate) fn times(self, time: Moment, opened: Moment, asked: Moment, replied: Moment) -> (Moment, Moment) {
        let finished = match self {
            Self::Unreachable => time + 15 * SECOND,
            Self::Silence => time + 60 * SECOND,
            Self::Refused => opened + 30 * MILLISECOND,
            Self::HandshakeFailed | Self::CancelledOnSend => asked + 5 * MILLISECOND,
            Self::CancelledBeforeSend => asked - 2 * MILLISECOND,
            Self::DiedWaiting => asked + 40 * MILLISECOND,
            Self::DiedAtHeaders(..) => replied + 3 * MILLISECOND,
            Self::Broken(..) => replied + 300 * MILLISECOND,
            Self::Upgraded(..) => replied + 9 * SECOND,
            Self::Cached(_) => time + 12 * MILLISECOND,
            Self::NeverSent(_) => time + 30 * MILLISECOND,
            _ => replied + 4 * MILLISECOND,
        };
        let lingers = match self {
            Self::Unreachable => 3,
            Self::Silence => 4,
            Self::CancelledBeforeSend => 12,
            _ => 3,
        };
        (finished, finished + lingers * MILLISECOND)
    }

    /// How Zeek sums the connection up: service, `conn_state` and `history`.
    pub(crate) const fn zeek(self, is_tls: bool) -> (&'static str, &'static str, &'static str) {
        let service = if is_tls { "ssl" } else { "http" };
        match self {
            Self::Unreachable => ("-", "S0", "S"),
            Self::Refused => ("-", "REJ", "Sr"),
            Self::Silence if !is_tls => (service, "SF", "ShADaFf"),
            Self::CancelledOnSend | Self::CancelledBeforeSend | Self::DiedWaiting if !is_tls => {
                (service, "RSTO", "ShADR")
            }
            Self::CancelledOnSend | Self::CancelledBeforeSend | Self::DiedWaiting => (service, "RSTO", "ShADadR"),
            Self::DiedAtHeaders(..) => (service, "RSTO", "ShADadR"),
            Self::Broken(..) => (service, "RSTR", "ShADadr"),
            _ => (service, "SF", "ShADadFf"),
        }
    }
}
