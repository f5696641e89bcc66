//! Shared platforms: hosts on which many owners who have nothing to do with each other keep their things, so that a
//! service is finer than the registrable domain. Platforms that give each owner a name of its own (`*.workers.dev`,
//! `*.pages.dev`, `*.web.app`, `*.herokuapp.com`, `*.github.io`, storage accounts of Azure) are told apart by the private
//! section of the public suffix list; the rules here read the path, and buckets named either way.

use std::sync::Arc;

/// Longest part that is kept, in bytes.
const PART_CAP: usize = 128;

/// How the owner shows in a path, for one platform.
struct Rule {
    /// The hosts.
    hosts: &'static [&'static str],
    /// The part that names an owner, from the segments of the path and the query. `None`: the path does not name one.
    part: fn(&[&str], &str) -> Option<String>,
    /// Where the layout of the path is documented.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of this table"))]
    source: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        hosts: &["api.telegram.org"],
        part: telegram_bot,
        source: "Telegram Bot API, section Making requests: https://api.telegram.org/bot<token>/METHOD_NAME, the token \
                 being the bot's number, a colon and a secret; files at /file/bot<token>/<file_path>",
    },
    Rule {
        hosts: &["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"],
        part: discord_webhook,
        source: "Discord developer documentation, Webhook resource: POST /webhooks/{webhook.id}/{webhook.token}",
    },
    Rule {
        hosts: &["hooks.slack.com"],
        part: slack_hook,
        source: "Slack developer documentation, Sending messages using incoming webhooks: \
                 https://hooks.slack.com/services/T…/B…/secret",
    },
    Rule {
        hosts: &["pastebin.com"],
        part: pastebin,
        source: "Pastebin developers API, Getting a raw paste: https://pastebin.com/raw/<key>",
    },
    Rule {
        hosts: &["gist.github.com", "gist.githubusercontent.com"],
        part: |segments, _| pair("", segments.first(), segments.get(1)),
        source: "GitHub documentation, Creating gists: a gist lives at /<user>/<gist id>",
    },
    Rule {
        hosts: &["raw.githubusercontent.com", "github.com"],
        part: |segments, _| pair("", segments.first(), segments.get(1)),
        source: "GitHub documentation, Viewing files: /<owner>/<repository>/… on both hosts",
    },
    Rule {
        hosts: &["api.github.com"],
        part: github_api,
        source: "GitHub REST API documentation: /repos/{owner}/{repo} and /gists/{gist_id}",
    },
    Rule {
        hosts: &["drive.google.com", "docs.google.com", "drive.usercontent.google.com", "script.google.com"],
        part: google_document,
        source: "Google Workspace documentation, Files and folders overview: the id in /file/d/<id>, /document/d/<id>, \
                 /macros/s/<id> and uc?id=<id>",
    },
    Rule {
        hosts: &["sheets.googleapis.com"],
        part: |segments, _| after(segments, &["v4", "spreadsheets"], 1),
        source: "Google Sheets API reference: /v4/spreadsheets/{spreadsheetId}",
    },
    Rule {
        hosts: &["www.dropbox.com", "dl.dropboxusercontent.com"],
        part: dropbox,
        source: "Dropbox help, How to share files with links: /s/<id>/… and /scl/fi/<id>/…",
    },
];

/// The part of a shared platform that a request went to, from its host (lower case) and its path as far as it was
/// recorded. Secrets in the path never become part of it. `None` means that the host is no such platform, or that the
/// path names no owner.
#[must_use]
pub fn part_of(host: &str, path: &str) -> Option<Arc<str>> {
    let path = match path.split_once("://") {
        Some((scheme, rest)) if scheme.len() <= 5 => rest.split_once('/').map_or("", |(_, path)| path),
        _ => path,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).take(8).collect();
    let part = if is_bucket_host(host) {
        named(segments.first()?)?.to_owned()
    } else {
        (RULES.iter().find(|rule| rule.hosts.contains(&host))?.part)(&segments, query)?
    };
    (part.len() <= PART_CAP).then(|| part.into())
}

/// Whether a host serves the buckets of everybody by path: Amazon S3 (user guide, Virtual hosting of general purpose
/// buckets: `s3.<region>.amazonaws.com/<bucket>/<key>`; also the older `s3-<region>`, and dual-stack hosts).
pub(crate) fn is_bucket_host(host: &str) -> bool {
    let Some(rest) = host.strip_suffix(".amazonaws.com") else { return false };
    rest == "s3" || (rest.starts_with("s3.") || rest.starts_with("s3-")) && !rest.starts_with("s3-website")
}

/// The bucket host of a name that begins with a bucket (`<bucket>.s3.<region>.amazonaws.com`). `None` for other names.
pub(crate) fn bucket_host_of(name: &str) -> Option<&str> {
    if !name.ends_with(".amazonaws.com") {
        return None;
    }
    // Names of buckets may hold dots: the host begins at the last label that can begin it.
    let starts = name.match_indices('.').map(|(at, _)| at + 1);
    starts.filter_map(|at| name.get(at..)).rfind(|rest| is_bucket_host(rest))
}

/// A segment that can be a name or an identifier, not something redacted or encoded.
fn named<'a>(segment: &&'a str) -> Option<&'a str> {
    let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (plain && !segment.is_empty() && segment.len() <= PART_CAP).then_some(*segment)
}

fn pair(before: &str, one: Option<&&str>, other: Option<&&str>) -> Option<String> {
    // Names of GitHub are the same in upper and lower case.
    Some(format!("{before}{}/{}", named(one?)?, named(other?)?).to_ascii_lowercase())
}

/// The segment after a fixed beginning, and that beginning from its segment `from` on.
fn after(segments: &[&str], beginning: &[&str], from: usize) -> Option<String> {
    let rest = segments.strip_prefix(beginning)?;
    let kept = beginning.get(from..)?.join("/");
    Some(format!("{kept}/{}", named(rest.first()?)?))
}

/// The bot's number; the token after the colon is its password.
fn telegram_bot(segments: &[&str], _: &str) -> Option<String> {
    let first = match segments {
        ["file", second, ..] => second,
        [first, ..] => first,
        [] => return None,
    };
    let number = first.strip_prefix("bot")?.split(':').next()?;
    (!number.is_empty() && number.len() <= 20 && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("bot{number}"))
}

fn discord_webhook(segments: &[&str], _: &str) -> Option<String> {
    let rest = segments.strip_prefix(&["api"])?;
    let rest = match rest {
        [version, rest @ ..] if version.starts_with('v') => rest,
        rest => rest,
    };
    after(rest, &["webhooks"], 0)
}

/// Workspace and hook; the third segment is the secret.
fn slack_hook(segments: &[&str], _: &str) -> Option<String> {
    match segments {
        [kind @ ("services" | "workflows" | "triggers"), workspace, hook, ..] => {
            Some(format!("{kind}/{}/{}", named(workspace)?, named(hook)?))
        }
        _ => None,
    }
}

fn pastebin(segments: &[&str], _: &str) -> Option<String> {
    let key = match segments {
        ["raw" | "dl", key, ..] => key,
        [key] => key,
        _ => return None,
    };
    (key.len() == 8).then(|| named(key).map(str::to_owned)).flatten()
}

fn github_api(segments: &[&str], _: &str) -> Option<String> {
    match segments {
        ["repos", owner, repository, ..] => pair("repos/", Some(owner), Some(repository)),
        _ => after(segments, &["gists"], 0),
    }
}

fn google_document(segments: &[&str], query: &str) -> Option<String> {
    let in_path = || {
        let mut rest = segments.iter().skip_while(|segment| !matches!(**segment, "d" | "s")).skip(1);
        rest.find(|segment| **segment != "e")
    };
    let in_query = || query.split('&').find_map(|pair| pair.strip_prefix("id="));
    let id = in_path().copied().or_else(in_query)?;
    Some(format!("d/{}", named(&id).filter(|id| id.len() >= 10)?))
}

fn dropbox(segments: &[&str], _: &str) -> Option<String> {
    match segments {
        ["scl", "fi" | "fo", id, ..] | ["s" | "sh", id, ..] => Some(format!("s/{}", named(id)?)),
        _ => None,
    }
}

/// Names that operating systems and browsers ask only to learn whether the network works, from their vendors'
/// documentation. The answer is a constant (204, or a few fixed bytes) by design.
const CONNECTIVITY_CHECKS: &[(&str, &str)] = &[
    ("captive.apple.com", "Apple's captive network check"),
    ("connectivity-check.ubuntu.com", "Ubuntu's connectivity check (NetworkManager)"),
    ("network-test.debian.org", "Debian's connectivity check (NetworkManager)"),
    ("nmcheck.gnome.org", "GNOME's connectivity check (NetworkManager)"),
    ("connectivitycheck.gstatic.com", "Android's and Chrome's connectivity check"),
    ("connectivitycheck.android.com", "Android's connectivity check"),
    ("clients3.google.com", "Chrome's connectivity check"),
    ("detectportal.firefox.com", "Firefox's captive portal check"),
    ("www.msftconnecttest.com", "Windows' connectivity check"),
    ("www.msftncsi.com", "Windows' connectivity check"),
    ("ipv6.msftconnecttest.com", "Windows' connectivity check"),
];

/// What a host name is asked for, if only to learn whether the network works. Such a name is a service of its own: its constant
/// answers must not stand for those of the rest of its domain.
#[must_use]
pub fn connectivity_check(name: &str) -> Option<&'static str> {
    CONNECTIVITY_CHECKS.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_read_from_paths_and_secrets_are_not() {
        for (host, path, expected) in [
            ("api.telegram.org", "/bot123456789:AAF-secret/getUpdates?offset=1", Some("bot123456789")),
            ("api.telegram.org", "/bot123456789:***/getUpdates", Some("bot123456789")),
            ("api.telegram.org", "/file/bot77:***/a.txt", Some("bot77")),
            ("api.telegram.org", "http://api.telegram.org/bot77:x/y", Some("bot77")),
            ("api.telegram.org", "/botx/getMe", None),
            ("telegram.org", "/bot77:x/y", None),
            ("discord.com", "/api/webhooks/112233/secret", Some("webhooks/112233")),
            ("discord.com", "/api/v10/webhooks/112233/secret?wait=true", Some("webhooks/112233")),
            ("discord.com", "/channels/1/2", None),
            ("hooks.slack.com", "/services/T01AB/B02CD/secret", Some("services/T01AB/B02CD")),
            ("pastebin.com", "/raw/AbCd1234", Some("AbCd1234")),
            ("pastebin.com", "/AbCd1234", Some("AbCd1234")),
            ("pastebin.com", "/api/api_post.php", None),
            ("gist.githubusercontent.com", "/Anna/0a1b2c/raw/x.txt", Some("anna/0a1b2c")),
            ("raw.githubusercontent.com", "/anna/tools/main/x.txt", Some("anna/tools")),
            ("api.github.com", "/repos/Anna/tools/contents/x", Some("repos/anna/tools")),
            ("api.github.com", "/gists/0a1b2c", Some("gists/0a1b2c")),
            ("docs.google.com", "/document/d/1AbCdEfGhIj/export?format=txt", Some("d/1AbCdEfGhIj")),
            ("docs.google.com", "/forms/d/e/1AbCdEfGhIj/formResponse", Some("d/1AbCdEfGhIj")),
            ("drive.google.com", "/uc?export=download&id=1AbCdEfGhIj", Some("d/1AbCdEfGhIj")),
            ("script.google.com", "/macros/s/1AbCdEfGhIj/exec", Some("d/1AbCdEfGhIj")),
            ("sheets.googleapis.com", "/v4/spreadsheets/1AbC/values/A1", Some("spreadsheets/1AbC")),
            ("www.dropbox.com", "/scl/fi/x1y2z3/a.bin?rlkey=***", Some("s/x1y2z3")),
            ("s3.eu-west-1.amazonaws.com", "/parts-47/a/b", Some("parts-47")),
            ("example.com", "/raw/AbCd1234", None),
        ] {
            assert_eq!(part_of(host, path).as_deref(), expected, "{host}{path}");
            assert!(!part_of(host, path).is_some_and(|part| part.contains("secret") || part.contains('*')));
        }
        assert!(RULES.iter().all(|rule| rule.source.len() > 30 && !rule.hosts.is_empty()));
    }

    #[test]
    fn buckets_are_known_in_front_of_their_host() {
        assert_eq!(bucket_host_of("parts-47.s3.amazonaws.com"), Some("s3.amazonaws.com"));
        assert_eq!(bucket_host_of("a.b.s3.eu-west-1.amazonaws.com"), Some("s3.eu-west-1.amazonaws.com"));
        assert_eq!(bucket_host_of("s3.eu-west-1.amazonaws.com"), None);
        assert_eq!(bucket_host_of("ec2.eu-west-1.amazonaws.com"), None);
        assert!(is_bucket_host("s3-us-west-2.amazonaws.com") && !is_bucket_host("s3-website.amazonaws.com"));
    }
}
