//! The shape of one `eslogger` line, as far as it is used: text is borrowed where it can be, `stat` blocks and the
//! environment are passed over without building values.

use crate::texts::ARGUMENT_CAP;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// Variable of the environment that names the launch job.
const LAUNCH_LABEL: &str = "XPC_SERVICE_NAME=";

/// One line: message versions 9, 10 and 11 of Endpoint Security as `eslogger`, Mac Monitor and Jamf Protect write them.
#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) time: Text<'a>,
    pub(super) event_type: Option<u32>,
    pub(super) seq_num: Option<u64>,
    /// Jamf Protect has its own name for it.
    #[serde(alias = "glob_seq_num")]
    pub(super) global_seq_num: Option<u64>,
    /// Records that Jamf Protect adds of its own have none.
    #[serde(borrow)]
    pub(super) process: Option<Process<'a>>,
    /// The host, which Jamf Protect names.
    #[serde(borrow)]
    pub(super) host: Option<HostBody<'a>>,
    #[serde(borrow)]
    pub(super) event: Body<'a>,
}

/// Text that borrows from the line unless it holds escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// One process.
#[derive(Deserialize)]
pub(super) struct Process<'a> {
    pub(super) audit_token: AuditToken,
    pub(super) parent_audit_token: Option<AuditToken>,
    pub(super) responsible_audit_token: Option<AuditToken>,
    pub(super) ppid: Option<u32>,
    #[serde(borrow)]
    pub(super) executable: Option<File<'a>>,
    #[serde(borrow)]
    pub(super) signing_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) team_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) cdhash: Option<Text<'a>>,
    pub(super) codesigning_flags: Option<u32>,
    pub(super) is_platform_binary: Option<bool>,
}

/// A file, of which only the path is used.
#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow)]
    pub(super) path: Text<'a>,
}

/// The parts of an audit token that are used. macOS writes it as an object, or as an array of eight numbers: audit user,
/// effective user, effective group, real user, real group, process, audit session, version of the process number.
#[derive(Clone, Copy)]
pub(super) struct AuditToken {
    pub(super) euid: Option<u32>,
    pub(super) pid: u32,
    pub(super) pidversion: Option<u32>,
}

impl<'de> Deserialize<'de> for AuditToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = AuditToken;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an audit token: an object with `pid`, or an array of eight numbers")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<AuditToken, M::Error> {
        let (mut euid, mut pid, mut pidversion) = (None, None, None);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "euid" => euid = map.next_value()?,
                "pid" => pid = map.next_value()?,
                "pidversion" => pidversion = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let pid = pid.ok_or_else(|| M::Error::missing_field("pid"))?;
        Ok(AuditToken { euid, pid, pidversion })
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<AuditToken, S::Error> {
        let mut numbers = [0_u32; 8];
        for (place, number) in numbers.iter_mut().enumerate() {
            *number = sequence.next_element()?.ok_or_else(|| S::Error::invalid_length(place, &self))?;
        }
        if sequence.next_element::<IgnoredAny>()?.is_some() {
            return Err(S::Error::invalid_length(9, &self));
        }
        let [_, euid, _, _, _, pid, _, pidversion] = numbers;
        Ok(AuditToken { euid: Some(euid), pid, pidversion: Some(pidversion) })
    }
}

/// What happened: the single member of `event`, whose name is the event type.
pub(super) enum Body<'a> {
    Exec(Box<Exec<'a>>),
    Fork(Box<Fork<'a>>),
    Exit(Exit),
    Create(Create<'a>),
    Write(OneFile<'a>),
    Close(Close<'a>),
    Rename(Rename<'a>),
    Unlink(OneFile<'a>),
    Clone(Copied<'a>),
    CopyFile(Copied<'a>),
    SetAttribute(OneFile<'a>),
    DeleteAttribute(OneFile<'a>),
    SetMode(OneFile<'a>),
    Map(Mapped<'a>),
    LaunchItemAdd(Box<LaunchItemBody<'a>>),
    LaunchItemRemove(Box<LaunchItemBody<'a>>),
    ServiceConnect(ServiceConnectBody<'a>),
    /// Jamf Protect: a connection.
    Connect(Box<ConnectBody<'a>>),
    /// Jamf Protect: what each program used of the machine.
    Performance,
    /// A type of event that is not used.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with one member, named after the event type")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Body<'de>, M::Error> {
        let name = map.next_key::<Text<'de>>()?.ok_or_else(|| M::Error::invalid_length(0, &self))?;
        let body = match &*name.0 {
            "exec" => Body::Exec(map.next_value()?),
            "fork" => Body::Fork(map.next_value()?),
            "exit" => Body::Exit(map.next_value()?),
            "create" => Body::Create(map.next_value()?),
            "write" => Body::Write(map.next_value()?),
            "close" => Body::Close(map.next_value()?),
            "rename" => Body::Rename(map.next_value()?),
            "unlink" => Body::Unlink(map.next_value()?),
            "clone" => Body::Clone(map.next_value()?),
            "copyfile" => Body::CopyFile(map.next_value()?),
            "setextattr" => Body::SetAttribute(map.next_value()?),
            "deleteextattr" => Body::DeleteAttribute(map.next_value()?),
            "setmode" => Body::SetMode(map.next_value()?),
            "mmap" => Body::Map(map.next_value()?),
            "btm_launch_item_add" => Body::LaunchItemAdd(map.next_value()?),
            "btm_launch_item_remove" => Body::LaunchItemRemove(map.next_value()?),
            "xpc_connect" => Body::ServiceConnect(map.next_value()?),
            "network_connect" => Body::Connect(map.next_value()?),
            other => {
                let is_performance = other == "system_performance";
                map.next_value::<IgnoredAny>()?;
                if is_performance { Body::Performance } else { Body::Other }
            }
        };
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(M::Error::invalid_length(2, &self));
        }
        Ok(body)
    }
}

/// `exec` (9).
#[derive(Deserialize)]
pub(super) struct Exec<'a> {
    #[serde(borrow)]
    pub(super) target: Process<'a>,
    #[serde(borrow, default)]
    pub(super) args: Arguments<'a>,
    #[serde(default)]
    pub(super) env: Environment,
    #[serde(borrow)]
    pub(super) cwd: Option<File<'a>>,
    #[serde(borrow)]
    pub(super) script: Option<File<'a>>,
}

/// The first arguments of a command line; the rest is passed over.
#[derive(Default)]
pub(super) struct Arguments<'a>(pub(super) Vec<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;
        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = Arguments<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of texts")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Arguments::default())
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Self::Value, S::Error> {
                let mut arguments = Vec::new();
                while arguments.len() < ARGUMENT_CAP {
                    match sequence.next_element()? {
                        Some(argument) => arguments.push(argument),
                        None => return Ok(Arguments(arguments)),
                    }
                }
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Arguments(arguments))
            }
        }
        deserializer.deserialize_any(ArgumentsVisitor)
    }
}

/// The launch label out of an environment. All else in it may be secret and is never kept.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) launch_label: Option<String>,
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvironmentVisitor;
        impl<'de> Visitor<'de> for EnvironmentVisitor {
            type Value = Environment;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of texts")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Environment::default())
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Self::Value, S::Error> {
                let mut launch_label = None;
                while let Some(variable) = sequence.next_element::<Label>()? {
                    launch_label = launch_label.or(variable.0);
                }
                Ok(Environment { launch_label })
            }
        }
        deserializer.deserialize_any(EnvironmentVisitor)
    }
}

/// The value of one variable, if it is the launch label.
struct Label(Option<String>);

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelVisitor;
        impl Visitor<'_> for LabelVisitor {
            type Value = Label;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Label, E> {
                Ok(Label(text.strip_prefix(LAUNCH_LABEL).map(str::to_owned)))
            }
        }
        deserializer.deserialize_str(LabelVisitor)
    }
}

/// `fork` (11).
#[derive(Deserialize)]
pub(super) struct Fork<'a> {
    #[serde(borrow)]
    pub(super) child: Process<'a>,
}

/// `exit` (15).
#[derive(Deserialize)]
pub(super) struct Exit {
    pub(super) stat: Option<i32>,
}

/// `write` (33), `unlink` (32), `setextattr` (27), `deleteextattr` (65), `setmode` (29).
#[derive(Deserialize)]
pub(super) struct OneFile<'a> {
    #[serde(borrow)]
    pub(super) target: File<'a>,
}

/// `close` (12).
#[derive(Deserialize)]
pub(super) struct Close<'a> {
    pub(super) modified: bool,
    #[serde(borrow)]
    pub(super) target: File<'a>,
}

/// `create` (13).
#[derive(Deserialize)]
pub(super) struct Create<'a> {
    #[serde(borrow)]
    pub(super) destination: Place<'a>,
}

/// `rename` (25).
#[derive(Deserialize)]
pub(super) struct Rename<'a> {
    #[serde(borrow)]
    pub(super) source: File<'a>,
    #[serde(borrow)]
    pub(super) destination: Place<'a>,
}

/// Where a file is made: over another (`destination_type` 0) or at a new path (1). The member that is there decides.
#[derive(Deserialize)]
pub(super) struct Place<'a> {
    #[serde(borrow)]
    pub(super) existing_file: Option<File<'a>>,
    #[serde(borrow)]
    pub(super) new_path: Option<NewPath<'a>>,
}

/// A path that did not exist before.
#[derive(Deserialize)]
pub(super) struct NewPath<'a> {
    #[serde(borrow)]
    pub(super) dir: File<'a>,
    #[serde(borrow)]
    pub(super) filename: Text<'a>,
}

/// `clone` (61) and `copyfile` (110).
#[derive(Deserialize)]
pub(super) struct Copied<'a> {
    #[serde(borrow)]
    pub(super) source: File<'a>,
    #[serde(borrow)]
    pub(super) target_file: Option<File<'a>>,
    #[serde(borrow)]
    pub(super) target_dir: Option<File<'a>>,
    #[serde(borrow)]
    pub(super) target_name: Option<Text<'a>>,
}

/// `mmap` (20).
#[derive(Deserialize)]
pub(super) struct Mapped<'a> {
    pub(super) protection: i64,
    #[serde(borrow)]
    pub(super) source: File<'a>,
}

/// `btm_launch_item_add` (124) and `btm_launch_item_remove` (125).
#[derive(Deserialize)]
pub(super) struct LaunchItemBody<'a> {
    #[serde(borrow)]
    pub(super) instigator: Option<Process<'a>>,
    #[serde(borrow)]
    pub(super) item: LaunchItemPlace<'a>,
    #[serde(borrow)]
    pub(super) executable_path: Option<Text<'a>>,
}

/// Where a launch item stands.
#[derive(Deserialize)]
pub(super) struct LaunchItemPlace<'a> {
    #[serde(borrow)]
    pub(super) item_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) app_url: Option<Text<'a>>,
}

/// `xpc_connect` (145).
#[derive(Deserialize)]
pub(super) struct ServiceConnectBody<'a> {
    #[serde(borrow)]
    pub(super) service_name: Text<'a>,
}

/// Who sent a record of Jamf Protect.
#[derive(Deserialize)]
pub(super) struct HostBody<'a> {
    #[serde(borrow)]
    pub(super) hostname: Option<Text<'a>>,
}

/// `network_connect` of Jamf Protect (telemetry schema 1.0).
#[derive(Deserialize)]
pub(super) struct ConnectBody<'a> {
    #[serde(borrow)]
    pub(super) instigator: Option<Process<'a>>,
    #[serde(borrow)]
    pub(super) remote_hostname: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) remote_endpoint: Option<EndBody<'a>>,
    #[serde(borrow)]
    pub(super) local_endpoint: Option<EndBody<'a>>,
    pub(super) socket_protocol: Option<u64>,
    #[serde(borrow)]
    pub(super) file: Option<DirectionBody<'a>>,
}

/// One end of a connection.
#[derive(Deserialize)]
pub(super) struct EndBody<'a> {
    #[serde(borrow)]
    pub(super) host: Option<Text<'a>>,
    pub(super) port: Option<Port>,
}

/// Which side began a connection.
#[derive(Deserialize)]
pub(super) struct DirectionBody<'a> {
    #[serde(borrow)]
    pub(super) direction: Option<Text<'a>>,
}

/// A port, written as a number or as a text.
#[derive(Clone, Copy)]
pub(super) struct Port(pub(super) u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortVisitor;
        impl Visitor<'_> for PortVisitor {
            type Value = Port;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a port: a number up to 65535")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Port, E> {
                u16::try_from(number)
                    .map(Port)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Port, E> {
                text.parse().map(Port).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(PortVisitor)
    }
}
