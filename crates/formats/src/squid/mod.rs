//! Access logs of Squid and of proxies that write the same: native, combined, common, and layouts of the user's own.
//!
//! Squid stamps the *end* of a transaction; the request is placed as much earlier as the transaction took. Its native layout
//! knows no request bytes. `TCP_DENIED` and errors of its own are answers of the proxy and not of the service.

pub(crate) mod layout;
mod outcome;
mod record;

use crate::{
    Format, Head, Input, Records, Refusal, Vantage,
    rows::{Row, RowReader, Rows},
    zone::Zone,
};
use layout::{Field, Fields, Layout};
use monologue_model::{Sight, SightSet};
use record::Policy;

/// Layouts that Squid has names for, as its configuration reference gives them.
const NATIVE: &str = "%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt";
const COMBINED: &str = r#"%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh"#;
const COMMON: &str = r#"%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st %Ss:%Sh"#;

/// Lines of the head that are looked at.
const LINES_LOOKED_AT: usize = 20;

/// A proxy that writes such logs.
pub(crate) struct SquidLike {
    name: &'static str,
    about: &'static str,
    wsa: bool,
}

/// Squid.
pub(crate) const SQUID: SquidLike = SquidLike {
    name: "squid",
    about: "Squid access.log, native, combined or common: requests, status, bytes to the client, who broke off",
    wsa: false,
};

/// Cisco's Web Security Appliance: Squid's native layout, then the decision of its policy.
pub(crate) const CISCO_WSA: SquidLike = SquidLike {
    name: "cisco-wsa",
    about: "Cisco Secure Web Appliance (WSA) access log: Squid's layout and the policy's decision",
    wsa: true,
};

impl Format for SquidLike {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn sights(&self) -> SightSet {
        SightSet::of(&[Sight::GatewayRecord, Sight::HttpResponse, Sight::HttpRequest])
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let layouts = layouts();
        let lines = head.lines().filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
        let mut reasons = None;
        for line in lines.take(LINES_LOOKED_AT) {
            match find_layout(&layouts, &text(line)) {
                // A proxy's own lines may hide in another's: the first that has a result code decides.
                Some((_, rest)) if is_decision(rest) == self.wsa => return Ok(()),
                Some(_) if self.wsa => return refuse("expected the decision of a policy behind Squid's fields"),
                Some(_) => return refuse("this is the log of a Cisco WSA"),
                None => reasons = Some("expected a line of a proxy with a result code such as TCP_MISS/200"),
            }
        }
        refuse(reasons.unwrap_or("expected a log of a proxy, found no line"))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        let reader = Reader { layouts: layouts(), last: 0, zone: input.zone.clone(), wsa: self.wsa };
        Box::new(Rows::new(input, self.name, self.sights(), reader))
    }
}

/// Reads lines of a layout of the user's own.
pub(crate) fn read_by<'a>(layout: Layout, input: Input<'a>, name: &str, sights: SightSet) -> Records<'a> {
    let reader = Reader { layouts: vec![layout], last: 0, zone: input.zone.clone(), wsa: false };
    Box::new(Rows::new(input, name, sights, reader))
}

fn refuse(why: &str) -> Result<(), Refusal> {
    Err(Refusal(why.to_owned()))
}

/// A line as text: what is not UTF-8 in it is no part of any field that decides.
fn text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    // Cisco's syslog and file logs put a level before the line.
    text.strip_prefix("Info: ").unwrap_or(&text).to_owned()
}

fn layouts() -> Vec<Layout> {
    [NATIVE, COMBINED, COMMON].iter().filter_map(|text| Layout::compile(text).ok()).collect()
}

/// The first layout that fits a line, and what follows its fields there.
fn find_layout<'l, 'a>(layouts: &'l [Layout], line: &'a str) -> Option<(&'l Layout, &'a str)> {
    layouts.iter().find_map(|layout| {
        let (fields, rest) = layout.split(line).ok()?;
        (layout.has(Field::Outcome) && fits(layout, &fields)).then_some((layout, rest))
    })
}

/// Whether fields that must be a result code and a status are, where the layout has them.
fn fits(layout: &Layout, fields: &Fields<'_>) -> bool {
    let code = fields.text(Field::Outcome).and_then(|text| text.split(':').next());
    let status = fields.text(Field::ReplyStatus);
    (!layout.has(Field::Outcome) || code.is_some_and(outcome::is_code))
        && (!layout.has(Field::ReplyStatus)
            || status.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit())))
}

/// Whether what follows Squid's fields is a WSA's decision: a tag, then verdicts in angle brackets.
fn is_decision(rest: &str) -> bool {
    let rest = rest.trim_start();
    !rest.is_empty() && rest.contains('<') && rest.contains('>')
}

/// Reads lines of one proxy.
struct Reader {
    layouts: Vec<Layout>,
    /// The layout that fitted last.
    last: usize,
    zone: Zone,
    wsa: bool,
}

impl RowReader for Reader {
    fn row(&mut self, line: &[u8]) -> Result<Row, String> {
        if line.starts_with(b"#") {
            return Ok(Row::Nothing);
        }
        let line = text(line);
        let mut wrong = String::new();
        for at in (0..self.layouts.len()).map(|step| (self.last + step) % self.layouts.len().max(1)) {
            let Some(layout) = self.layouts.get(at) else { break };
            match layout.split(&line) {
                Ok((fields, rest)) if fits(layout, &fields) => {
                    self.last = at;
                    let blocked = self.wsa && rest.trim_start().starts_with("BLOCK_");
                    let policy = if blocked { Policy::Blocked } else { Policy::Passed };
                    return record::row(&fields, policy, &self.zone);
                }
                Ok(_) if wrong.is_empty() => wrong = "expected a result code such as TCP_MISS, and a status".to_owned(),
                Err(error) if wrong.is_empty() => wrong = error,
                _ => {}
            }
        }
        Err(wrong)
    }
}
