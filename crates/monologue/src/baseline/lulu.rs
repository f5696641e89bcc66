//! LuLu's rules as proposals: what somebody allowed on a Mac, to be read by whoever answers for the fleet.

use crate::{
    cli::BaselineImportArguments,
    talk::{Verdict, note},
};
use anyhow::{Context, Result, bail};
use monologue_model::Timestamp;
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Write as _, fs, io::Write as _};

/// Bytes of an export at most.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// `action` of a rule that allows.
const ALLOW: i64 = 1;

/// Prints approvals as TOML.
///
/// # Errors
/// When the file is no export of LuLu's rules, or the date is none.
pub(super) fn import(arguments: &BaselineImportArguments) -> Result<Verdict> {
    let shown = arguments.file.display();
    if Timestamp::parse(&format!("{}T00:00:00Z", arguments.expires)).is_err() {
        bail!("expected a date in --expires, found {:?}; hint: such as 2027-06-30", arguments.expires);
    }
    let size = fs::metadata(&arguments.file).with_context(|| format!("cannot read {shown}"))?.len();
    if size > FILE_BYTES {
        bail!("{shown}: expected at most {FILE_BYTES} bytes, found {size}");
    }
    let text = fs::read_to_string(&arguments.file).with_context(|| format!("cannot read {shown}"))?;
    let document: Value = serde_json::from_str(&text)
        .with_context(|| format!("{shown}: expected LuLu's exported rules (JSON); hint: LuLu, Rules, Export"))?;
    let Value::Object(programs) = document else {
        bail!("{shown}: expected an object with a list of rules for each program")
    };
    let mut seen = BTreeSet::new();
    let mut proposals = String::from(
        "# Proposals from rules that allow one destination. Read each, and remove what nobody answers for.\n",
    );
    let (mut broad, mut blocking, mut odd) = (0_u64, 0_u64, 0_u64);
    for rule in programs.values().flat_map(|rules| rules.as_array().into_iter().flatten()) {
        let word = |name: &str| rule.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let action = rule.get("action").and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let (Some(path), Some(action)) = (word("path"), action) else {
            odd += 1;
            continue;
        };
        if action != ALLOW {
            blocking += 1;
            continue;
        }
        // A rule that allows everything says nothing of what is expected.
        let Some(address) = word("endpointAddr").filter(|address| *address != "*" && !is_pattern(rule)) else {
            broad += 1;
            continue;
        };
        let signed = rule.get("csInfo").or_else(|| rule.get("signingInfo"));
        let identifier = signed.and_then(|info| info.get("signatureIdentifier")).and_then(Value::as_str);
        if seen.insert((identifier, path, address)) {
            propose(&mut proposals, arguments, identifier, path, address);
        }
    }
    note(&format!(
        "{} proposals; left out: {broad} rules that allow every destination or a pattern, {blocking} that block, {odd} without a path or action",
        seen.len()
    ));
    std::io::stdout().lock().write_all(proposals.as_bytes())?;
    Ok(Verdict::Nothing)
}

fn is_pattern(rule: &Value) -> bool {
    rule.get("isEndpointAddrRegex").is_some_and(|value| match value {
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_i64() != Some(0),
        _ => false,
    })
}

fn propose(
    text: &mut String,
    arguments: &BaselineImportArguments,
    identifier: Option<&str>,
    path: &str,
    address: &str,
) {
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let _ = writeln!(text, "\n[[approval]]");
    match identifier {
        Some(identifier) => {
            let _ = writeln!(
                text,
                "# {}: add team_id, as `codesign -dv` prints it, unless it is part of macOS",
                path.replace(char::is_control, " ")
            );
            let _ = writeln!(text, "signing_id = {}", quoted(identifier));
        }
        None => {
            let _ = writeln!(text, "path = {}", quoted(path));
        }
    }
    let _ = writeln!(text, "service = {}", quoted(address));
    let _ = writeln!(text, "owner = {}", quoted(&arguments.owner));
    let _ = writeln!(text, "reason = {}", quoted("allowed in LuLu"));
    let _ = writeln!(text, "evidence = {}", quoted(&arguments.file.display().to_string()));
    let _ = writeln!(text, "expires = {}", quoted(&arguments.expires));
}
