//! Squid's `logformat` language: a layout compiled from its text, and the fields of a line found by it.
//!
//! The codes are those of the `logformat` directive in Squid's configuration reference.

/// A field that is used. Others are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    ClientAddress,
    ClientPort,
    ProxyAddress,
    ProxyPort,
    /// Server or peer the request was sent to: `%<a`.
    Server,
    /// Seconds since the epoch, and the part below a second, as two fields.
    EndSeconds,
    EndFraction,
    /// `%tl` and `%tg`.
    EndDate,
    StartSeconds,
    DurationMs,
    User,
    Method,
    Url,
    ServerName,
    ReplyStatus,
    /// Status that the server sent: proves that it answered.
    ServerStatus,
    RequestBytes,
    ReplyBytes,
    Outcome,
    Hierarchy,
    UserAgent,
    Ignored,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Field(Field),
    Literal(String),
}

/// A compiled `logformat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout(Vec<Part>);

/// Fields of one layout that are looked at.
const PART_CAP: usize = 200;

impl Layout {
    /// Compiles the text of a `logformat` directive, without the directive's name and that of the layout.
    ///
    /// # Errors
    /// What was expected, and at which byte of the text.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let (before, code) = rest.split_at_checked(at).unwrap_or((rest, ""));
            literal.push_str(before);
            let code = code.get(1..).unwrap_or_default();
            if let Some(after) = code.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let (field, after) =
                field(code).ok_or_else(|| format!("expected a format code at byte {}", text.len() - code.len() - 1))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            } else if matches!(parts.last(), Some(Part::Field(_))) {
                return Err(format!(
                    "expected a separator between two format codes before byte {}",
                    text.len() - code.len() - 1
                ));
            }
            parts.push(Part::Field(field));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.trim_end().is_empty() {
            parts.push(Part::Literal(literal.trim_end().to_owned()));
        }
        if parts.len() > PART_CAP {
            return Err(format!("expected at most {PART_CAP} parts, found {}", parts.len()));
        }
        let layout = Self(parts);
        for (fields, what) in [
            (&[Field::EndSeconds, Field::EndDate, Field::StartSeconds][..], "a time: %ts, %tl, %tg or %tS"),
            (&[Field::ClientAddress], "the client's address: %>a"),
            (&[Field::Url], "what was asked for: %ru"),
        ] {
            if !fields.iter().any(|field| layout.has(*field)) {
                return Err(format!("expected {what}"));
            }
        }
        Ok(layout)
    }

    /// Whether the layout has this field.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.0.contains(&Part::Field(field))
    }

    /// The fields of a line, and what follows the last part. A field ends where the text after it in the layout stands
    /// next; padding is cut.
    ///
    /// # Errors
    /// What was expected at which byte of the line.
    pub(crate) fn split<'a>(&self, line: &'a str) -> Result<(Fields<'a>, &'a str), String> {
        let mut fields = Vec::new();
        let mut rest = line.trim_start();
        let mut parts = self.0.iter().peekable();
        let at = |rest: &str| line.len() - rest.len();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => {
                    rest = skip(rest, text).ok_or_else(|| format!("expected {text:?} at byte {}", at(rest)))?;
                }
                Part::Field(field) => {
                    let end = match parts.peek() {
                        Some(Part::Literal(text)) => find(rest, text)
                            .ok_or_else(|| format!("expected {text:?} after byte {}, for {field:?}", at(rest)))?,
                        // The last one: to the next blank.
                        _ => rest.find(' ').unwrap_or(rest.len()),
                    };
                    let (value, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                    fields.push((*field, value.trim()));
                    rest = after;
                }
            }
        }
        Ok((Fields(fields), rest))
    }
}

/// Passes over the text of a layout; a blank in it stands for one or more.
fn skip<'a>(mut rest: &'a str, text: &str) -> Option<&'a str> {
    for wanted in text.chars() {
        if wanted == ' ' {
            let trimmed = rest.trim_start_matches(' ');
            if trimmed.len() == rest.len() && !rest.is_empty() {
                return None;
            }
            rest = trimmed;
        } else {
            rest = rest.strip_prefix(wanted)?;
        }
    }
    if text.ends_with(' ') {
        rest = rest.trim_start_matches(' ');
    }
    Some(rest)
}

/// Where the text of a layout begins next. At the end of the line a blank may be missing.
fn find(rest: &str, text: &str) -> Option<usize> {
    rest.find(text).or_else(|| rest.find(text.trim_end()).filter(|_| !text.trim_end().is_empty())).or_else(|| {
        let blank = text.trim().is_empty();
        blank.then_some(rest.len())
    })
}

/// One format code behind its `%`: `["|[|'|#|/][-][0][width]{argument}code{argument}`.
fn field(text: &str) -> Option<(Field, &str)> {
    let rest = text.trim_start_matches(['"', '[', '\'', '#', '/']);
    let rest = rest.trim_start_matches('-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (before, rest) = argument(rest);
    let length = rest
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '<' | '>' | ':' | '_')))
        .map_or(rest.len(), |(at, _)| at);
    // Codes are letters; `:` belongs to one only as `ssl::…`, `adapt::…`, `icap::…`.
    let word = rest.get(..length)?;
    let word = match word.find(':') {
        Some(at) if !word.get(at..)?.starts_with("::") => word.get(..at)?,
        _ => word,
    };
    let (code, field) = KNOWN.iter().filter(|(code, _)| word.starts_with(code)).max_by_key(|(code, _)| code.len())?;
    let (after, rest) = argument(rest.get(code.len()..)?);
    let name = before.or(after).map(str::to_ascii_lowercase);
    let field = match (*code, name.as_deref()) {
        (">h" | ">ha", Some("user-agent")) => Field::UserAgent,
        ("tl" | "tg", Some(_)) => Field::Ignored,
        _ => *field,
    };
    Some((field, rest))
}

fn argument(text: &str) -> (Option<&str>, &str) {
    match text.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
        Some((argument, rest)) => (Some(argument), rest),
        None => (None, text),
    }
}

/// Codes of Squid 3 to 7.
const KNOWN: &[(&str, Field)] = &[
    (">a", Field::ClientAddress),
    (">A", Field::Ignored),
    (">p", Field::ClientPort),
    (">eui", Field::Ignored),
    (">la", Field::ProxyAddress),
    (">lp", Field::ProxyPort),
    (">qos", Field::Ignored),
    (">nfmark", Field::Ignored),
    ("la", Field::ProxyAddress),
    ("lp", Field::ProxyPort),
    ("<a", Field::Server),
    ("<A", Field::Ignored),
    ("<p", Field::Ignored),
    ("<la", Field::Ignored),
    ("<lp", Field::Ignored),
    ("ts", Field::EndSeconds),
    ("tu", Field::EndFraction),
    ("tl", Field::EndDate),
    ("tg", Field::EndDate),
    ("tr", Field::DurationMs),
    ("tS", Field::StartSeconds),
    ("dt", Field::Ignored),
    ("busy_time", Field::Ignored),
    ("un", Field::User),
    ("ul", Field::User),
    ("ui", Field::Ignored),
    ("us", Field::Ignored),
    ("ue", Field::Ignored),
    ("credentials", Field::Ignored),
    ("Hs", Field::ReplyStatus),
    (">Hs", Field::ReplyStatus),
    ("<Hs", Field::ServerStatus),
    (">h", Field::Ignored),
    (">ha", Field::Ignored),
    ("<h", Field::Ignored),
    ("mt", Field::Ignored),
    ("rm", Field::Method),
    (">rm", Field::Method),
    ("<rm", Field::Ignored),
    ("ru", Field::Url),
    (">ru", Field::Url),
    ("<ru", Field::Ignored),
    (">rs", Field::Ignored),
    (">rd", Field::Ignored),
    (">rP", Field::Ignored),
    ("<rs", Field::Ignored),
    ("<rd", Field::Ignored),
    ("<rP", Field::Ignored),
    ("rp", Field::Ignored),
    (">rp", Field::Ignored),
    ("<rp", Field::Ignored),
    ("rv", Field::Ignored),
    (">rv", Field::Ignored),
    ("<rv", Field::Ignored),
    ("rG", Field::Ignored),
    ("st", Field::Ignored),
    (">st", Field::RequestBytes),
    ("<st", Field::ReplyBytes),
    (">sh", Field::Ignored),
    ("<sh", Field::Ignored),
    ("<sH", Field::Ignored),
    ("<sS", Field::Ignored),
    (">sH", Field::Ignored),
    ("<pt", Field::Ignored),
    ("<tt", Field::Ignored),
    ("Ss", Field::Outcome),
    ("Sh", Field::Hierarchy),
    ("sn", Field::Ignored),
    ("ea", Field::Ignored),
    ("et", Field::Ignored),
    ("note", Field::Ignored),
    ("err_code", Field::Ignored),
    ("err_detail", Field::Ignored),
    ("master_xaction", Field::Ignored),
    ("transport::>connection_id", Field::Ignored),
    ("request_attempts", Field::Ignored),
    ("byte", Field::Ignored),
    ("ssl::>sni", Field::ServerName),
    ("ssl::bump_mode", Field::Ignored),
    ("ssl::>cert_subject", Field::Ignored),
    ("ssl::>cert_issuer", Field::Ignored),
    ("ssl::<cert_subject", Field::Ignored),
    ("ssl::<cert_issuer", Field::Ignored),
    ("ssl::<cert_errors", Field::Ignored),
    ("ssl::>negotiated_version", Field::Ignored),
    ("ssl::<negotiated_version", Field::Ignored),
    ("ssl::>negotiated_cipher", Field::Ignored),
    ("ssl::<negotiated_cipher", Field::Ignored),
    ("adapt::all_trs", Field::Ignored),
    ("adapt::sum_trs", Field::Ignored),
    ("icap::tt", Field::Ignored),
];

/// The fields of one line.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Vec<(Field, &'a str)>);

impl<'a> Fields<'a> {
    /// A field's text. `None`: it is not in the layout, or `-`.
    pub(crate) fn text(&self, wanted: Field) -> Option<&'a str> {
        let found = self.0.iter().find(|(field, text)| *field == wanted && !text.is_empty() && *text != "-");
        found.map(|(_, text)| *text)
    }

    /// A field as a number.
    ///
    /// # Errors
    /// What was expected in which field.
    pub(crate) fn number<T: std::str::FromStr>(&self, wanted: Field, what: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                let found: String = text.chars().take(40).collect();
                format!("expected {what}, found {found:?}")
            })
        };
        self.text(wanted).map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_separators_and_missing_values_are_found() {
        let layout = Layout::compile(
            r#"%ts.%03tu %6tr %>a:%>p %Ss/%03>Hs %<st %>st %rm %ru HTTP/%rv %[un %Sh/%<a "%{User-Agent}>h" %ssl::>sni"#,
        )
        .unwrap();
        let line = r#"1795600000.250    150 10.0.0.5:51234 TCP_MISS/200 512 123 GET http://a.example/ HTTP/1.1 - HIER_DIRECT/192.0.2.1 "agent one" -"#;
        let (fields, rest) = layout.split(line).unwrap();
        assert_eq!(rest, "");
        let text = |field| fields.text(field);
        assert_eq!((text(Field::EndSeconds), text(Field::EndFraction)), (Some("1795600000"), Some("250")));
        assert_eq!((text(Field::DurationMs), text(Field::ClientPort)), (Some("150"), Some("51234")));
        assert_eq!((text(Field::ReplyStatus), text(Field::ReplyBytes)), (Some("200"), Some("512")));
        assert_eq!((text(Field::RequestBytes), text(Field::User)), (Some("123"), None));
        assert_eq!((text(Field::Server), text(Field::UserAgent)), (Some("192.0.2.1"), Some("agent one")));
        assert_eq!(text(Field::ServerName), None);
    }

    #[test]
    fn a_bad_layout_says_where() {
        let error = Layout::compile("%ts %>a %ru %zz").unwrap_err();
        assert_eq!(error, "expected a format code at byte 12");
        assert_eq!(Layout::compile("%>a %ru").unwrap_err(), "expected a time: %ts, %tl, %tg or %tS");
        assert_eq!(Layout::compile("%ts %ru").unwrap_err(), "expected the client's address: %>a");
        assert_eq!(
            Layout::compile("%ts%>a %ru").unwrap_err(),
            "expected a separator between two format codes before byte 3"
        );
    }
}
