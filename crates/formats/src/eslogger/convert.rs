//! From the shape of a line to the nouns of the model.

use super::record::{AuditToken, Body, ConnectBody, Copied, Exec, File, LaunchItemBody, Place, Process, Record, Text};
use crate::{
    endpoint::contact::{self, Contact},
    texts::{Texts, arguments},
};
use monologue_model::{
    Detail, FileEffect, FileEffectKind, LaunchItem, ProcessExec, ProcessExit, ProcessFork, ProcessImage, ProcessKey,
    ServiceConnect, Sha256, SignatureState,
};
use std::{borrow::Cow, sync::Arc};

/// `PROT_EXEC` of `sys/mman.h`.
const PROTECTION_EXECUTE: i64 = 0x4;

/// Why a record of a type that says nothing here is passed over.
const UNUSED: &str = "event type not used";

/// What a record means.
pub(super) enum Meaning {
    /// An event.
    Event(Detail),
    /// Of no use; why.
    Skipped(&'static str),
    /// It lacks something; what was expected.
    Malformed(&'static str),
}

/// Texts seen before.
#[derive(Default)]
pub(super) struct Shared(Texts);

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        self.0.text(text)
    }

    /// The text, unless it is empty: macOS writes what is not there as null or as an empty text.
    fn some_text(&mut self, text: Option<&Text<'_>>) -> Option<Arc<str>> {
        self.0.some(text.map(|text| &*text.0))
    }

    /// The name of a host.
    pub(super) fn host(&mut self, name: &str) -> Arc<str> {
        self.text(name)
    }

    fn path(&mut self, file: Option<&File<'_>>) -> Option<Arc<str>> {
        self.some_text(file.map(|file| &file.path))
    }

    fn image(&mut self, process: &Process<'_>) -> ProcessImage {
        let team = process.team_id.as_ref().map(|team| &*team.0);
        ProcessImage {
            key: key(process.audit_token),
            path: self.path(process.executable.as_ref()),
            signing_id: self.some_text(process.signing_id.as_ref()),
            team_id: self.some_text(process.team_id.as_ref()),
            cdhash: self.0.cdhash(process.cdhash.as_ref().map(|hash| &*hash.0)),
            code_uuid: None,
            signature: SignatureState::from_fields(process.is_platform_binary, team, process.codesigning_flags),
            user_id: process.audit_token.euid,
            parent: process
                .parent_audit_token
                .map(key)
                .or_else(|| process.ppid.map(|pid| ProcessKey::from_pid(pid, None))),
            responsible: process.responsible_audit_token.map(key),
        }
    }
}

const fn key(token: AuditToken) -> ProcessKey {
    ProcessKey::from_pid(token.pid, token.pidversion)
}

/// What the record means.
pub(super) fn meaning(record: &Record<'_>, shared: &mut Shared, sha256: &dyn Fn() -> Sha256) -> Meaning {
    match (&record.event, &record.process) {
        (Body::Performance, _) => Meaning::Skipped("bytes of programs, without saying with whom"),
        (Body::Connect(body), process) => connect(body, process.as_ref(), shared, sha256),
        (body, Some(process)) => deed(process, body, shared),
        (Body::Other, None) => Meaning::Skipped(UNUSED),
        (_, None) => Meaning::Malformed("expected `process`"),
    }
}

fn deed(process: &Process<'_>, body: &Body<'_>, shared: &mut Shared) -> Meaning {
    match body {
        Body::Exec(exec) => Meaning::Event(Detail::ProcessExec(Box::new(process_exec(process, exec, shared)))),
        Body::Fork(fork) => Meaning::Event(Detail::ProcessFork(Box::new(ProcessFork {
            parent: shared.image(process),
            child: shared.image(&fork.child),
        }))),
        Body::Exit(exit) => Meaning::Event(Detail::ProcessExit(Box::new(ProcessExit {
            process: shared.image(process),
            status: exit.stat,
        }))),
        Body::LaunchItemAdd(body) => launch_item(body, true, shared),
        Body::LaunchItemRemove(body) => launch_item(body, false, shared),
        Body::ServiceConnect(body) if body.service_name.0.is_empty() => {
            Meaning::Malformed("expected `service_name` to name a service")
        }
        Body::ServiceConnect(body) => Meaning::Event(Detail::ServiceConnect(Box::new(ServiceConnect {
            process: shared.image(process),
            service: shared.text(&body.service_name.0),
        }))),
        Body::Other => Meaning::Skipped(UNUSED),
        Body::Close(close) if !close.modified => Meaning::Skipped("file closed without change"),
        Body::Map(map) if map.protection & PROTECTION_EXECUTE == 0 => Meaning::Skipped("file mapped, not as code"),
        body => file_effect(process, body, shared),
    }
}

fn process_exec(process: &Process<'_>, exec: &Exec<'_>, shared: &mut Shared) -> ProcessExec {
    let given: Vec<&str> = exec.args.0.iter().map(|argument| &*argument.0).collect();
    let label = exec.env.launch_label.as_deref().filter(|label| !matches!(*label, "" | "0"));
    ProcessExec {
        previous: shared.image(process),
        target: shared.image(&exec.target),
        arguments: arguments(&given),
        script: shared.path(exec.script.as_ref()),
        working_directory: shared.path(exec.cwd.as_ref()),
        launch_label: label.map(|label| shared.text(label)),
    }
}

fn file_effect(process: &Process<'_>, body: &Body<'_>, shared: &mut Shared) -> Meaning {
    const NO_PLACE: &str = "expected `existing_file` or `new_path` in `destination`";
    let (effect, path, target) = match body {
        Body::Create(create) => match place(&create.destination) {
            Some(path) => (FileEffectKind::Create, path, None),
            None => return Meaning::Malformed(NO_PLACE),
        },
        Body::Rename(rename) => match place(&rename.destination) {
            Some(target) => (FileEffectKind::Rename, path_of(&rename.source), Some(target)),
            None => return Meaning::Malformed(NO_PLACE),
        },
        Body::Clone(copied) | Body::CopyFile(copied) => match copy_target(copied) {
            Some(target) => (FileEffectKind::Copy, path_of(&copied.source), Some(target)),
            None => return Meaning::Malformed("expected `target_file`, or `target_dir` and `target_name`"),
        },
        Body::Write(body) => (FileEffectKind::Write, path_of(&body.target), None),
        Body::Close(body) => (FileEffectKind::Write, path_of(&body.target), None),
        Body::Unlink(body) => (FileEffectKind::Unlink, path_of(&body.target), None),
        Body::SetAttribute(body) | Body::DeleteAttribute(body) => {
            (FileEffectKind::Attribute, path_of(&body.target), None)
        }
        Body::SetMode(body) => (FileEffectKind::Mode, path_of(&body.target), None),
        Body::Map(body) => (FileEffectKind::MapExecutable, path_of(&body.source), None),
        _ => return Meaning::Skipped(UNUSED),
    };
    if path.is_empty() {
        return Meaning::Malformed("expected the path of a file");
    }
    Meaning::Event(Detail::FileEffect(Box::new(FileEffect {
        process: shared.image(process),
        effect,
        path: shared.text(&path),
        target: target.map(|target| shared.text(&target)),
    })))
}

fn path_of<'a>(file: &'a File<'_>) -> Cow<'a, str> {
    Cow::Borrowed(&file.path.0)
}

fn place<'a>(place: &'a Place<'_>) -> Option<Cow<'a, str>> {
    match (&place.existing_file, &place.new_path) {
        (Some(file), _) => Some(path_of(file)),
        (None, Some(new)) => Some(join(&new.dir.path.0, &new.filename.0)),
        (None, None) => None,
    }
}

fn copy_target<'a>(copied: &'a Copied<'_>) -> Option<Cow<'a, str>> {
    match (&copied.target_file, &copied.target_dir, &copied.target_name) {
        (Some(file), _, _) => Some(path_of(file)),
        (None, Some(folder), Some(name)) => Some(join(&folder.path.0, &name.0)),
        _ => None,
    }
}

fn join(folder: &str, name: &str) -> Cow<'static, str> {
    Cow::Owned(format!("{}/{name}", folder.strip_suffix('/').unwrap_or(folder)))
}

/// A connect event of Jamf Protect: no bytes, and no end is ever told.
fn connect(
    body: &ConnectBody<'_>,
    process: Option<&Process<'_>>,
    shared: &mut Shared,
    sha256: &dyn Fn() -> Sha256,
) -> Meaning {
    let Some(process) = body.instigator.as_ref().or(process) else {
        return Meaning::Malformed("expected `instigator` to name a process");
    };
    if body.file.as_ref().and_then(|file| file.direction.as_ref()).is_some_and(|word| contact::is_inbound(&word.0)) {
        return Meaning::Skipped("connection begun by the other side");
    }
    let host = |end: &Option<super::record::EndBody<'_>>| {
        end.as_ref().map(|end| (end.host.as_ref().map_or("", |host| &*host.0).to_owned(), end.port.map(|port| port.0)))
    };
    let (far, far_port) = host(&body.remote_endpoint).unwrap_or_default();
    let (near, near_port) = host(&body.local_endpoint).unwrap_or_default();
    let name = body.remote_hostname.as_ref().map_or("", |name| &*name.0);
    let found = Contact {
        far: contact::endpoint(name, &far, far_port),
        local: contact::socket(&near, near_port),
        transport: contact::transport_of_number(body.socket_protocol),
        opened: true,
        ..Contact::default()
    };
    match found.detail(shared.image(process), contact::number(&sha256())) {
        Some(detail) => Meaning::Event(detail),
        None => Meaning::Malformed("expected a remote host or name"),
    }
}

fn launch_item(body: &LaunchItemBody<'_>, added: bool, shared: &mut Shared) -> Meaning {
    let text = |text: &Option<Text<'_>>| text.as_ref().filter(|text| !text.0.is_empty()).map(|text| file_path(&text.0));
    let item = text(&body.item.item_url).map(|item| match text(&body.item.app_url) {
        // The item of an application is written relative to its bundle.
        Some(application) if !item.starts_with('/') && !item.contains("://") => join(&application, &item).into_owned(),
        _ => item,
    });
    let executable = text(&body.executable_path);
    Meaning::Event(Detail::LaunchItem(Box::new(LaunchItem {
        instigator: body.instigator.as_ref().map(|process| shared.image(process)),
        added,
        item: item.map(|item| shared.text(&item)),
        executable: executable.map(|path| shared.text(&path)),
    })))
}

/// The path that a `file:` URL names, percent signs decoded; any other text as it is.
fn file_path(text: &str) -> String {
    let Some(path) = text.strip_prefix("file://").filter(|path| path.starts_with('/')) else {
        return text.to_owned();
    };
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let decoded = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hexadecimal(*high, *low).map(|byte| (byte, after)),
            _ => None,
        };
        let (byte, after) = decoded.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}
