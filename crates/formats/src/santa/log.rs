//! Santa's text log: `[time] I santad: action=EXEC|decision=ALLOW|…`, milliseconds, UTC.
//!
//! A vertical bar in a value is written `<pipe>`, line ends as `\n` and `\r`; a value may hold `=`. A fork names the child
//! as `pid`. Some actions leave `pidversion` out.

use crate::{
    endpoint::{
        Place, Said, deeds,
        rows::{RowFormat, RowSensor},
    },
    texts::Texts,
};
use monologue_model::{
    Detail, FileEffect, FileEffectKind, ProcessExit, ProcessFork, ProcessImage, ProcessKey, Sight, SightSet,
    SignatureState, Timestamp,
};
use std::sync::Arc;

/// Santa's text log.
pub(crate) const SANTA_LOG: RowFormat = RowFormat {
    name: "santa-log",
    about: "Santa events, text log (santa.log); which events it writes is a setting: presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessFork,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::FileEffect,
    ]),
    lacks,
    sensor: |_| Box::new(Log),
};

fn lacks(line: &str) -> Option<String> {
    let is_line = line.starts_with('[') && line.contains("] ") && line.contains("santad: action=");
    (!is_line).then(|| "the first line is not `[time] I santad: action=…`".to_owned())
}

struct Log;

/// Values of one line by name.
struct Values<'a>(Vec<(&'a str, &'a str)>);

impl Values<'_> {
    /// A value, escapes undone. `None` if it is not there or empty.
    fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        let plain = value.replace("<pipe>", "|").replace("\\n", "\n").replace("\\r", "\r");
        (!plain.is_empty() && plain != "(null)").then_some(plain)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

impl RowSensor for Log {
    fn line(&mut self, line: &str, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let (stamp, rest) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
            .ok_or("expected a time in brackets, such as [2026-11-24T08:00:00.000Z]")?;
        let time = Timestamp::parse(stamp).map_err(|error| error.to_string())?;
        let (_, pairs) = rest.split_once(": ").ok_or("expected `santad: ` before the values")?;
        let values = Values(pairs.split('|').filter_map(|pair| pair.split_once('=')).collect());
        let action = values.text("action").ok_or("expected `action=`")?;
        let host = values.text("machineid").map(|host| texts.text(&host));
        let detail = match &*action {
            "EXEC" if values.text("decision").is_some_and(|decision| decision == "DENY") => {
                return Ok(Said::Skipped("program that was not allowed to run"));
            }
            "EXEC" => exec(&values, texts)?,
            "FORK" => fork(&values, texts)?,
            "EXIT" => Detail::ProcessExit(Box::new(ProcessExit { process: actor(&values, texts)?, status: None })),
            "WRITE" => file(&values, FileEffectKind::Write, texts)?,
            "DELETE" => file(&values, FileEffectKind::Unlink, texts)?,
            "RENAME" => file(&values, FileEffectKind::Rename, texts)?,
            "LINK" | "CLONE" | "COPYFILE" => file(&values, FileEffectKind::Copy, texts)?,
            _ => return Ok(Said::Skipped("action not used")),
        };
        Ok(Said::one(time, host, detail))
    }
}

fn key(values: &Values<'_>) -> Result<ProcessKey, String> {
    let pid = values.number("pid").ok_or("expected `pid=`")?;
    Ok(ProcessKey::from_pid(pid, values.number("pidversion")))
}

/// The process that did something to a file: here `path` is that of the file, and `process` the program's name or path.
fn actor(values: &Values<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    let path = values.text("processpath").or_else(|| values.text("process").filter(|path| path.starts_with('/')));
    Ok(ProcessImage {
        key: key(values)?,
        path: texts.some(path.as_deref()),
        user_id: values.number("uid"),
        parent: values.number("ppid").map(|pid| ProcessKey::from_pid(pid, None)),
        ..ProcessImage::default()
    })
}

/// What the certificate and the identifiers of an execution say of its signature.
fn signature(values: &Values<'_>) -> (SignatureState, Option<String>) {
    let team = values.text("teamid");
    let is_signed = values.text("cert_sha256").is_some();
    let by_apple = values.text("cert_cn").is_some_and(|name| name == "Software Signing");
    let state = match (by_apple, team.is_some(), is_signed) {
        (true, _, _) => SignatureState::Platform,
        (_, true, _) => SignatureState::Team,
        _ => SignatureState::Unknown,
    };
    (state, team)
}

fn exec(values: &Values<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let (signature, team) = signature(values);
    let path = values.text("path").ok_or("expected `path=`")?;
    // `signingid` is written as `team:identifier` or `platform:identifier`.
    let signing_id = values.text("signingid").map(|id| id.rsplit(':').next().unwrap_or_default().to_owned());
    let target = ProcessImage {
        key: key(values)?,
        path: Some(texts.text(&path)),
        signing_id: texts.some(signing_id.as_deref()),
        team_id: texts.some(team.as_deref()),
        cdhash: texts.cdhash(values.text("cdhash").as_deref()),
        signature,
        user_id: values.number("uid"),
        parent: values.number("ppid").map(|pid| ProcessKey::from_pid(pid, None)),
        ..ProcessImage::default()
    };
    Ok(deeds::started(target, &values.text("args").unwrap_or_default()))
}

/// A fork names the child as `pid` and the parent as `ppid`.
fn fork(values: &Values<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let child = actor(values, texts)?;
    let parent = ProcessImage { key: child.parent.clone().unwrap_or_default(), ..ProcessImage::default() };
    Ok(Detail::ProcessFork(Box::new(ProcessFork { parent, child })))
}

fn file(values: &Values<'_>, effect: FileEffectKind, texts: &mut Texts) -> Result<Detail, String> {
    let process = actor(values, texts)?;
    let path: Arc<str> = texts.text(&values.text("path").ok_or("expected `path=`")?);
    let target = values.text("newpath").map(|target| texts.text(&target));
    Ok(Detail::FileEffect(Box::new(FileEffect { process, effect, path, target })))
}
