//! One record as text: its columns, its sender, its message.

use crate::Zone;
use monologue_model::Timestamp;

/// A record of any of the styles.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Date and time as written.
    local: &'a str,
    /// Hours and minutes east of UTC, as written. `None` in style compact, which names no zone.
    zone: Option<&'a str>,
    /// A text that a program logged, not an activity or the like.
    pub(super) is_message: bool,
    pub(super) pid: Option<i64>,
    /// Name of the image that holds the logging code. `None` where it is not printed and not the process.
    pub(super) sender: Option<&'a str>,
    /// Empty where none is printed.
    pub(super) subsystem: &'a str,
    pub(super) message: &'a str,
}

impl Line<'_> {
    /// When it was logged. Style compact names no zone: its times are of `zone`.
    pub(super) fn moment(&self, zone: &Zone) -> Option<Timestamp> {
        match self.zone {
            Some(named) => Timestamp::parse(&format!("{}{named}", self.local)).ok(),
            None => zone.moment(self.local.replace(' ', "T").parse().ok()?),
        }
    }

    /// Of a statement of loss, how many records: `None` within means "at least so many". `None` if it is none.
    pub(super) fn lost(&self) -> Option<Option<u64>> {
        let rest = self.message.strip_prefix("lost ")?;
        let (count, exact) = rest.strip_prefix(">=").map_or((rest, true), |count| (count, false));
        let (count, _) = count.split_once(" unreliable messages from ")?;
        let count = count.parse().ok()?;
        Some(exact.then_some(count))
    }
}

/// Reads a record. `None` if the text does not begin with one.
pub(super) fn parse(text: &str) -> Option<Line<'_>> {
    let (local, rest) = split_time(text)?;
    let (zone, rest) = split_zone(rest);
    let rest = rest.strip_prefix([' ', '\t'])?;
    let mut line = match zone {
        None => compact(rest)?,
        Some(_) if rest.trim_start().starts_with("0x") => default(rest)?,
        Some(_) => syslog(rest)?,
    };
    (line.local, line.zone) = (local, zone);
    Some(line)
}

/// `2026-05-06 09:00:00.123456` and what follows.
fn split_time(text: &str) -> Option<(&str, &str)> {
    const FORM: &[u8] = b"dddd-dd-dd dd:dd:dd.";
    let matches = |(form, byte): (&u8, u8)| if *form == b'd' { byte.is_ascii_digit() } else { *form == byte };
    let head = text.get(..FORM.len())?;
    FORM.iter().zip(head.bytes()).all(matches).then_some(())?;
    let digits = text.bytes().skip(FORM.len()).take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| text.split_at_checked(FORM.len() + digits))?
}

/// `+0200` and what follows.
fn split_zone(text: &str) -> (Option<&str>, &str) {
    let whole = text
        .split_at_checked(5)
        .filter(|(zone, _)| zone.starts_with(['+', '-']) && zone.bytes().skip(1).all(|byte| byte.is_ascii_digit()));
    whole.map_or((None, text), |(zone, rest)| (Some(zone), rest))
}

/// `0x7bd1 Default 0x0 732 0 Notes: (CFNetwork) [subsystem:category] message`.
fn default(rest: &str) -> Option<Line<'_>> {
    let (_thread, rest) = word(rest)?;
    let (kind, rest) = word(rest)?;
    let (_activity, rest) = word(rest)?;
    let (pid, rest) = word(rest)?;
    let (_lifetime, rest) = word(rest)?;
    let (process, rest) = rest.trim_start().split_once(':')?;
    let is_message = matches!(kind, "Default" | "Info" | "Debug" | "Error" | "Fault");
    let sender = Some(process);
    Some(said(Line { is_message, pid: pid.parse().ok(), sender, ..Line::empty() }, rest))
}

/// `localhost Notes[732]: (CFNetwork) [subsystem:category] message`.
fn syslog(rest: &str) -> Option<Line<'_>> {
    let (_host, rest) = word(rest)?;
    let (process, rest) = rest.split_once('[')?;
    let (pid, rest) = rest.split_once("]:")?;
    let sender = Some(process.trim());
    Some(said(Line { is_message: true, pid: Some(pid.parse().ok()?), sender, ..Line::empty() }, rest))
}

/// `Df Notes[732:7bd1] [subsystem:category] message`. The sender is printed only where there is no subsystem.
fn compact(rest: &str) -> Option<Line<'_>> {
    let (kind, rest) = word(rest)?;
    let mut from = 0;
    // A name may hold brackets of its own: the ones meant hold two numbers.
    let (name, pid, rest) = loop {
        let open = from + rest.get(from..)?.find('[')?;
        from = open + 1;
        let (inside, after) = rest.get(from..)?.split_once(']')?;
        let numbers = inside.split_once(':').filter(|(_, thread)| thread.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(pid) = numbers.and_then(|(pid, _)| pid.parse().ok()) {
            break (rest.get(..open)?, pid, after);
        }
    };
    let is_message = matches!(kind, "Df" | "I" | "In" | "Db" | "E" | "Er" | "F" | "Fa");
    let mut line = said(Line { is_message, pid: Some(pid), ..Line::empty() }, rest);
    if line.sender.is_none() && line.subsystem.is_empty() {
        line.sender = Some(name.trim());
    }
    Some(line)
}

impl<'a> Line<'a> {
    const fn empty() -> Self {
        Self { local: "", zone: None, is_message: false, pid: None, sender: None, subsystem: "", message: "" }
    }
}

/// Adds `(sender) [subsystem:category] message`, of which only the message must be there.
fn said<'a>(mut line: Line<'a>, rest: &'a str) -> Line<'a> {
    let mut rest = rest.strip_prefix(' ').unwrap_or(rest);
    if let Some((sender, after)) = rest.strip_prefix('(').and_then(|inside| inside.split_once(") ")) {
        (line.sender, rest) = (Some(sender), after);
    }
    if let Some((inside, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']'))
        && let Some((subsystem, _)) = inside.split_once(':')
        && !subsystem.contains(char::is_whitespace)
    {
        (line.subsystem, rest) = (subsystem, after.strip_prefix(' ').unwrap_or(after));
    }
    line.message = rest;
    line
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let end = text.find([' ', '\t'])?;
    text.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_say_the_same() {
        let message = "[C2 3CE924B4 Hostname#097e096c:443 tcp, url hash: 913ef8be, tls] start";
        let rest = format!("(libnetwork.dylib) [com.apple.network:connection] {message}");
        for text in [
            format!(
                "2026-05-06 09:00:00.100000+0200 0x7bd1     Default     0x0                  732    0    My App: {rest}"
            ),
            format!("2026-05-06 09:00:00.100000+0200  localhost My App[732]: {rest}"),
            format!("2026-05-06 09:00:00.100 Df My App[732:7bd1] {rest}"),
        ] {
            let line = parse(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((line.pid, line.sender), (Some(732), Some("libnetwork.dylib")), "{text}");
            assert_eq!((line.subsystem, line.message, line.is_message), ("com.apple.network", message, true));
        }
    }

    #[test]
    fn zones_are_used_and_their_lack_is_told() {
        let unknown = Zone::default();
        let at = |text| parse(text).unwrap().moment(&unknown);
        let expected = Timestamp::parse("2026-05-06T07:00:00.1Z").ok();
        assert_eq!(at("2026-05-06 09:00:00.100000+0200  localhost a[1]: x"), expected);
        assert!(!unknown.was_assumed());
        assert_eq!(at("2026-05-06 07:00:00.100 Df a[1:2] x"), expected);
        assert!(unknown.was_assumed());
        assert_eq!(at("2026-13-06 07:00:00.100 Df a[1:2] x"), None);
    }

    #[test]
    fn senders_not_printed() {
        // The process itself, but in style compact where a subsystem stands in place of the sender.
        let sender = |text| parse(text).unwrap().sender;
        assert_eq!(
            sender("2026-05-06 09:00:00.1+0200 0x1 Info 0x0 140 0 mDNSResponder: [a:b] x"),
            Some("mDNSResponder")
        );
        assert_eq!(sender("2026-05-06 09:00:00.1+0200  localhost kernel[0]: x"), Some("kernel"));
        assert_eq!(sender("2026-05-06 09:00:00.1 Df App [x] 2[1:2] x"), Some("App [x] 2"));
        assert_eq!(sender("2026-05-06 09:00:00.1 Df App[1:2] [com.apple.CFNetwork:Default] x"), None);
        let odd = parse("2026-05-06 09:00:00.1 Df App[1:2] [R9] getaddrinfo start -- hostname: x").unwrap();
        assert_eq!((odd.subsystem, odd.message), ("", "[R9] getaddrinfo start -- hostname: x"));
    }

    #[test]
    fn losses_with_and_without_an_exact_count() {
        let lost =
            |message: &str| parse(&format!("2026-05-06 09:00:00.1+0200 0x0 Loss 0x0 0 0 logd: {message}"))?.lost();
        assert_eq!(
            lost("lost 7 unreliable messages from 1-2 (Mach continuous exact start-approx. end)"),
            Some(Some(7))
        );
        assert_eq!(lost("lost >=63 unreliable messages from 1-2 (x)"), Some(None));
        assert_eq!(lost("lost my way"), None);
    }

    #[test]
    fn what_is_no_record() {
        for text in [
            "",
            "Timestamp                       Thread     Type",
            "2026-05-06",
            "2026-05-06 09:00:00.1",
            "2026-05-06 09:00:00.1+0200",
            "2026-05-06 09:00:00.1 Df",
            "2026-05-06 09:00:00.1 Df no brackets",
            "2026-05-06T09:00:00.1Z host app[1]: x",
            "\tbytes in/out: 1/2",
            "May  6 09:00:00 host app[1]: x",
            "2026-05-06 09:00:00.1é 0x1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
