//! A story from its text.

use super::{
    SENSORS, StoryError,
    outcome::{Number, Outcome},
};
use crate::{
    Moment,
    clock::{SECOND, seconds},
    programs::{Program, Signature},
};
use std::collections::{BTreeMap, BTreeSet};

/// The day on which stories play: 2026-03-02T00:00:00Z is 20,514 days after the epoch.
const DAY: Moment = 20_514 * 86_400 * SECOND;

/// Days a story may last.
const LONGEST_DAYS: i64 = 60;

/// Repetitions of one block.
const MOST_TIMES: usize = 100_000;

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) is_bare: bool,
}

/// A program as a story knows it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) program: Program,
    pub(super) is_own_stack: bool,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Starts a program, under a name in the story, with a command line; by `launchd`, as a job.
    Starts {
        what: String,
        name: String,
        job: Option<String>,
        command: Option<String>,
    },
    Ends,
    Writes(String),
    Removes(String),
    Renames(String, String),
    /// Installs a launch item: its property list and its program.
    Installs(String, String),
    Asks {
        place: String,
        path: String,
        body: Option<Number>,
        outcome: Outcome,
        collected: Option<bool>,
    },
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) time: Moment,
    pub(super) who: String,
    pub(super) deed: Deed,
}

/// Steps that happen again and again.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) every: f64,
    pub(super) first: Moment,
    pub(super) times: usize,
    pub(super) spread: f64,
    /// Their times are relative.
    pub(super) steps: Vec<Step>,
}

/// A whole story.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) sensors: BTreeSet<&'static str>,
    pub(super) is_quiet: bool,
    pub(super) lost: Vec<(Moment, Moment)>,
    pub(super) asleep: Vec<(Moment, Moment)>,
    pub(super) programs: BTreeMap<String, Known>,
    pub(super) places: BTreeMap<String, Place>,
    pub(super) steps: Vec<Step>,
    pub(super) again: Vec<Again>,
}

impl Story {
    /// Takes sensors away.
    pub(super) fn take_away(&mut self, gone: &BTreeSet<&str>) {
        for sensor in gone {
            match *sensor {
                "files" if self.sensors.remove("endpoint") => {
                    self.sensors.insert("processes");
                }
                "exits" if self.sensors.remove("endpoint") || self.sensors.remove("processes") => {
                    self.sensors.insert("starts");
                }
                "endpoint" => self.sensors.retain(|sensor| matches!(*sensor, "log" | "network")),
                other => {
                    self.sensors.remove(other);
                }
            }
        }
    }
}

/// One line, and where it stands.
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn error(&self, expected: &str) -> StoryError {
        StoryError { line: self.number, expected: expected.to_owned(), found: self.text.to_owned() }
    }
}

/// `06:00`, `06:00:05`, `06:00:05.25`, or the same of the next day as `+1 06:00`.
fn clock_time(text: &str) -> Option<Moment> {
    let (day, clock) = match text.strip_prefix("day ") {
        Some(rest) => rest.split_once(' ').and_then(|(day, clock)| Some((day.parse::<i64>().ok()?, clock)))?,
        None => (1, text),
    };
    let mut parts = clock.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let second: f64 = parts.next().map_or(Some(0.0), |text| text.parse().ok())?;
    let is_whole = parts.next().is_none()
        && (1..=LONGEST_DAYS).contains(&day)
        && (0..=24).contains(&hours)
        && (0..60).contains(&minutes)
        && (0.0..60.0).contains(&second);
    is_whole.then(|| DAY + ((day - 1) * 86_400 + hours * 3600 + minutes * 60) * SECOND + seconds(second))
}

fn window(text: &str) -> Option<(Moment, Moment)> {
    let (from, until) = text.trim().split_once(" to ")?;
    Some((clock_time(from)?, clock_time(until)?))
}

pub(super) fn parse(text: &str) -> Result<Story, StoryError> {
    let mut story = Story { sensors: BTreeSet::from(["endpoint", "log", "network"]), ..Story::default() };
    let mut is_inside = false;
    for (at, whole) in text.lines().enumerate() {
        let line = Line { number: at + 1, text: whole.trim() };
        if line.text.is_empty() || line.text.starts_with('#') {
            continue;
        }
        if whole.starts_with(' ') && is_inside {
            let step = repeated_step(&line)?;
            story.again.last_mut().ok_or_else(|| line.error("a line `every …` before"))?.steps.push(step);
            continue;
        }
        is_inside = false;
        if let Some(rest) = line.text.strip_prefix("recorded ") {
            recorded(&mut story, &line, rest)?;
        } else if line.text == "quiet" {
            story.is_quiet = true;
        } else if let Some(rest) = line.text.strip_prefix("lost ") {
            story.lost.push(window(rest).ok_or_else(|| line.error("`lost 06:10 to 06:20`"))?);
        } else if let Some(rest) = line.text.strip_prefix("asleep ") {
            story.asleep.push(window(rest).ok_or_else(|| line.error("`asleep 06:10 to 06:20`"))?);
        } else if let Some(rest) = line.text.strip_prefix("program ") {
            let (name, known) = program(rest).ok_or_else(|| {
                line.error("`program NAME = PATH, ad hoc` or `platform ID` or `team TEAM ID`, then `, own stack`, then `, calls itself USER AGENT`")
            })?;
            story.programs.insert(name, known);
        } else if let Some(rest) = line.text.strip_prefix("service ") {
            let (name, place) = place(rest)
                .ok_or_else(|| line.error("`service NAME = https://HOST`, `http://HOST` or `ADDRESS:PORT`"))?;
            story.places.insert(name, place);
        } else if let Some(rest) = line.text.strip_prefix("every ") {
            story.again.push(
                again(rest)
                    .ok_or_else(|| line.error("`every 600 s from 06:00:05, 20 times`, then `, give or take 5 %`"))?,
            );
            is_inside = true;
        } else {
            let step = timed_step(&line)?;
            story.steps.push(step);
        }
    }
    if story.steps.is_empty() && story.again.iter().all(|again| again.steps.is_empty()) {
        let (expected, found) = ("something that happens".to_owned(), String::new());
        return Err(StoryError { line: text.lines().count().max(1), expected, found });
    }
    bound(&mut story);
    if story.until <= story.from || story.until - story.from > LONGEST_DAYS * 86_400 * SECOND {
        let (expected, found) =
            (format!("a recording of at most {LONGEST_DAYS} days that ends after it begins"), String::new());
        return Err(StoryError { line: 1, expected, found });
    }
    Ok(story)
}

/// Without a line `recorded`, recording begins an hour before the first step and ends an hour after the last.
fn bound(story: &mut Story) {
    if story.until != 0 {
        return;
    }
    let single = story.steps.iter().map(|step| step.time);
    let first = story.again.iter().map(|again| again.first);
    let last = story.again.iter().map(|again| again.first + seconds(again.every * again.times as f64));
    let times: Vec<Moment> = single.chain(first).chain(last).collect();
    let hour = 3600 * SECOND;
    story.from = times.iter().min().copied().unwrap_or(DAY) - hour;
    story.until = times.iter().max().copied().unwrap_or(DAY) + hour;
}

fn recorded(story: &mut Story, line: &Line<'_>, rest: &str) -> Result<(), StoryError> {
    let (times, sensors) = match rest.split_once("by ") {
        Some((times, sensors)) => (times.trim(), Some(sensors)),
        None => (rest.trim(), None),
    };
    if !times.is_empty() {
        (story.from, story.until) = window(times).ok_or_else(|| line.error("`recorded 05:30 to 08:00 by log`"))?;
    }
    if let Some(sensors) = sensors {
        story.sensors.clear();
        for name in sensors.split(',').map(str::trim) {
            let known = SENSORS.into_iter().find(|sensor| *sensor == name);
            story.sensors.insert(known.ok_or_else(|| line.error(&SENSORS.join(", ")))?);
        }
    }
    Ok(())
}

fn program(rest: &str) -> Option<(String, Known)> {
    let (name, rest) = rest.split_once(" = ")?;
    let (rest, user_agent) = match rest.split_once(", calls itself ") {
        Some((rest, user_agent)) => (rest, Some(user_agent.to_owned())),
        None => (rest, None),
    };
    let mut parts = rest.split(", ");
    let path = parts.next()?;
    let mut known = Known { program: Program::new(path, name, Signature::AdHoc), is_own_stack: false };
    for part in parts {
        if part == "own stack" {
            known.is_own_stack = true;
        } else if let Some(id) = part.strip_prefix("platform ") {
            known.program = Program::platform(path, id);
        } else if let Some(rest) = part.strip_prefix("team ") {
            let (team, id) = rest.split_once(' ')?;
            known.program = Program::new(path, id, Signature::Team(team.to_owned()));
        } else if part != "ad hoc" {
            return None;
        }
    }
    known.program.user_agent = user_agent;
    Some((name.to_owned(), known))
}

fn place(rest: &str) -> Option<(String, Place)> {
    let (name, url) = rest.split_once(" = ")?;
    let (port, host) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => (443, host),
        (_, Some(host)) => (80, host),
        _ => {
            let (address, port) = url.rsplit_once(':')?;
            return Some((
                name.to_owned(),
                Place { name: address.to_owned(), port: port.parse().ok()?, is_bare: true },
            ));
        }
    };
    Some((name.to_owned(), Place { name: host.to_owned(), port, is_bare: false }))
}

/// `600 s from 06:00:05, 20 times, give or take 5 %`.
fn again(rest: &str) -> Option<Again> {
    let (every, rest) = rest.split_once(" s from ")?;
    let mut parts = rest.split(", ");
    let first = clock_time(parts.next()?)?;
    let times: usize = parts.next()?.strip_suffix(" times")?.parse().ok()?;
    let spread: f64 = match parts.next() {
        Some(part) => part.strip_prefix("give or take ")?.strip_suffix(" %")?.parse().ok()?,
        None => 0.0,
    };
    let every: f64 = every.parse().ok()?;
    let longest = (LONGEST_DAYS * 86_400) as f64;
    let fits = (1..=MOST_TIMES).contains(&times) && every > 0.0 && every * times as f64 <= longest;
    let fits = fits && (0.0..=100.0).contains(&spread);
    fits.then_some(Again { every, first, times, spread: spread / 100.0, steps: Vec::new() })
}

fn timed_step(line: &Line<'_>) -> Result<Step, StoryError> {
    let (day, rest) = match line.text.strip_prefix("day ") {
        Some(rest) => {
            let (day, rest) = rest.split_once(' ').ok_or_else(|| line.error("`day 2 06:00 …`"))?;
            (format!("day {day} "), rest)
        }
        None => (String::new(), line.text),
    };
    let (clock, rest) = rest.split_once(' ').ok_or_else(|| line.error("a time, then who does what"))?;
    let time = clock_time(&format!("{day}{clock}")).ok_or_else(|| {
        line.error("a time as 06:00:05, or one of recorded, quiet, lost, asleep, program, service, every")
    })?;
    step(line, time, rest)
}

fn repeated_step(line: &Line<'_>) -> Result<Step, StoryError> {
    let offset = line.text.strip_prefix('+').and_then(|rest| rest.split_once(' '));
    let (offset, rest) = offset.ok_or_else(|| line.error("`+2 WHO does WHAT`, the seconds after the beginning"))?;
    let offset: f64 = offset.parse().map_err(|_| line.error("seconds after `+`"))?;
    if !(0.0..=86_400.0).contains(&offset) {
        return Err(line.error("seconds of a day after `+`"));
    }
    step(line, seconds(offset), rest)
}

fn step(line: &Line<'_>, time: Moment, rest: &str) -> Result<Step, StoryError> {
    let (who, rest) = rest.split_once(' ').ok_or_else(|| line.error("who does what"))?;
    let deed = deed(rest).ok_or_else(|| {
        line.error(
            "`starts PROGRAM [as NAME] [as job LABEL][: COMMAND]`, `ends`, `writes PATH`, `removes PATH`, `renames PATH to PATH`, \
             `installs PLIST for PATH`, `asks SERVICE[/PATH]: OUTCOME` or `posts BYTES to SERVICE[/PATH]: OUTCOME`",
        )
    })?;
    Ok(Step { line: line.number, time, who: who.to_owned(), deed })
}

fn deed(text: &str) -> Option<Deed> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    match verb {
        "ends" => Some(Deed::Ends),
        "writes" => Some(Deed::Writes(rest.to_owned())),
        "removes" => Some(Deed::Removes(rest.to_owned())),
        "renames" => rest.split_once(" to ").map(|(from, to)| Deed::Renames(from.to_owned(), to.to_owned())),
        "installs" => rest.split_once(" for ").map(|(plist, path)| Deed::Installs(plist.to_owned(), path.to_owned())),
        "starts" => starts(rest),
        "asks" => asks(rest, None),
        "posts" => {
            let (body, rest) = rest.split_once(" to ")?;
            asks(rest, Some(Number::parse(body)?))
        }
        _ => None,
    }
}

fn starts(rest: &str) -> Option<Deed> {
    let (head, command) = match rest.split_once(": ") {
        Some((head, command)) => (head, Some(command.to_owned())),
        None => (rest, None),
    };
    let mut parts = head.split(" as ");
    let what = parts.next()?.to_owned();
    let mut deed = (what.clone(), None);
    for part in parts {
        match part.strip_prefix("job ") {
            Some(label) => deed.1 = Some(label.to_owned()),
            None => deed.0 = part.to_owned(),
        }
    }
    Some(Deed::Starts { what, name: deed.0, job: deed.1, command })
}

fn asks(rest: &str, body: Option<Number>) -> Option<Deed> {
    let (target, outcome) = rest.split_once(": ")?;
    let (place, path) = match target.split_once('/') {
        Some((place, path)) => (place, format!("/{path}")),
        None => (target, "/".to_owned()),
    };
    // In the background `nsurlsessiond` asks in the program's stead, and keeps the reply until it is collected.
    let (outcome, collected) = match (outcome.strip_suffix(", collected"), outcome.strip_suffix(", never collected")) {
        (Some(outcome), _) => (outcome, Some(true)),
        (_, Some(outcome)) => (outcome, Some(false)),
        _ => (outcome, None),
    };
    Some(Deed::Asks { place: place.to_owned(), path, body, outcome: Outcome::parse(outcome)?, collected })
}
