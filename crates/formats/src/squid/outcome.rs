//! Squid's result codes: who answered, and who ended the request before it was complete.
//!
//! The codes are those of "Squid result codes" in the Squid wiki (`SquidFaq/SquidLogs`).

use monologue_model::{AnsweredBy, Teardown};

/// What a result code, a status and the place in the hierarchy say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome<'a> {
    /// `%Ss`, such as `TCP_MISS_ABORTED`.
    pub(super) code: &'a str,
    /// `%>Hs`: the status sent to the client. `None` where it is 000: none was sent.
    pub(super) status: Option<u16>,
    /// Whether the server's own status was recorded (`%<Hs`).
    pub(super) server_answered: bool,
    /// Whether the request was sent anywhere (`%<a`).
    pub(super) forwarded: bool,
    /// A tunnel was asked for.
    pub(super) tunnel: bool,
}

impl Outcome<'_> {
    fn has(&self, word: &str) -> bool {
        self.code.split('_').any(|part| part == word)
    }

    /// The transaction did not run to its end: what was counted is a part.
    pub(super) fn is_incomplete(&self) -> bool {
        self.has("ABORTED") || self.has("TIMEDOUT")
    }

    /// Who ended it. A timeout is the proxy's own doing, and normal ends are not recorded. Squid's documentation says of
    /// `ABORTED` that it was "usually" the client who left.
    pub(super) fn teardown(&self) -> Teardown {
        if self.has("DENIED") {
            Teardown::NeverOpened
        } else if self.has("ABORTED") {
            Teardown::ClientClosed
        } else {
            Teardown::Unknown
        }
    }

    /// Who made the answer.
    pub(super) fn answered_by(&self) -> AnsweredBy {
        if self.status.is_none() {
            return AnsweredBy::Unknown;
        }
        if self.has("DENIED") || self.has("REDIRECT") {
            return AnsweredBy::Gateway;
        }
        if self.server_answered {
            return AnsweredBy::Service;
        }
        if self.has("HIT") || self.code.starts_with("TCP_REFRESH_FAIL") {
            return AnsweredBy::Cache;
        }
        let failed = self.status.is_some_and(|status| status >= 400);
        match (self.forwarded, failed) {
            (false, true) => AnsweredBy::Gateway,
            (_, true) if self.tunnel => AnsweredBy::Gateway,
            // A server that could not be reached and a server that says so look the same.
            _ if matches!(self.status, Some(502..=504)) => AnsweredBy::Unknown,
            (true, _) => AnsweredBy::Service,
            (false, false) => AnsweredBy::Unknown,
        }
    }
}

/// Whether a text is a result code: `TCP_…`, `UDP_…`, `NONE…`, `TAG_NONE…`.
pub(super) fn is_code(text: &str) -> bool {
    let shaped = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    shaped && ["TCP_", "UDP_", "NONE", "TAG_NONE", "ICP_", "HTCP_"].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: &str, status: u16, forwarded: bool) -> Outcome<'_> {
        Outcome {
            code,
            status: (status > 0).then_some(status),
            server_answered: false,
            forwarded,
            tunnel: code.contains("TUNNEL"),
        }
    }

    #[test]
    fn only_the_service_speaks_for_the_service() {
        let by = |code, status, forwarded| outcome(code, status, forwarded).answered_by();
        assert_eq!(by("TCP_MISS", 200, true), AnsweredBy::Service);
        assert_eq!(by("TCP_TUNNEL", 200, true), AnsweredBy::Service);
        assert_eq!(by("TCP_REFRESH_UNMODIFIED", 304, true), AnsweredBy::Service);
        assert_eq!(by("TCP_MEM_HIT", 200, false), AnsweredBy::Cache);
        assert_eq!(by("TCP_REFRESH_FAIL_OLD", 200, true), AnsweredBy::Cache);
        assert_eq!(by("TCP_DENIED", 407, false), AnsweredBy::Gateway);
        assert_eq!(by("TCP_DENIED_REPLY", 403, true), AnsweredBy::Gateway);
        assert_eq!(by("NONE", 400, false), AnsweredBy::Gateway);
        assert_eq!(by("TCP_TUNNEL", 503, true), AnsweredBy::Gateway, "the tunnel could not be made");
        assert_eq!(by("TCP_MISS", 503, true), AnsweredBy::Unknown, "whose 503 is it?");
        assert_eq!(by("TCP_MISS_ABORTED", 0, true), AnsweredBy::Unknown);
        let told = Outcome { server_answered: true, ..outcome("TCP_MISS", 503, true) };
        assert_eq!(told.answered_by(), AnsweredBy::Service);
    }

    #[test]
    fn a_client_that_left_is_told_from_a_timeout() {
        assert_eq!(outcome("TCP_MISS_ABORTED", 0, true).teardown(), Teardown::ClientClosed);
        assert_eq!(outcome("TCP_REFRESH_MODIFIED_ABORTED", 200, true).teardown(), Teardown::ClientClosed);
        assert_eq!(outcome("TCP_MISS_TIMEDOUT", 200, true).teardown(), Teardown::Unknown);
        assert!(outcome("TCP_MISS_TIMEDOUT", 200, true).is_incomplete());
        assert_eq!(outcome("TCP_DENIED", 403, false).teardown(), Teardown::NeverOpened);
        assert_eq!(outcome("TCP_MISS", 200, true).teardown(), Teardown::Unknown);
    }

    #[test]
    fn codes_are_told_from_other_words() {
        assert!(is_code("TCP_MISS") && is_code("NONE_NONE") && is_code("TAG_NONE") && is_code("UDP_HIT"));
        assert!(!is_code("GET") && !is_code("TCP_miss") && !is_code("-"));
    }
}
