//! Programs that ask for hours and make nothing of what comes back.

use crate::{
    answers::Answer,
    clock::{MILLISECOND, SECOND, seconds},
    mac::Process,
    programs::{Program, Signature},
    requests::Ask,
    stage::{Claim, Stage},
};

/// Who plays a behaviour: the original, or a blind twin with names of its own.
#[derive(Clone, Copy)]
pub(crate) struct Role {
    pub(crate) scenario: &'static str,
    pub(crate) disposition: &'static str,
    /// The scenario repeated, and what is missing.
    pub(crate) twin: Option<(&'static str, &'static str)>,
    /// What the program calls itself.
    pub(crate) vendor: &'static str,
    /// Domain it talks to, where it has one.
    pub(crate) domain: &'static str,
}

impl Role {
    pub(crate) const fn claim<'a>(&self, agent: Option<&'a str>) -> Claim<'a>
    where
        'static: 'a,
    {
        Claim {
            scenario: self.scenario,
            malicious: true,
            disposition: self.disposition,
            happened: self.disposition,
            agent,
            twin: self.twin,
        }
    }
}

/// Identifier of the user at the Mac.
pub(crate) const USER: u32 = 501;

impl Stage<'_> {
    /// A job of the user that a hidden folder of the home folder holds.
    fn launch_agent(&mut self, role: &Role, minutes: f64) -> Process {
        let vendor = role.vendor;
        let path = format!("/Users/{}/Library/Application Support/{vendor}/{vendor}-helper", self.mac.user);
        let program = Program::new(&path, &format!("{vendor}-helper"), Signature::AdHoc);
        let label = format!("com.{vendor}.helper");
        let time = self.start + seconds(60.0 * minutes);
        self.mac.launch(time, &label, program, &[&path], USER, &mut self.chance)
    }

    /// Asks an address where nobody answers, every 45 seconds.
    pub(crate) fn dead_server(&mut self, role: &Role) {
        let path = format!("/Library/Application Support/{0}/{0}d", role.vendor);
        let program = Program::new(&path, &format!("{}d", role.vendor), Signature::AdHoc);
        let label = format!("com.{}.daemon", role.vendor);
        let time = self.start + 1500 * SECOND;
        let mut process = self.mac.launch(time, &label, program, &[&path], 0, &mut self.chance);
        let service = self.network.bare_service();
        let moments = self.moments(time + 4 * SECOND, 45.0, 0.06, 20.0);
        let moments: Vec<_> = moments.into_iter().take(160).collect();
        for moment in &moments {
            self.request(&mut process, &service, Ask::get(Answer::Unreachable), *moment);
        }
        self.tell(&role.claim(None), &process, &service, moments.len());
    }

    /// Posts to a server that takes everything and never says a word.
    pub(crate) fn silent_server(&mut self, role: &Role) {
        let mut process = self.launch_agent(role, 12.0);
        let service = self.network.service_at(role.domain, 80);
        let moments = self.moments(process.started + 5 * SECOND, 600.0, 0.08, 70.0);
        let moments: Vec<_> = moments.into_iter().take(40).collect();
        for moment in &moments {
            let ask = Ask::post(212, Answer::Silence).at("/v2/ping");
            self.request(&mut process, &service, ask, *moment);
        }
        self.tell(&role.claim(None), &process, &service, moments.len());
    }

    /// Asks, and hangs up when it sees that somebody answers.
    pub(crate) fn cancel_at_headers(&mut self, role: &Role) {
        let mut process = self.launch_agent(role, 17.0);
        let service = self.network.service(role.domain);
        let moments = self.moments(process.started + 3 * SECOND, 600.0, 0.1, 5.0);
        let moments: Vec<_> = moments.into_iter().take(60).collect();
        for moment in &moments {
            let body = self.chance.whole(4_000, 9_000);
            self.request(&mut process, &service, Ask::get(Answer::CancelledAtHeaders(200, body)), *moment);
        }
        self.tell(&role.claim(None), &process, &service, moments.len());
    }

    /// Posts, is refused with the same words each time, and goes on.
    pub(crate) fn constant_answer(&mut self, role: &Role, interval: f64, limit: usize) {
        let mut process = self.launch_agent(role, 9.0);
        let service = self.network.service(role.domain);
        let moments = self.moments(process.started + 2 * SECOND, interval, 0.15, 5.0);
        let moments: Vec<_> = moments.into_iter().take(limit).collect();
        for moment in &moments {
            self.request(&mut process, &service, Ask::post(96, Answer::Delivered(400, 166)), *moment + MILLISECOND);
        }
        self.tell(&role.claim(None), &process, &service, moments.len());
    }
}
