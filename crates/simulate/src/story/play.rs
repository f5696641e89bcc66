//! A story played on a simulated Mac and recorded by its sensors.

use super::{
    StoryError,
    parse::{Deed, Known, Place, Step, Story},
};
use crate::{
    Moment, SimulatedFile,
    answers::Answer,
    chance::Chance,
    clock::{MILLISECOND, SECOND, nanosecond_text, seconds},
    disturbance::Conditions,
    fleet::host_files,
    implants::USER,
    links::{Places, network_path},
    mac::{Mac, Process, Sensors, Subscription},
    network::{Network, Service},
    programs::Program,
    requests::Ask,
    stage::Stage,
    unified_log::Voice,
};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// Who is at the Mac of every story.
const PERSON: &str = "anna";

/// The Mac's address.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 4, 21);

/// A step at its moment, with the number of its repetition.
struct Due<'a> {
    time: Moment,
    round: usize,
    step: &'a Step,
}

/// Plays a story.
pub(super) fn play(mac: &str, story: &Story) -> Result<Vec<SimulatedFile>, StoryError> {
    let conditions = Conditions { start: story.from, ..Conditions::default() };
    let mut network = Network::default();
    network.conditions = conditions;
    let mut stage = Stage {
        mac: self::mac(mac, story, conditions),
        network: &mut network,
        chance: Chance::new(1, 1),
        truth: Vec::new(),
        start: story.from,
        end: story.until,
        damaged: None,
    };
    let mut cast = Cast { story, players: BTreeMap::new() };
    for due in due(story, &mut Chance::new(1, 2)) {
        cast.act(&mut stage, &due)?;
    }
    if !story.is_quiet {
        stage.company();
    }
    let name = stage.mac.name.clone();
    let shows_network = stage.mac.sensors.network;
    let mut places = Places::default();
    let mut files = host_files(stage.mac, &mut places);
    if shows_network {
        network.tell_losses(story.from, story.until);
        let logs = network.logs.render(&conditions, story.until, &mut places);
        files.extend(logs.into_iter().map(|(name, bytes)| SimulatedFile { path: network_path(name), bytes }));
    }
    let until = nanosecond_text(story.until);
    let assets = format!("host,ip,from,until\n{name},{ADDRESS},{},{until}\n", nanosecond_text(story.from));
    files.push(SimulatedFile { path: "assets.csv".to_owned(), bytes: assets.into_bytes() });
    Ok(files)
}

fn mac(name: &str, story: &Story, conditions: Conditions) -> Mac {
    let has = |sensor: &str| story.sensors.contains(sensor);
    let endpoint = match (has("endpoint"), has("processes"), has("starts")) {
        (true, _, _) => Subscription::Everything,
        (_, true, _) => Subscription::Processes,
        (_, _, true) => Subscription::Starts,
        _ => Subscription::Nothing,
    };
    let sensors = Sensors { endpoint, unified_log: has("log"), network: has("network"), dropped: story.lost.clone() };
    let mut mac = Mac::new(name, PERSON, ADDRESS, sensors, story.from);
    mac.conditions = conditions;
    mac.sleeps = story.asleep.clone();
    mac
}

/// Every step at its moment, in order of time.
fn due<'a>(story: &'a Story, chance: &mut Chance) -> Vec<Due<'a>> {
    let mut due: Vec<Due<'a>> = story.steps.iter().map(|step| Due { time: step.time, round: 0, step }).collect();
    for again in &story.again {
        let mut begin = again.first;
        for round in 0..again.times {
            due.extend(again.steps.iter().map(|step| Due { time: begin + step.time, round, step }));
            begin += seconds(again.every * (1.0 + chance.between(-again.spread, again.spread)));
        }
    }
    due.retain(|due| story.asleep.iter().all(|(asleep, awake)| due.time < *asleep || *awake <= due.time));
    due.sort_by_key(|due| (due.time, due.step.line));
    due
}

/// Programs of macOS that a story may name without a line of its own; `curl` has its own network stack.
fn of_macos(name: &str) -> Option<Known> {
    let path = match name {
        "sh" | "zsh" | "bash" | "sleep" | "chmod" | "rm" | "ls" | "cp" => format!("/bin/{name}"),
        "curl" | "osascript" | "nscurl" | "open" | "id" | "whoami" | "tar" | "python3" | "sw_vers" | "plutil" => {
            format!("/usr/bin/{name}")
        }
        "launchctl" => "/bin/launchctl".to_owned(),
        _ => return None,
    };
    let is_own_stack = matches!(name, "curl" | "python3");
    Some(Known { program: Program::platform(&path, &format!("com.apple.{name}")), is_own_stack })
}

/// Who plays.
struct Cast<'a> {
    story: &'a Story,
    players: BTreeMap<String, (Process, bool)>,
}

impl Cast<'_> {
    fn known(&self, name: &str) -> Option<Known> {
        self.story.programs.get(name).cloned().or_else(|| of_macos(name))
    }

    /// The process of that name: one that was started, `launchd`, or one that has been running since before.
    fn player(&mut self, stage: &Stage<'_>, due: &Due<'_>) -> Result<&mut (Process, bool), StoryError> {
        let name = &due.step.who;
        if !self.players.contains_key(name) {
            let player = match (name.as_str(), self.known(name)) {
                ("launchd", _) => (stage.mac.launchd(), false),
                (_, Some(known)) => (stage.mac.already_running(known.program, USER), known.is_own_stack),
                _ => return Err(unknown(due, "a program of the story, one of macOS, or launchd", name)),
            };
            self.players.insert(name.clone(), player);
        }
        self.players.get_mut(name).ok_or_else(|| unknown(due, "somebody", &due.step.who))
    }

    fn act(&mut self, stage: &mut Stage<'_>, due: &Due<'_>) -> Result<(), StoryError> {
        let time = due.time;
        match &due.step.deed {
            Deed::Starts { what, name, job, command } => self.start(stage, due, (what, name), job, command),
            Deed::Ends => {
                let process = self.player(stage, due)?.0.clone();
                stage.mac.exit(time, &process, 0);
                self.players.remove(&due.step.who);
                Ok(())
            }
            Deed::Writes(path) => {
                let process = self.player(stage, due)?.0.clone();
                stage.mac.write_new(time, &process, &full(path, due.round));
                Ok(())
            }
            Deed::Removes(path) => {
                let process = self.player(stage, due)?.0.clone();
                stage.mac.unlink(time, &process, &full(path, due.round));
                Ok(())
            }
            Deed::Renames(from, to) => {
                let process = self.player(stage, due)?.0.clone();
                stage.mac.rename(time, &process, &full(from, due.round), &full(to, due.round));
                Ok(())
            }
            Deed::Installs(plist, path) => {
                let process = self.player(stage, due)?.0.clone();
                let (plist, path) = (full(plist, due.round), full(path, due.round));
                stage.mac.write_new(time, &process, &plist);
                stage.mac.add_launch_item(time + 5 * MILLISECOND, &process, &plist, &path, USER);
                Ok(())
            }
            Deed::Asks { .. } => self.ask(stage, due),
        }
    }

    fn start(
        &mut self,
        stage: &mut Stage<'_>,
        due: &Due<'_>,
        (what, name): (&str, &str),
        job: &Option<String>,
        command: &Option<String>,
    ) -> Result<(), StoryError> {
        let known = self.known(what).ok_or_else(|| unknown(due, "a program of the story or of macOS", what))?;
        let mut program = known.program;
        program.path = full(&program.path, due.round);
        let command = command.as_ref().map_or_else(|| vec![program.path.clone()], |text| words(text, due.round));
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let process = if due.step.who == "launchd" {
            let label = job.clone().unwrap_or_else(|| program.signing_id.clone());
            stage.mac.launch(due.time, &label, program, &arguments, USER, &mut stage.chance)
        } else {
            let parent = self.player(stage, due)?.0.clone();
            let mut child = stage.mac.fork(due.time, &parent, &mut stage.chance);
            stage.mac.exec(due.time + 2 * MILLISECOND, &mut child, program, &arguments, job.as_deref().unwrap_or("0"));
            child
        };
        self.players.insert(name.to_owned(), (process, known.is_own_stack));
        Ok(())
    }

    fn ask(&mut self, stage: &mut Stage<'_>, due: &Due<'_>) -> Result<(), StoryError> {
        let Deed::Asks { place, path, body, outcome, collected } = &due.step.deed else { return Ok(()) };
        let place = self.story.places.get(place).ok_or_else(|| unknown(due, "a service of the story", place))?;
        let service = service(stage.network, place)
            .ok_or_else(|| unknown(due, "an IPv4 address where no name is used", &place.name))?;
        let answer = outcome.of(due.round, &mut stage.chance);
        let body = body.as_ref().map(|body| body.of(due.round, &mut stage.chance));
        let path = path.replace("{n}", &due.round.to_string());
        let (process, is_own_stack) = self.player(stage, due)?;
        let ask = Ask { body, answer, uri: &path, is_own_stack: *is_own_stack, lingers: 0 };
        if let Some(is_collected) = collected {
            stage.in_background(process, &service, ask, due.time, *is_collected);
            return Ok(());
        }
        let course = stage.request(process, &service, ask, due.time);
        if answer.dies() {
            stage.mac.exit(course.finished, process, 0);
            self.players.remove(&due.step.who);
        }
        Ok(())
    }
}

fn unknown(due: &Due<'_>, expected: &str, found: &str) -> StoryError {
    StoryError { line: due.step.line, expected: expected.to_owned(), found: found.to_owned() }
}

fn service(network: &mut Network, place: &Place) -> Option<Service> {
    if place.is_bare {
        return Some(network.service_at_address(place.name.parse().ok()?, place.port));
    }
    Some(network.service_at(&place.name, place.port))
}

/// A path with the home folder and the number of the repetition.
fn full(path: &str, round: usize) -> String {
    let path = path.strip_prefix('~').map_or_else(|| path.to_owned(), |rest| format!("/Users/{PERSON}{rest}"));
    path.replace("{n}", &round.to_string())
}

/// The words of a command line; quotes keep words together.
fn words(text: &str, round: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut quote, mut is_open) = (None, false);
    for character in text.chars() {
        match (quote, character) {
            (Some(mark), _) if character == mark => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                if !is_open {
                    words.push(String::new());
                    is_open = true;
                }
            }
            (None, ' ') => is_open = false,
            _ => {
                if !is_open {
                    words.push(String::new());
                    is_open = true;
                }
                words.last_mut().into_iter().for_each(|word| word.push(character));
            }
        }
    }
    words.iter().map(|word| full(word, round)).collect()
}

impl Stage<'_> {
    /// Others on the same Mac, so that a sensor is seen to record: daemons, and iCloud, which is always answered.
    fn company(&mut self) {
        self.daemons();
        let program = Program::platform(
            "/System/Library/PrivateFrameworks/CloudKitDaemon.framework/Support/cloudd",
            "com.apple.cloudd",
        );
        let mut daemon = self.mac.already_running(program, USER);
        let service = self.network.service("gateway.icloud.com");
        let mut moments = self.moments(self.start + 30 * SECOND, 1_200.0, 0.2, 30.0);
        moments.push(self.end - 30 * SECOND);
        for moment in moments {
            let (body, reply) = (self.chance.whole(300, 5_000), self.chance.whole(400, 30_000));
            self.request(&mut daemon, &service, Ask::post(body, Answer::Delivered(200, reply)), moment);
        }
    }

    /// `nsurlsessiond` asks for a program, which collects the reply or goes away.
    fn in_background(&mut self, client: &Process, service: &Service, ask: Ask<'_>, time: Moment, is_collected: bool) {
        let program = Program::platform("/usr/libexec/nsurlsessiond", "com.apple.nsurlsessiond");
        let mut daemon = self.mac.already_running(program, USER);
        daemon.tasks = (time / SECOND % 100_000) as u32;
        daemon.connections = daemon.tasks;
        let course = self.request(&mut daemon, service, ask, time);
        let (task, bundle) = (&course.task, &client.program.signing_id);
        let number = daemon.tasks;
        let line = format!("{task} is for <{bundle}>.<{bundle}.background>.<{number}>");
        self.mac.log(
            time - MILLISECOND,
            &daemon,
            Voice::Background,
            "%{public}@ is for <%{public}@>.<%{public}@>.<%lu>",
            line,
        );
        let (format, line) = if is_collected {
            ("%{public}@ client acknowledged completion", format!("{task} client acknowledged completion"))
        } else {
            let session = crate::names::uuid(&["background", bundle]);
            (
                "NDSession <%{public}@> client %{public}@ disconnected",
                format!("NDSession <{session}> client {bundle} disconnected"),
            )
        };
        self.mac.log(course.finished + 90 * MILLISECOND, &daemon, Voice::Background, format, line);
    }
}
