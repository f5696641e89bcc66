//! `monologue send`: lines that an output wrote, to Splunk, Elastic, syslog or a webhook.

use crate::{
    cli::{SendArguments, SendTarget},
    talk::{Verdict, note},
};
use anyhow::{Context, Result, bail};
use monologue_send::{Credentials, Options, Secret, Summary, Target};
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    time::Duration,
};

/// Runs the command.
///
/// # Errors
/// When the file, the address or the credentials cannot be used, or dead letters cannot be written.
pub(crate) fn send(arguments: &SendArguments) -> Result<Verdict> {
    let file = &arguments.file;
    let from_standard_input = file == Path::new("-");
    let dead_letters = match &arguments.dead_letters {
        Some(path) => path.clone(),
        None if from_standard_input => PathBuf::from("monologue.unsent"),
        None => beside(file),
    };
    if !from_standard_input && dead_letters == *file {
        bail!("expected another file for the dead letters than the one that is sent");
    }
    let target = arguments.to.into();
    let mut options = Options::new(target, &arguments.url, dead_letters);
    options.credentials = credentials(target)?;
    options.allow_plain_text = arguments.allow_plain_text;
    options.proxy.clone_from(&arguments.proxy);
    options.batch_items = arguments.batch;
    options.retries = arguments.retries;
    options.timeout = Duration::from_secs(arguments.timeout);
    if let Some(path) = &arguments.authorities {
        options.authorities = Some(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let mut input: Box<dyn BufRead> = if from_standard_input {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened =
            File::open(file).with_context(|| format!("cannot read {}; hint: check the path", file.display()))?;
        Box::new(BufReader::new(opened))
    };
    let mut wait = |time: Duration| {
        note(&format!("the receiver is not ready: trying again in {} s", time.as_secs()));
        std::thread::sleep(time);
    };
    let summary = monologue_send::send(&options, input.as_mut(), &mut wait)?;
    tell(&summary, &options);
    Ok(if summary.is_complete() { Verdict::Nothing } else { Verdict::Error })
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".unsent");
    PathBuf::from(name)
}

/// From the environment, where other users of the machine cannot see them as they see arguments.
fn credentials(target: Target) -> Result<Option<Credentials>> {
    if target == Target::Syslog {
        return Ok(None);
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let token = variable("MONOLOGUE_SEND_TOKEN");
    let user = variable("MONOLOGUE_SEND_USER");
    let password = variable("MONOLOGUE_SEND_PASSWORD");
    match (token, user, password) {
        (Some(token), None, None) => Ok(Some(Credentials::Token(Secret::new(token)))),
        (None, Some(user), Some(password)) => Ok(Some(Credentials::Password(user, Secret::new(password)))),
        (None, None, None) if target == Target::SplunkHec => {
            bail!("expected a token for Splunk's collector; hint: put it into MONOLOGUE_SEND_TOKEN")
        }
        (None, None, None) => Ok(None),
        _ => bail!(
            "expected either a token or user and password; hint: set MONOLOGUE_SEND_TOKEN, or MONOLOGUE_SEND_USER and \
             MONOLOGUE_SEND_PASSWORD"
        ),
    }
}

fn tell(summary: &Summary, options: &Options) {
    let known =
        if summary.known > 0 { format!(" ({} of them were there already)", summary.known) } else { String::new() };
    note(&format!("sent {}{known}, refused {}, not sent {}", summary.taken, summary.refused, summary.unsent));
    for (reason, count) in &summary.reasons {
        note(&format!("refused {count}: {reason}"));
    }
    if let Some(reason) = &summary.stopped {
        note(&format!("stopped: {reason}"));
    }
    if summary.refused + summary.unsent > 0 {
        let path = options.dead_letters.display();
        note(&format!("hint: what is left is in {path}, and `monologue send` takes that file as it is"));
    }
    if options.target == Target::Syslog && summary.taken > 0 {
        note("syslog acknowledges nothing: sent means written to the connection");
    }
}

impl From<SendTarget> for Target {
    fn from(target: SendTarget) -> Self {
        match target {
            SendTarget::SplunkHec => Self::SplunkHec,
            SendTarget::Elastic => Self::Elastic,
            SendTarget::Syslog => Self::Syslog,
            SendTarget::Webhook => Self::Webhook,
        }
    }
}
