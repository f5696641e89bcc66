//! Santa's messages (`SantaMessage` of `santa.proto`), in the JSON of protobuf: names with underscores, bytes as Base64,
//! 64-bit numbers as texts, members of an enumeration by name.

use super::{SIGHTS, activity, base64};
use crate::{
    endpoint::{Fields, JsonFormat, Place, Said, Sensor, Time},
    texts::{self, Texts},
};
use monologue_model::{
    Detail, FileEffect, FileEffectKind, LaunchItem, ProcessExec, ProcessExit, ProcessFork, ProcessImage, ProcessKey,
    SignatureState,
};
use std::sync::Arc;

/// Santa's JSON.
pub(crate) const SANTA: JsonFormat = JsonFormat {
    name: "santa",
    about: "Santa events, JSON; bytes of flows: presence, and silence only of closed flows",
    sights: SIGHTS,
    lacks,
    marks: &["\"event_time\"", "\"machine_id\""],
    sensor: |_| Box::new(Santa),
    lenient: false,
};

/// Names of the events, each a member of the message.
const EVENTS: &[&str] = &[
    "execution",
    "fork",
    "exit",
    "close",
    "rename",
    "unlink",
    "link",
    "exchangedata",
    "disk",
    "bundle",
    "allowlist",
    "file_access",
    "codesigning_invalidated",
    "login_window_session",
    "login_logout",
    "screen_sharing",
    "open_ssh",
    "authentication",
    "clone",
    "copyfile",
    "gatekeeper_override",
    "launch_item",
    "tcc_modification",
    "xprotect",
    "network_activity",
    "proc_suspend_resume",
];

fn lacks(record: Fields<'_>) -> Option<String> {
    let has_event = EVENTS.iter().any(|name| record.part(name).is_some());
    (!has_event || record.value("event_time").is_none() || record.value("event_type").is_some())
        .then(|| "the first record has no `event_time` with an event of Santa, such as `execution`".to_owned())
}

/// Santa's messages.
pub(super) struct Santa;

impl Sensor for Santa {
    fn take(&mut self, record: Fields<'_>, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let Some((name, event)) = EVENTS.iter().find_map(|name| Some((*name, record.part(name)?))) else {
            return Err("expected an event of Santa, such as `execution`".to_owned());
        };
        let time = record.time("event_time", Time::Utc)?;
        let host = record.text("machine_id").map(|host| texts.text(&host));
        let mut context = Context { boot: boot(record, texts), texts };
        let detail = match name {
            "network_activity" => return activity::take(record, event, time, host.as_ref(), &mut context),
            "execution" if event.text("decision").is_some_and(|decision| decision == "DECISION_DENY") => {
                return Ok(Said::Skipped("program that was not allowed to run"));
            }
            "execution" => context.execution(event)?,
            "fork" => Detail::ProcessFork(Box::new(ProcessFork {
                parent: context.process(event, "instigator")?,
                child: context.process(event, "child")?,
            })),
            "exit" => match context.exit(event)? {
                Some(detail) => detail,
                None => return Ok(Said::Skipped("process stopped, not ended")),
            },
            "close" if event.flag("modified") != Some(true) => return Ok(Said::Skipped("file closed without change")),
            "close" => context.file(event, FileEffectKind::Write, "target.path", None)?,
            "unlink" => context.file(event, FileEffectKind::Unlink, "target.path", None)?,
            "rename" => context.file(event, FileEffectKind::Rename, "source.path", Some("target"))?,
            "link" | "clone" | "copyfile" => {
                context.file(event, FileEffectKind::Copy, "source.path", Some("target"))?
            }
            "launch_item" => context.launch_item(event)?,
            _ => return Ok(Said::Skipped("event type not used")),
        };
        Ok(Said::one(time, host, detail))
    }
}

/// The boot session, as the model writes it.
fn boot(record: Fields<'_>, texts: &mut Texts) -> Option<Arc<str>> {
    let uuid = record.text("boot_session_uuid")?.replace('-', "").to_ascii_uppercase();
    (uuid.len() == 32 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| texts.text(&uuid))
}

/// What all processes of a message share.
pub(super) struct Context<'a> {
    pub(super) boot: Option<Arc<str>>,
    pub(super) texts: &'a mut Texts,
}

impl Context<'_> {
    /// One process of an event.
    pub(super) fn process(&mut self, event: Fields<'_>, name: &str) -> Result<ProcessImage, String> {
        let process = event.part(name).ok_or_else(|| format!("expected a process in `{name}`"))?;
        let key = self.key(process, "id").ok_or_else(|| format!("expected `pid` in `{name}.id`"))?;
        let team = process.text("code_signature.team_id");
        let signing_id = process.text("code_signature.signing_id");
        let platform = process.flag("is_platform_binary");
        let flags = process.number("cs_flags");
        let path = process.text("executable.path");
        let is_described = process.value("code_signature").is_some() || flags.is_some();
        let signature = if is_described || platform == Some(true) {
            SignatureState::from_fields(platform.or(Some(false)), team.as_deref(), flags)
        } else {
            // The short form of a process says nothing of its signature.
            SignatureState::Unknown
        };
        Ok(ProcessImage {
            key,
            path: self.texts.some(path.as_deref()),
            signing_id: self.texts.some(signing_id.as_deref()),
            team_id: self.texts.some(team.as_deref()),
            cdhash: self.cdhash(process),
            code_uuid: None,
            signature,
            user_id: process.number("effective_user.uid"),
            parent: self.key(process, "parent_id"),
            // A process of number 0 stands for none.
            responsible: self.key(process, "responsible_id").filter(|key| key.pid != Some(0)),
        })
    }

    fn key(&self, process: Fields<'_>, name: &str) -> Option<ProcessKey> {
        let id = process.part(name)?;
        // Protobuf leaves out what is 0.
        let pid = id.number("pid").or_else(|| id.value("pid").is_none().then_some(0))?;
        let key = ProcessKey::from_pid(pid, id.number("pidversion"));
        Some(ProcessKey { boot: self.boot.clone(), ..key })
    }

    /// A code directory hash: 20 bytes in Base64.
    fn cdhash(&mut self, process: Fields<'_>) -> Option<Arc<str>> {
        let bytes = base64::decode(&process.text("code_signature.cdhash")?)?;
        let hash: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.texts.cdhash(Some(&hash))
    }

    fn execution(&mut self, event: Fields<'_>) -> Result<Detail, String> {
        let target = self.process(event, "target")?;
        let text = |encoded: &str| base64::decode(encoded).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let given: Vec<String> =
            event.list("args").iter().take(texts::ARGUMENT_CAP).filter_map(|one| text(one.as_str()?)).collect();
        let mut environment = event.list("envs").iter().filter_map(|one| text(one.as_str()?));
        let label = environment.find_map(|one| one.strip_prefix("XPC_SERVICE_NAME=").map(str::to_owned));
        let label = label.filter(|label| !matches!(&**label, "" | "0"));
        let (script, folder) = (event.text("script.path"), event.text("working_directory.path"));
        Ok(Detail::ProcessExec(Box::new(ProcessExec {
            previous: self.process(event, "instigator").unwrap_or_default(),
            target,
            arguments: texts::arguments(&given),
            script: self.texts.some(script.as_deref()),
            working_directory: self.texts.some(folder.as_deref()),
            launch_label: self.texts.some(label.as_deref()),
        })))
    }

    fn exit(&mut self, event: Fields<'_>) -> Result<Option<Detail>, String> {
        let process = self.process(event, "instigator")?;
        let status = match (event.part("exited"), event.part("signaled"), event.part("stopped")) {
            (_, _, Some(_)) => return Ok(None),
            (Some(exited), _, _) => Some(exited.number::<i32>("exit_status").unwrap_or(0))
                .filter(|code| (0..=255).contains(code))
                .map(|code| code << 8),
            (_, Some(signaled), _) => signaled.number::<i32>("signal").filter(|signal| (1..=127).contains(signal)),
            _ => None,
        };
        Ok(Some(Detail::ProcessExit(Box::new(ProcessExit { process, status }))))
    }

    fn file(
        &mut self,
        event: Fields<'_>,
        effect: FileEffectKind,
        path: &str,
        target: Option<&str>,
    ) -> Result<Detail, String> {
        let process = self.process(event, "instigator")?;
        let found = event.text(path).ok_or_else(|| format!("expected `{path}`"))?;
        let target = target.and_then(|name| event.text(name));
        Ok(Detail::FileEffect(Box::new(FileEffect {
            process,
            effect,
            path: self.texts.text(&found),
            target: self.texts.some(target.as_deref()),
        })))
    }

    fn launch_item(&mut self, event: Fields<'_>) -> Result<Detail, String> {
        let added = match event.text("action").as_deref() {
            Some("ACTION_ADD") => true,
            Some("ACTION_REMOVE") => false,
            _ => return Err("expected ACTION_ADD or ACTION_REMOVE in `action`".to_owned()),
        };
        let item = event.text("item_path").map(|item| match event.text("app_path") {
            // The item of an application is written relative to its bundle.
            Some(application) if !item.starts_with('/') => {
                format!("{}/{item}", application.strip_suffix('/').unwrap_or(&application))
            }
            _ => item.into_owned(),
        });
        let executable = event.text("executable_path");
        Ok(Detail::LaunchItem(Box::new(LaunchItem {
            instigator: self.process(event, "trigger_process").ok(),
            added,
            item: self.texts.some(item.as_deref()),
            executable: self.texts.some(executable.as_deref()),
        })))
    }
}
