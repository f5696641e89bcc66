//! Which host an endpoint file comes from: told by `--host`, or by its path.

use anyhow::{Result, bail};
use std::{path::Path, sync::Arc};

/// Patterns tried when none is given.
const DEFAULT_PATTERNS: &[&str] = &["endpoint/{host}/**", "hosts/{host}/**"];

/// How files are given to hosts.
#[derive(Clone, Debug)]
pub(crate) enum Naming {
    /// All endpoint files come from this host.
    All(Arc<str>),
    /// The path says it.
    Patterns(Vec<Vec<String>>),
}

impl Naming {
    /// From the options.
    ///
    /// # Errors
    /// When the pattern has no `{host}`, or several.
    pub(crate) fn new(host: Option<&str>, pattern: Option<&str>) -> Result<Self> {
        if let Some(host) = host {
            return Ok(Self::All(host.into()));
        }
        let patterns = match pattern {
            Some(pattern) if !pattern.contains("{host}") => {
                bail!(
                    "expected {{host}} in the pattern {pattern:?}; hint: such as --host-pattern 'endpoint/{{host}}/**'"
                )
            }
            Some(pattern) if pattern.matches("{host}").count() > 1 => {
                bail!("expected {{host}} once in the pattern {pattern:?}; hint: use * for other parts of the path")
            }
            Some(pattern) => vec![pattern],
            None => DEFAULT_PATTERNS.to_vec(),
        };
        Ok(Self::Patterns(patterns.into_iter().map(parts).collect()))
    }

    /// The host of a file. `None` if nothing says it.
    pub(crate) fn host_of(&self, path: &Path) -> Option<Arc<str>> {
        match self {
            Self::All(host) => Some(host.clone()),
            Self::Patterns(patterns) => {
                // `monologue hunt .` within the folder of a host must find its name too.
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                let shown = whole.to_string_lossy().replace('\\', "/");
                let path: Vec<&str> = shown.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
                patterns.iter().find_map(|pattern| capture(pattern, &path)).map(Arc::from)
            }
        }
    }
}

fn parts(pattern: &str) -> Vec<String> {
    pattern.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The text that `{host}` stands for, matching the pattern against the end of the path; the last match of several.
fn capture(pattern: &[String], path: &[&str]) -> Option<String> {
    (0..path.len()).rev().find_map(|start| match_from(pattern, path.get(start..)?))
}

fn match_from(pattern: &[String], path: &[&str]) -> Option<String> {
    let Some((first, rest)) = pattern.split_first() else { return path.is_empty().then(String::new) };
    if first == "**" {
        return (0..=path.len()).find_map(|skip| match_from(rest, path.get(skip..)?));
    }
    let (head, tail) = path.split_first()?;
    let captured = match_part(first, head)?;
    let later = match_from(rest, tail)?;
    Some(if captured.is_empty() { later } else { captured })
}

/// Matches one part of a path; gives what `{host}` stands for (as little as the rest allows), or nothing.
fn match_part(pattern: &str, part: &str) -> Option<String> {
    let Some((before, after)) = pattern.split_once("{host}") else {
        return glob(pattern, part).then(String::new);
    };
    let ends = || part.char_indices().map(|(at, _)| at).chain([part.len()]);
    for start in ends().filter(|start| part.get(..*start).is_some_and(|text| glob(before, text))) {
        for end in ends().filter(|end| *end > start) {
            if part.get(end..).is_some_and(|text| glob(after, text)) {
                return part.get(start..end).map(str::to_owned);
            }
        }
    }
    None
}

/// Whether `text` matches a pattern of `*` and `?` within one part of a path. Only the last `*` is ever tried again, so
/// no name takes more steps than its length times that of the pattern.
fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut again = None;
    loop {
        let here = (pattern.clone(), text.clone());
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                again = Some((pattern.clone(), here.1.clone()));
                text = here.1;
            }
            (Some('?'), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => {
                // Let the last `*` stand for one character more.
                let Some((rest, mut from)) = again.take() else { return false };
                if from.next().is_none() {
                    return false;
                }
                again = Some((rest.clone(), from.clone()));
                (pattern, text) = (rest, from);
            }
        }
    }
}

/// Whether the end of a path matches a pattern of `*`, `?` and `**`.
pub(crate) fn path_matches(pattern: &str, path: &Path) -> bool {
    let shown = path.to_string_lossy().replace('\\', "/");
    let path: Vec<&str> = shown.split('/').filter(|part| !part.is_empty()).collect();
    let pattern = parts(pattern);
    (0..path.len()).any(|start| path.get(start..).is_some_and(|rest| match_from(&pattern, rest).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(pattern: Option<&str>, path: &str) -> Option<String> {
        Naming::new(None, pattern).unwrap().host_of(Path::new(path)).map(|host| host.to_string())
    }

    #[test]
    fn the_folder_under_endpoint_or_hosts_names_the_host() {
        assert_eq!(host(None, "/data/endpoint/anna-mac/eslogger.ndjson").as_deref(), Some("anna-mac"));
        assert_eq!(host(None, "fleet/hosts/ben/2026/log.ndjson.gz").as_deref(), Some("ben"));
        assert_eq!(host(None, "fleet/conn.log"), None);
    }

    #[test]
    fn a_pattern_is_matched_against_the_end_of_the_path() {
        assert_eq!(host(Some("{host}.ndjson"), "/x/y/carl.ndjson").as_deref(), Some("carl"));
        assert_eq!(host(Some("mac-{host}/*.log"), "/x/mac-07/a.log").as_deref(), Some("07"));
        assert_eq!(host(Some("mac-{host}/*.log"), "/x/mac-07/deep/a.log"), None);
        assert!(Naming::new(None, Some("hosts/*")).is_err());
        assert!(Naming::new(None, Some("{host}/{host}")).is_err());
    }

    #[test]
    fn the_host_may_share_its_part_with_wildcards() {
        assert_eq!(host(Some("{host}.*.ndjson"), "/x/anna.2026-11-24.ndjson").as_deref(), Some("anna"));
        assert_eq!(host(Some("es-*-{host}.log"), "/x/es-7-zoë.log").as_deref(), Some("zoë"));
        assert_eq!(host(Some("{host}-?.log"), "/x/-1.log"), None, "a host has at least one character");
    }

    #[test]
    fn the_folder_one_stands_in_counts() {
        let here = std::env::current_dir().unwrap();
        let name = here.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(host(Some("{host}/es.ndjson"), "es.ndjson"), Some(name.clone()));
        assert_eq!(host(Some("{host}/es.ndjson"), "./es.ndjson"), Some(name));
    }

    #[test]
    fn stars_cost_no_more_than_length_times_length() {
        let (pattern, text) = ("*a".repeat(40) + "b", "a".repeat(250));
        assert!(!glob(&pattern, &text));
        assert!(glob("*.tar.*", "a.tar.b.tar.c") && glob("?", "ë") && glob("*", "") && !glob("?", ""));
    }

    #[test]
    fn globs_match_ends_of_paths() {
        assert!(path_matches("*.txt", Path::new("/a/b.txt")));
        assert!(path_matches("logs/**/c?.log", Path::new("/x/logs/1/2/c9.log")));
        assert!(!path_matches("*.txt", Path::new("/a.txt/b.log")));
    }
}
