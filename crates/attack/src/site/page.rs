//! What every page shares: policy, style, script, navigation, the licence line; and text made safe.

use crate::{
    LICENCE,
    prose::{Prose, Segment},
};
use monologue_model::{Sha256, escape};
use std::fmt::Write as _;

/// The style of all pages, inside each: pages opened from a folder may not load others.
const STYLE: &str = include_str!("style.css");

/// The script of lists and graphs. Without it, all rows and all nodes are shown.
const SCRIPT: &str = include_str!("script.js");

/// Text that is only text.
pub(crate) fn safe(text: &str) -> String {
    escape::html(text)
}

/// Which page, seen from the root of the site.
pub(crate) struct Frame<'a> {
    /// Title.
    pub(crate) title: &'a str,
    /// Folders between the root and the page: 0 or 1.
    pub(crate) depth: usize,
    /// Whether the page needs the script.
    pub(crate) script: bool,
    /// Whether the page stands alone, without the others of the site.
    pub(crate) alone: bool,
}

/// A whole page.
pub(crate) fn page(frame: &Frame<'_>, body: &str) -> String {
    let up = "../".repeat(frame.depth);
    let (policy, script) = if frame.script {
        (
            format!("style-src '{}'; script-src '{}'", source(STYLE), source(SCRIPT)),
            format!("<script>{SCRIPT}</script>\n"),
        )
    } else {
        (format!("style-src '{}'", source(STYLE)), String::new())
    };
    let navigation = if frame.alone {
        String::new()
    } else {
        format!(
            "<header><nav aria-label=\"Site\"><a href=\"{up}index.html\">ATT&amp;CK library</a><a href=\"{up}all.html\">All objects</a>\
             <a href=\"{up}index.html#changes\">Changes</a></nav></header>\n"
        )
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {policy}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">To the content</a>\n\
         {navigation}<main id=\"content\">\n{body}</main>\n\
         <footer><p>{licence}</p><p>Written by Monologue from bundles that were imported on this machine. Nothing is fetched.</p></footer>\n\
         {script}</body>\n</html>\n",
        title = safe(frame.title),
        licence = safe(LICENCE),
    )
}

/// The policy's name for one inline style or script: only these very bytes may act.
fn source(content: &str) -> String {
    format!("sha256-{}", base64(Sha256::of(content.as_bytes()).as_bytes()))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_usize {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 0x3f).unwrap_or(0);
            let digit = DIGITS.get(digit).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A link; only the words where there is no page.
pub(crate) fn link(to: Option<&str>, words: &str) -> String {
    match to {
        Some(to) => format!("<a href=\"{}\">{}</a>", safe(to), safe(words)),
        None => safe(words),
    }
}

/// A text as paragraphs, each citation as a link to its source below.
pub(crate) fn prose(prose: &Prose, anchor: &str) -> String {
    let mut out = String::from("<p>");
    for segment in &prose.segments {
        match segment {
            Segment::Text(text) => text_lines(text, &mut out),
            Segment::Code(code) => {
                let _ = write!(out, "<code>{}</code>", safe(code));
            }
            // Other sites are named, never opened by a click by mistake: the address is shown with the source.
            Segment::Link { label, url } => {
                let _ = write!(out, "<a href=\"{}\" rel=\"noreferrer\">{}</a>", safe(url), safe(label));
            }
            Segment::Citation(number) => {
                let _ = write!(out, "<a href=\"#{anchor}{number}\">[{number}]</a>");
            }
        }
    }
    out.push_str("</p>\n");
    if !prose.citations.is_empty() {
        out.push_str("<ol class=\"note\">\n");
        for citation in &prose.citations {
            let what = citation.description.as_deref().unwrap_or("the object does not list this source");
            let url =
                citation.url.as_deref().map(|url| format!(" <a href=\"{0}\" rel=\"noreferrer\">{0}</a>", safe(url)));
            let _ = writeln!(
                out,
                "<li id=\"{anchor}{}\">{}: {}{}</li>",
                citation.number,
                safe(&citation.name),
                safe(what),
                url.unwrap_or_default()
            );
        }
        out.push_str("</ol>\n");
    }
    out
}

/// Lines of a text: an empty one ends the paragraph.
fn text_lines(text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str(if line.trim().is_empty() { "</p>\n<p>" } else { "<br>\n" });
        }
        out.push_str(&safe(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn hostile_texts_stay_texts() {
        let object = json!({
            "description": "<script>alert(1)</script> [x](https://a.example/\"onclick=\"x)(Citation: <img src=x>)\u{202e}\n\n`<b>`",
            "external_references": [{ "source_name": "<img src=x>", "description": "</ol><script>", "url": "javascript:alert(1)" }],
        });
        let out = prose(&Prose::of(&object), "c");
        assert!(!out.contains("<script") && !out.contains("<img") && !out.contains("javascript:"), "{out}");
        assert!(!out.contains("\"onclick") && !out.contains('\u{202e}'), "{out}");
        let whole = page(&Frame { title: "</title><script>", depth: 0, script: true, alone: false }, "");
        assert_eq!(whole.matches("<script>").count(), 1, "only our own");
    }
}
