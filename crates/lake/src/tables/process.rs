//! The OCSF objects `process`, `actor` and `file`, and the process images they carry.

use super::{
    Interner,
    error::{Unexpected, narrow_option},
};
use monologue_model::{ProcessImage, ProcessKey, SignatureState};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Text that is borrowed where it can be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// OCSF `actor`: who did it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Actor<'a> {
    /// OCSF: the process that did it. Null means nobody recorded it.
    pub(super) process: Option<Process<'a>>,
}

/// OCSF `process`. Null means nobody recorded it, in every column of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Process<'a> {
    /// OCSF: last part of the program's path. Follows from `file.path`.
    name: Option<&'a str>,
    /// OCSF: process number, reused within hours; `monologue.pidversion` tells the uses apart.
    pid: Option<i64>,
    /// OCSF: command line, secrets redacted: the arguments joined by spaces, for reading. Only the process that was
    /// launched has one.
    pub(super) cmd_line: Option<Text<'a>>,
    /// OCSF: working directory. Only the process that was launched has one.
    pub(super) working_directory: Option<&'a str>,
    /// OCSF: the program.
    file: Option<Program<'a>>,
    /// OCSF: under which user it ran.
    user: Option<User<'a>>,
    /// OCSF: the process that started it.
    parent_process: Option<ProcessReference<'a>>,
    /// What OCSF has no names for.
    monologue: ProcessFacts<'a>,
}

/// OCSF `file`, as far as a running program tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Program<'a> {
    /// OCSF: path of the executable file.
    path: Option<&'a str>,
    /// OCSF: its code signature.
    signature: Option<Signature<'a>>,
}

/// OCSF `digital_signature`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Signature<'a> {
    /// OCSF: team identifier, ten characters that Apple gave to the developer.
    developer_uid: &'a str,
}

/// OCSF `user`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct User<'a> {
    /// OCSF: effective user id, in decimal.
    uid: Text<'a>,
}

/// OCSF `process`, as a reference to another process instance.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ProcessReference<'a> {
    /// OCSF: process number.
    pid: Option<i64>,
    /// What OCSF has no names for.
    monologue: InstanceFacts<'a>,
}

/// What makes a process number unique.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct InstanceFacts<'a> {
    /// The host of the process, where the process itself names it.
    host: Option<&'a str>,
    /// The boot session: a UUID without dashes, upper case.
    boot: Option<&'a str>,
    /// Version of the process number: changes at every fork and exec.
    pidversion: Option<i64>,
    /// The sensor's own identifier of this process.
    instance: Option<&'a str>,
}

/// What OCSF has no names for in a process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ProcessFacts<'a> {
    /// The host of the process, where the process itself names it.
    host: Option<&'a str>,
    /// The boot session: a UUID without dashes, upper case.
    boot: Option<&'a str>,
    /// Version of the process number: changes at every fork and exec.
    pidversion: Option<i64>,
    /// The sensor's own identifier of this process.
    instance: Option<&'a str>,
    /// Signing identifier, such as `com.example.agent`.
    signing_id: Option<&'a str>,
    /// Code directory hash: 40 hexadecimal digits, lower case.
    cdhash: Option<&'a str>,
    /// `LC_UUID` of the executable: 32 hexadecimal digits, upper case.
    code_uuid: Option<&'a str>,
    /// What is known of the signature: `unknown`, `unsigned`, `ad-hoc`, `team` or `platform`.
    signature: SignatureState,
    /// The process that macOS holds responsible for this one.
    responsible: Option<ProcessReference<'a>>,
}

/// The last part of a path.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl<'a> ProcessReference<'a> {
    fn of(key: &'a ProcessKey) -> Self {
        Self {
            pid: key.pid.map(i64::from),
            monologue: InstanceFacts {
                host: key.host.as_deref(),
                boot: key.boot.as_deref(),
                pidversion: key.pidversion.map(i64::from),
                instance: key.instance.as_deref(),
            },
        }
    }

    fn key(&self, interner: &mut Interner) -> Result<ProcessKey, Unexpected> {
        Ok(ProcessKey {
            host: interner.option(self.monologue.host),
            boot: interner.option(self.monologue.boot),
            pid: narrow_option(self.pid, "pid of a parent or responsible process")?,
            pidversion: narrow_option(self.monologue.pidversion, "pidversion of a parent or responsible process")?,
            instance: interner.option(self.monologue.instance),
        })
    }
}

impl<'a> Process<'a> {
    /// The columns of a process image.
    pub(super) fn of(image: &'a ProcessImage) -> Self {
        let signature = image.team_id.as_deref().map(|developer_uid| Signature { developer_uid });
        let path = image.path.as_deref();
        Self {
            name: path.map(last_part),
            pid: image.key.pid.map(i64::from),
            cmd_line: None,
            working_directory: None,
            file: (path.is_some() || signature.is_some()).then_some(Program { path, signature }),
            user: image.user_id.map(|uid| User { uid: uid.to_string().into() }),
            parent_process: image.parent.as_ref().map(ProcessReference::of),
            monologue: ProcessFacts {
                host: image.key.host.as_deref(),
                boot: image.key.boot.as_deref(),
                pidversion: image.key.pidversion.map(i64::from),
                instance: image.key.instance.as_deref(),
                signing_id: image.signing_id.as_deref(),
                cdhash: image.cdhash.as_deref(),
                code_uuid: image.code_uuid.as_deref(),
                signature: image.signature,
                responsible: image.responsible.as_ref().map(ProcessReference::of),
            },
        }
    }

    /// The process image the columns carry.
    pub(super) fn image(&self, interner: &mut Interner) -> Result<ProcessImage, Unexpected> {
        let signature = self.file.as_ref().and_then(|file| file.signature.as_ref());
        let user_id = self.user.as_ref().map(|user| {
            let uid = &*user.uid.0;
            uid.parse().map_err(|_| Unexpected::new("process.user.uid", "a user id in decimal", uid))
        });
        let facts = &self.monologue;
        Ok(ProcessImage {
            key: ProcessKey {
                host: interner.option(facts.host),
                boot: interner.option(facts.boot),
                pid: narrow_option(self.pid, "process.pid")?,
                pidversion: narrow_option(facts.pidversion, "process.monologue.pidversion")?,
                instance: interner.option(facts.instance),
            },
            path: interner.option(self.file.as_ref().and_then(|file| file.path)),
            signing_id: interner.option(facts.signing_id),
            team_id: interner.option(signature.map(|signature| signature.developer_uid)),
            cdhash: interner.option(facts.cdhash),
            code_uuid: interner.option(facts.code_uuid),
            signature: facts.signature,
            user_id: user_id.transpose()?,
            parent: self.parent_process.as_ref().map(|parent| parent.key(interner)).transpose()?,
            responsible: facts.responsible.as_ref().map(|process| process.key(interner)).transpose()?,
        })
    }
}

impl<'a> Actor<'a> {
    /// The actor that is this process.
    pub(super) fn of(image: &'a ProcessImage) -> Self {
        Self { process: Some(Process::of(image)) }
    }

    /// The process that acted, where recorded.
    pub(super) fn image(&self, interner: &mut Interner) -> Result<Option<ProcessImage>, Unexpected> {
        self.process.as_ref().map(|process| process.image(interner)).transpose()
    }
}

/// OCSF `file`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct File<'a> {
    /// OCSF: last part of the path. Follows from `path`.
    name: &'a str,
    /// OCSF: the whole path.
    pub(super) path: &'a str,
}

impl<'a> File<'a> {
    /// The file of that path.
    pub(super) fn of(path: &'a str) -> Self {
        Self { name: last_part(path), path }
    }
}
