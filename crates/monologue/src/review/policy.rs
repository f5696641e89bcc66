//! What was not approved, as rules that deny it, in the forms of those who enforce them.
//!
//! Nothing here is applied by itself: a person reads it and takes it over.

use super::Item;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, io::Write};

/// Little Snitch's rule group (`.lsrules`): one rule a program, denying the names it was seen to ask for.
///
/// # Errors
/// When it cannot be written.
pub(super) fn little_snitch(items: &[Item], out: &mut impl Write) -> Result<()> {
    let rules: Vec<Value> = items
        .iter()
        .filter_map(|item| {
            let process = item.path.as_deref().filter(|path| path.starts_with('/'))?;
            Some(json!({
                "action": "deny",
                "process": process,
                "remote-hosts": item.names,
                "notes": format!("{}: {}", item.application, item.ask),
            }))
        })
        .collect();
    let group = json!({
        "name": "Public web services without approval",
        "description": "Programs below a home folder are left out: a rule needs a full path.",
        "rules": rules,
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&group)?)?;
    Ok(())
}

/// LuLu's rules, by program, as it exports them: `action` 0 blocks.
///
/// # Errors
/// When it cannot be written.
pub(super) fn lulu(items: &[Item], out: &mut impl Write) -> Result<()> {
    let mut programs: Map<String, Value> = Map::new();
    for item in items {
        let Some(path) = item.path.as_deref().filter(|path| path.starts_with('/')) else { continue };
        let name = path.rsplit('/').next().unwrap_or(path);
        let rules = programs.entry(path.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        for host in &item.names {
            let rule = json!({
                "path": path,
                "name": name,
                "endpointAddr": host,
                "endpointPort": "*",
                "action": 0,
            });
            if let Value::Array(rules) = rules {
                rules.push(rule);
            }
        }
    }
    writeln!(out, "{}", serde_json::to_string_pretty(&Value::Object(programs))?)?;
    Ok(())
}

/// Santa's rules, as `santactl rule --import` takes them. Santa decides what runs, not whom it asks: only programs that are no
/// part of macOS and bear a team's signature can be named, and each is blocked whole.
///
/// # Errors
/// When it cannot be written.
pub(super) fn santa(items: &[Item], out: &mut impl Write) -> Result<()> {
    let mut named = BTreeSet::new();
    let rules: Vec<Value> = items
        .iter()
        .filter_map(|item| {
            let identifier = format!("{}:{}", item.team_id.as_deref()?, item.signing_id.as_deref()?);
            named.insert(identifier.clone()).then(|| {
                json!({
                    "rule_type": "SIGNINGID",
                    "identifier": identifier,
                    "policy": "BLOCKLIST",
                    "custom_msg": format!("{} talks to {} without approval", item.application, item.names.join(", ")),
                })
            })
        })
        .collect();
    writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "rules": rules }))?)?;
    Ok(())
}

/// A list for Squid: every name on a line of its own, for `acl … dstdomain "FILE"`. A proxy does not know programs, so this denies
/// the names to all.
///
/// # Errors
/// When it cannot be written.
pub(super) fn squid(items: &[Item], out: &mut impl Write) -> Result<()> {
    writeln!(out, "# acl unapproved dstdomain \"this file\"")?;
    writeln!(out, "# http_access deny unapproved")?;
    let names: BTreeSet<&String> = items.iter().flat_map(|item| &item.names).filter(|name| is_name(name)).collect();
    for name in names {
        writeln!(out, "{name}")?;
    }
    Ok(())
}

/// Whether a text is a host name and nothing that a list would read as something else.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}
