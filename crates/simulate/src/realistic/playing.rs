//! Plays a pattern on a Mac, and writes down what really happened.

use super::{
    evidence::{self, Surroundings},
    pattern::{Back, Client, Deed, Pattern, Reply},
};
use crate::{
    Moment,
    answers::Answer,
    clock::{MILLISECOND, SECOND, seconds},
    implants::USER,
    mac::Process,
    names,
    network::Service,
    programs::{self, Program, Signature},
    requests::{Ask, Course},
    stage::{Claim, Stage},
};

/// A pattern on one Mac.
pub(super) struct Part<'p> {
    pub(super) pattern: &'p Pattern,
    pub(super) malicious: bool,
    /// When it begins.
    pub(super) first: Moment,
    pub(super) surroundings: Surroundings,
}

/// Who asks now.
struct Asker {
    process: Process,
    is_own_stack: bool,
    /// The shell that started it, where there is one.
    shell: Option<Process>,
}

/// What is put in place of `#`, and of the home folder.
fn filled(text: &str, word: &str, user: &str) -> String {
    let text = text.strip_prefix("~/").map_or_else(|| text.to_owned(), |rest| format!("/Users/{user}/{rest}"));
    text.replace('#', word)
}

impl Stage<'_> {
    /// Plays a part from its beginning to the end of the recording.
    pub(super) fn act(&mut self, part: &Part<'_>) {
        let pattern = part.pattern;
        let word = names::letters(7, &[pattern.scenario, &self.mac.name]);
        let service = self.service_of(pattern, &word);
        let needed = if pattern.reply == Reply::Silence { 70.0 } else { 25.0 };
        let beats = self.beats(part.first + 3 * SECOND, pattern.every, pattern.timer, (needed, pattern.limit));
        let Some(begins) = beats.first().copied() else { return };
        let mut staying = self.staying(part, &word, begins - 2 * SECOND);
        let second = self.network.bare_service();
        let results = match pattern.back {
            Back::There(name, ..) => Some(self.network.service(&filled(name, &word, ""))),
            _ => None,
        };
        let (mut exchanges, mut others, mut last) = (0_usize, [0_usize; 2], None);
        for (round, beat) in beats.iter().enumerate() {
            let is_deed = pattern.deed_every > 0 && (round + 1).is_multiple_of(pattern.deed_every);
            let mut passing = if staying.is_none() { self.passing(part, &word, &service, *beat) } else { None };
            let Some(asker) = staying.as_mut().or(passing.as_mut()) else { continue };
            let course = self.ask_once(asker, pattern, &service, &word, (is_deed, *beat));
            exchanges += 1;
            let mut done = course.closed;
            if is_deed {
                done = self.do_deed(asker, pattern, &word, (&second, &course), round);
                others[0] += usize::from(pattern.deed == Deed::Contacts);
                let report = match pattern.back {
                    Back::Here(from, until) => Some((&service, from, until)),
                    Back::There(_, from, until) => results.as_ref().map(|service| (service, from, until)),
                    Back::Nowhere => None,
                };
                if let Some((to, from, until)) = report {
                    let body = self.chance.whole(from, until);
                    let ask = Ask { is_own_stack: asker.is_own_stack, ..Ask::post(body, Answer::Delivered(200, 48)) };
                    done = self.request(&mut asker.process, to, ask, done + 400 * MILLISECOND).closed;
                    if results.is_some() { others[1] += 1 } else { exchanges += 1 }
                }
            }
            if let Some(passing) = passing {
                self.mac.exit(done + 20 * MILLISECOND, &passing.process, 0);
                if let Some(shell) = &passing.shell {
                    self.mac.exit(done + 25 * MILLISECOND, shell, 0);
                }
                last = Some(passing.process);
            }
        }
        let Some(process) = staying.map(|asker| asker.process).or(last) else { return };
        self.tell_part(part, &process, (&service, exchanges), &word, false);
        self.tell_part(part, &process, (&second, others[0]), &word, true);
        if let Some(results) = &results {
            self.tell_part(part, &process, (results, others[1]), &word, true);
        }
    }

    fn service_of(&mut self, pattern: &Pattern, word: &str) -> Service {
        if pattern.service.is_empty() {
            let mut service = self.network.bare_service();
            service.port = pattern.port;
            return service;
        }
        if let Ok(address) = pattern.service.parse() {
            return self.network.service_at_address(address, pattern.port);
        }
        self.network.service_at(&filled(pattern.service, word, ""), pattern.port)
    }

    /// The program that stays, started or already there. `None`: one is started for each request.
    fn staying(&mut self, part: &Part<'_>, word: &str, time: Moment) -> Option<Asker> {
        let user = self.mac.user.clone();
        let name_of = |path: &str| path.rsplit('/').next().unwrap_or_default().to_lowercase().replace(' ', "-");
        let own = |path: &str, team: Option<&str>| {
            let path = filled(path, word, &user);
            let name = name_of(&path);
            match team {
                Some(team) => Program::new(&path, &format!("example.{name}"), Signature::Team(team.to_owned())),
                None => Program::new(&path, &format!("{name}-5555494{}", word.len()), Signature::AdHoc),
            }
        };
        let (program, arguments, user_id, is_own_stack) = match part.pattern.client {
            Client::Native(path, team) => (own(path, team), Vec::new(), USER, false),
            Client::Daemon(path, team) => (own(path, team), Vec::new(), 0, false),
            Client::OwnStack(path, team) => (own(path, team), Vec::new(), USER, true),
            Client::Platform(path, id) => {
                let user_id = if path.starts_with("/usr/libexec") { 0 } else { USER };
                let process = self.mac.already_running(Program::platform(path, id), user_id);
                return Some(Asker { process, is_own_stack: false, shell: None });
            }
            Client::Script(path, script) => {
                let is_apple = path.starts_with("/usr/bin/");
                let program = if is_apple {
                    Program::platform(path, &format!("com.apple.{}", name_of(path)))
                } else {
                    Program::new(path, &name_of(path), Signature::Team("1NT3RPR3T1".to_owned()))
                };
                (program, vec![filled(script, word, &user)], USER, !is_apple)
            }
            Client::Curl(..) | Client::CurlLoop(..) | Client::Helper(..) => return None,
        };
        let label = format!("com.{}.{word}", name_of(&program.path));
        let path = program.path.clone();
        let arguments: Vec<&str> = std::iter::once(path.as_str()).chain(arguments.iter().map(String::as_str)).collect();
        // What honest programs have been doing since before the recording, they go on doing.
        let process = if !part.malicious && self.chance.happens(0.6) {
            self.mac.already_running(program, user_id)
        } else {
            self.mac.launch(time, &label, program, &arguments, user_id, &mut self.chance)
        };
        Some(Asker { process, is_own_stack, shell: None })
    }

    /// A program that is started for one request.
    fn passing(&mut self, part: &Part<'_>, word: &str, service: &Service, time: Moment) -> Option<Asker> {
        let user = self.mac.user.clone();
        match part.pattern.client {
            Client::Curl(script, options) | Client::CurlLoop(script, options) => {
                let script = filled(script, word, &user);
                let label = format!("com.{word}.update");
                let begins = time - 60 * MILLISECOND;
                let shell =
                    self.mac.launch(begins, &label, programs::shell(), &["/bin/sh", &script], USER, &mut self.chance);
                let mut curl = self.mac.fork(time - 20 * MILLISECOND, &shell, &mut self.chance);
                let scheme = if service.port == 80 { "http" } else { "https" };
                let url = format!("{scheme}://{}{}", service.name, filled(part.pattern.path, word, ""));
                let arguments: Vec<&str> =
                    std::iter::once("curl").chain(options.split(' ')).chain(std::iter::once(url.as_str())).collect();
                let program = Program::platform("/usr/bin/curl", "com.apple.curl");
                self.mac.exec(time - 15 * MILLISECOND, &mut curl, program, &arguments, &label);
                Some(Asker { process: curl, is_own_stack: true, shell: Some(shell) })
            }
            Client::Helper(path) => {
                let path = filled(path, word, &user);
                let app = Program::new(
                    &format!("/Applications/{word}.app/Contents/MacOS/{word}"),
                    &format!("example.{word}.desktop"),
                    Signature::Team("V0IC3TR33A".to_owned()),
                );
                let own = app.path.clone();
                let label = format!("application.example.{word}.desktop.3001.3002");
                let parent = self.mac.launch(time - 30 * SECOND, &label, app, &[&own], USER, &mut self.chance);
                let mut shell = self.mac.fork(time - 90 * MILLISECOND, &parent, &mut self.chance);
                let command = format!("'{path}' >/dev/null 2>&1");
                let words = ["sh", "-c", &command];
                self.mac.exec(time - 88 * MILLISECOND, &mut shell, programs::shell(), &words, &label);
                let mut helper = self.mac.fork(time - 85 * MILLISECOND, &shell, &mut self.chance);
                let program = Program::new(&path, &format!("UpdateAgent-{word}"), Signature::AdHoc);
                self.mac.exec(time - 84 * MILLISECOND, &mut helper, program, &[&path], &label);
                self.mac.unlink(time - 30 * MILLISECOND, &helper, &path);
                Some(Asker { process: helper, is_own_stack: false, shell: Some(shell) })
            }
            _ => None,
        }
    }

    fn ask_once(
        &mut self,
        asker: &mut Asker,
        pattern: &Pattern,
        service: &Service,
        word: &str,
        (is_deed, time): (bool, Moment),
    ) -> Course {
        let answer = match pattern.reply {
            Reply::Same(status, size) => Answer::Delivered(status, size),
            Reply::Varied(status, from, until) => Answer::Delivered(status, self.chance.whole(from, until)),
            Reply::Orders(_, _, (from, until)) if is_deed => Answer::Delivered(200, self.chance.whole(from, until)),
            Reply::Orders(status, size, _) => Answer::Delivered(status, size),
            Reply::CancelledAtHeaders(status, size) => Answer::CancelledAtHeaders(status, size),
            Reply::CancelledOnSend => Answer::CancelledOnSend,
            Reply::Silence => Answer::Silence,
            Reply::Unreachable => Answer::Unreachable,
            Reply::Refused => Answer::Refused,
        };
        let body = pattern.body.map(|(from, until)| self.chance.whole(from, until));
        let path = filled(pattern.path, word, "");
        // A program that stays keeps its connections for a while; one that ends does not.
        let lingers = if asker.shell.is_some() { 0 } else { seconds(self.chance.lognormal(9.0, 1.4).min(900.0)) };
        let ask = Ask { body, answer, uri: &path, is_own_stack: asker.is_own_stack, lingers };
        self.request(&mut asker.process, service, ask, time)
    }

    /// What is done when something came back. Gives when it was done.
    fn do_deed(
        &mut self,
        asker: &mut Asker,
        pattern: &Pattern,
        word: &str,
        (second, course): (&Service, &Course),
        round: usize,
    ) -> Moment {
        let time = course.finished + seconds(self.chance.between(0.05, 1.5));
        let user = self.mac.user.clone();
        let doer = asker.shell.clone().unwrap_or_else(|| asker.process.clone());
        let numbered = |path: &str| filled(path, &format!("{word}{round}"), &user);
        match pattern.deed {
            Deed::Nothing => {}
            Deed::Writes(path) => self.mac.write_new(time, &doer, &numbered(path)),
            Deed::Runs(words) => {
                let mut shell = self.mac.fork(time, &doer, &mut self.chance);
                self.mac.exec(time + MILLISECOND, &mut shell, programs::shell(), &["/bin/sh", "-c", words], "0");
                self.mac.exit(time + 700 * MILLISECOND, &shell, 0);
            }
            Deed::WritesAndRuns(path) => {
                let path = numbered(path);
                self.mac.write_new(time, &doer, &path);
                let mut child = self.mac.fork(time + 30 * MILLISECOND, &doer, &mut self.chance);
                let program = Program::new(&path, &format!("stage-{word}"), Signature::AdHoc);
                self.mac.exec(time + 32 * MILLISECOND, &mut child, program, &[&path], "0");
                self.mac.exit(time + 2 * SECOND, &child, 0);
            }
            Deed::Contacts => {
                let (body, reply) = (self.chance.whole(300, 4_000), self.chance.whole(60, 9_000));
                let ask = Ask { is_own_stack: asker.is_own_stack, ..Ask::post(body, Answer::Delivered(200, reply)) };
                return self.request(&mut asker.process, second, ask, time).closed;
            }
        }
        time + SECOND
    }

    /// Writes down what really happened: to the service of the pattern, or to another that it leads to.
    fn tell_part(
        &mut self,
        part: &Part<'_>,
        process: &Process,
        (service, exchanges): (&Service, usize),
        word: &str,
        is_other: bool,
    ) {
        if exchanges == 0 {
            return;
        }
        let pattern = part.pattern;
        let happened = if is_other { "any" } else { pattern.happened };
        let told = if is_other { "any" } else { evidence::told(pattern, &part.surroundings, exchanges) };
        let scenario = if is_other { format!("{}-next", pattern.scenario) } else { pattern.scenario.to_owned() };
        let user = self.mac.user.clone();
        let agent = match pattern.client {
            Client::Curl(script, _) | Client::CurlLoop(script, _) | Client::Script(_, script) => {
                Some(filled(script, word, &user))
            }
            _ => None,
        };
        let missing = evidence::missing(&part.surroundings);
        let claim = Claim {
            scenario: &scenario,
            malicious: part.malicious,
            disposition: told,
            happened,
            agent: agent.as_deref(),
            twin: (told == "unknown").then_some((pattern.scenario, missing.as_str())),
        };
        self.tell(&claim, process, service, exchanges);
        if let Some(truth) = self.truth.last_mut() {
            truth.seen_as.clone_from(&part.surroundings.seen_as);
            truth.shown = evidence::shown(pattern, &part.surroundings).to_owned();
            if !is_other && happened == "any" {
                truth.false_claims = pattern.never.iter().map(|claim| (*claim).to_owned()).collect();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_filled_and_homes_are_found() {
        assert_eq!(filled("~/Library/#/#d", "abc", "ada"), "/Users/ada/Library/abc/abcd");
        assert_eq!(filled("c2-#.test", "abc", ""), "c2-abc.test");
    }
}
