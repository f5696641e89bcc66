//! A program that talks to the web again and again, as data: who it is, whom it asks, what comes back, what it does with it.

use super::clockwork::Timer;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// A program that stays and uses URLSession: its path and its team; none means that it is signed ad hoc.
    Native(&'static str, Option<&'static str>),
    /// The same, as a daemon of the system.
    Daemon(&'static str, Option<&'static str>),
    /// A program of Apple.
    Platform(&'static str, &'static str),
    /// A program that stays and has a network stack of its own: its path and its team.
    OwnStack(&'static str, Option<&'static str>),
    /// An interpreter that stays, and its script.
    Script(&'static str, &'static str),
    /// A job of `launchd` starts a shell script each time, which starts `curl` with these options.
    Curl(&'static str, &'static str),
    /// As `Curl`, but the script stays and asks again and again.
    CurlLoop(&'static str, &'static str),
    /// An application starts a helper that deletes itself, asks once and is gone: path of the helper.
    Helper(&'static str),
}

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Always the same status and size.
    Same(u16, u64),
    /// A size by chance.
    Varied(u16, u64, u64),
    /// The same for nothing new, and sizes by chance where there is something to do.
    Orders(u16, u64, (u64, u64)),
    /// Given up when the headers are there.
    CancelledAtHeaders(u16, u64),
    /// Given up when the request is out.
    CancelledOnSend,
    /// Nothing, for a minute.
    Silence,
    /// Nobody takes the connection.
    Unreachable,
    /// The connection is turned away.
    Refused,
}

/// What the program does when something comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Nothing, or nothing that shows.
    Nothing,
    /// It writes this file; `#` stands for a number.
    Writes(&'static str),
    /// It runs these words in a shell.
    Runs(&'static str),
    /// It writes this file and runs it.
    WritesAndRuns(&'static str),
    /// It connects to an address it did not know before, and goes on talking to it.
    Contacts,
}

/// Where results go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    Nowhere,
    /// To the same service: bytes.
    Here(u64, u64),
    /// To another service: its name, and bytes.
    There(&'static str, u64, u64),
}

/// A program that talks again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) scenario: &'static str,
    /// What really happens to the responses; `any` where nothing is asserted.
    pub(super) happened: &'static str,
    /// Definite dispositions that would be false where `happened` is `any`.
    pub(super) never: &'static [&'static str],
    pub(super) client: Client,
    /// Name of the service; `#` stands for letters of its own on each Mac; an address without a name, the
    /// same for all; empty for one of its own on each Mac.
    pub(super) service: &'static str,
    pub(super) port: u16,
    /// Path of the URL.
    pub(super) path: &'static str,
    /// Seconds, and the share by which they vary.
    pub(super) every: (f64, f64),
    pub(super) timer: Timer,
    /// Requests at most.
    pub(super) limit: usize,
    /// Bytes of the body. `None` for a GET.
    pub(super) body: Option<(u64, u64)>,
    pub(super) reply: Reply,
    pub(super) deed: Deed,
    /// Every which reply is followed by the deed; 0 for none.
    pub(super) deed_every: usize,
    pub(super) back: Back,
}

/// Dispositions that would be false of a program that uses its replies where nobody sees it.
pub(super) const USED_UNSEEN: &[&str] = &["no-reply", "reply-unhandled"];

impl Pattern {
    pub(super) const fn new(
        scenario: &'static str,
        happened: &'static str,
        client: Client,
        service: &'static str,
        every: (f64, f64),
    ) -> Self {
        Self {
            scenario,
            happened,
            never: &[],
            client,
            service,
            port: 443,
            path: "/",
            every,
            timer: Timer::Wall,
            limit: 100_000,
            body: None,
            reply: Reply::Same(200, 0),
            deed: Deed::Nothing,
            deed_every: 0,
            back: Back::Nowhere,
        }
    }

    /// A program that uses its replies where nobody sees it.
    pub(super) const fn unseen(
        scenario: &'static str,
        client: Client,
        service: &'static str,
        every: (f64, f64),
    ) -> Self {
        let mut pattern = Self::new(scenario, "any", client, service, every);
        pattern.never = USED_UNSEEN;
        pattern
    }

    pub(super) const fn gets(mut self, path: &'static str, reply: Reply) -> Self {
        (self.path, self.reply) = (path, reply);
        self
    }

    pub(super) const fn posts(mut self, path: &'static str, body: (u64, u64), reply: Reply) -> Self {
        (self.path, self.body, self.reply) = (path, Some(body), reply);
        self
    }

    pub(super) const fn then(mut self, deed: Deed, every: usize) -> Self {
        (self.deed, self.deed_every) = (deed, every);
        self
    }

    pub(super) const fn reports(mut self, back: Back) -> Self {
        self.back = back;
        self
    }

    pub(super) const fn at_most(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(super) const fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    pub(super) const fn while_awake(mut self) -> Self {
        self.timer = Timer::Awake;
        self
    }
}
