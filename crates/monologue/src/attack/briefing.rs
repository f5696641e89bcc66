//! `attack brief`, `attack crosswalk` and `attack site`: an object beside this site's numbers, and the library as pages.

use super::{
    arguments::{BriefArguments, BriefForm, CrosswalkArguments, DocumentForm, Form, SiteArguments},
    ask, changes, open, write,
};
use crate::talk::{self, Verdict};
use anyhow::{Context, Result, anyhow, bail};
use monologue_attack::{
    Detail, Error, LICENCE, Library, View,
    brief::{self, Brief, Reader},
    crosswalk::{self, Demand, Row},
    known,
    measured::{Coverage, Findings},
    site,
};
use monologue_report::escape;
use serde_json::json;
use std::{fmt::Write as _, fs, path::Path};

/// Largest file of coverage or findings that is read.
const FILE_CAP: u64 = 1 << 30;

/// Writes the brief of an object.
///
/// # Errors
/// When the object is not known, or a file is not what it should be.
pub(super) fn brief(folder: &Path, arguments: &BriefArguments) -> Result<Verdict> {
    let coverage = arguments.coverage.as_deref().map(|file| measured(file, Coverage::read)).transpose()?;
    let findings = arguments.findings.as_deref().map(|file| measured(file, Findings::read)).transpose()?;
    let library = library_or_none(folder)?;
    let asked = ask(&arguments.ask);
    let view = library.as_ref().map(|library| library.view(&asked)).transpose()?;
    let brief = brief::brief(view.as_ref(), &arguments.id, coverage.as_ref(), findings.as_ref())?;
    match arguments.form {
        BriefForm::Json => write::json(&brief)?,
        BriefForm::Html => write::text(&brief.html())?,
        BriefForm::Markdown => write::text(&brief.markdown(|text| changes::safe(text, DocumentForm::Markdown)))?,
        BriefForm::Text => write::text(&told(&brief))?,
    }
    Ok(Verdict::Nothing)
}

fn measured<T>(file: &Path, read: impl Fn(&str) -> Result<T, String>) -> Result<T> {
    let failed = || format!("cannot read {}", file.display());
    let length = fs::metadata(file).with_context(failed)?.len();
    if length > FILE_CAP {
        bail!(
            "expected {} to hold at most {FILE_CAP} bytes, found {length}; hint: hunt a shorter time",
            file.display()
        );
    }
    let text = fs::read_to_string(file).with_context(failed)?;
    read(&text).map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// The library, where there is one: briefs and crosswalks of known objects need none.
fn library_or_none(folder: &Path) -> Result<Option<Library>> {
    match Library::open(folder) {
        Ok(library) => Ok(Some(library)),
        Err(Error::NoLibrary(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn told(brief: &Brief) -> String {
    let mut out = format!("{}\n", escape::terminal(&format!("{} {}", brief.id, brief.name)));
    out.push_str(&write::fact("release", &brief.release));
    out.push_str(&write::fact("sha256", &brief.sha256));
    if !brief.imported {
        out.push_str("  Known by its facts only; import a bundle for its text.\n");
    }
    let mut reader = None;
    for section in &brief.sections {
        if reader != Some(section.reader) {
            reader = Some(section.reader);
            let words = match section.reader {
                Reader::Executives => "FOR EXECUTIVES",
                Reader::SecurityTeam => "FOR THE SECURITY TEAM",
            };
            let _ = write!(out, "\n{words}\n");
        }
        let _ = write!(out, "\n{}\n", section.title);
        for line in &section.lines {
            out.push_str(&write::wrapped(&line.text, "  "));
            out.push_str(&write::wrapped(&format!("({})", brief::basis_words(&line.basis)), "      "));
        }
    }
    if let Some(licence) = brief.licence {
        let _ = write!(out, "\n{licence}\n");
    }
    out
}

/// Writes what analytics ask for and how far it is covered.
///
/// # Errors
/// When an analytic is not known, or standard output is closed.
pub(super) fn crosswalk(folder: &Path, arguments: &CrosswalkArguments) -> Result<Verdict> {
    let library = library_or_none(folder)?;
    let asked = ask(&arguments.ask);
    let view = library.as_ref().map(|library| library.view(&asked)).transpose()?;
    let ids: Vec<String> = if arguments.ids.is_empty() {
        let analytics = known::KNOWN.iter().filter(|known| known.kind() == "x-mitre-analytic");
        analytics.map(|known| known.attack_id.to_owned()).collect()
    } else {
        arguments.ids.clone()
    };
    let mut rows = Vec::new();
    for id in &ids {
        rows.extend(crosswalk::rows(&demand(view.as_ref(), id)?));
    }
    match arguments.form {
        DocumentForm::Json => {
            write::json(&json!({ "schema": "monologue.attack-crosswalk/1", "rows": rows, "licence": LICENCE }))?;
        }
        form => write::text(&crosswalk_told(&rows, form))?,
    }
    Ok(Verdict::Nothing)
}

/// What an analytic asks for: as imported, else as known.
fn demand(view: Option<&View<'_>>, id: &str) -> Result<Demand> {
    let card = view.map(|view| view.card(id, Detail::default()));
    match (card, known::by_id(id)) {
        (Some(Ok(card)), _) if card.kind == "x-mitre-analytic" => Ok(Demand::from(&card)),
        (Some(Ok(card)), _) => {
            Err(anyhow!("expected an analytic, found the {} {id}; hint: such as AN1601", card.type_word))
        }
        (Some(Err(Error::Unknown { .. })) | None, Some(known)) if !known.log_sources.is_empty() => {
            Ok(Demand::from(known))
        }
        (Some(Err(error)), _) => Err(error.into()),
        (None, _) => Err(anyhow!(
            "expected an analytic that is known without an import, found {id:?}; hint: `monologue attack import FILE` takes the bundle that holds it"
        )),
    }
}

fn crosswalk_told(rows: &[Row], form: DocumentForm) -> String {
    let mut out = String::new();
    let mut analytic = "";
    if form == DocumentForm::Markdown {
        out.push_str("| analytic | asks for | covered | by | why |\n|---|---|---|---|---|\n");
    }
    for row in rows {
        let cells = [brief::asked_words(row), row.cover.name().to_owned(), row.ours.to_owned(), row.reason.to_owned()];
        let cells = cells.map(|cell| changes::safe(&cell, form));
        if form == DocumentForm::Markdown {
            let _ = writeln!(out, "| {} | {} |", changes::safe(&row.analytic, form), cells.join(" | "));
            continue;
        }
        if analytic != row.analytic {
            analytic = &row.analytic;
            let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, escape::terminal(analytic));
        }
        let [asked, cover, ours, reason] = cells;
        let by = if ours.is_empty() { String::new() } else { format!(" by {ours}") };
        out.push_str(&write::wrapped(&format!("{asked}: {cover}{by}"), "  "));
        out.push_str(&write::wrapped(&reason, "      "));
    }
    let _ = write!(out, "\n{LICENCE}\n");
    out
}

/// Writes the library as pages.
///
/// # Errors
/// When there is no library, the folder holds something else, or a file cannot be written.
pub(super) fn site(folder: &Path, arguments: &SiteArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let written = site::write(&library, &ask(&arguments.ask), &arguments.folder)?;
    match arguments.form.form {
        Form::Json => write::json(&written)?,
        Form::Text => {
            let index = arguments.folder.join("index.html");
            talk::note(&format!("{} objects in {} files, {} bytes", written.objects, written.files, written.bytes));
            write::text(&format!("{}\n", escape::terminal(&index.display().to_string())))?;
        }
    }
    Ok(Verdict::Nothing)
}
