//! `monologue formats`, `signals`, `outputs`, `lake columns`: what there is, from the lists themselves.

use crate::{
    cli::{ListArguments, OutputsArguments, SignalsArguments},
    talk::Verdict,
};
use anyhow::{Result, anyhow};
use monologue_model::Needs;
use std::io::{self, Write};

/// Lists the formats.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn formats(arguments: &ListArguments) -> Result<Verdict> {
    let rows = monologue_formats::FORMATS.iter().map(|format| {
        let sights: Vec<&str> = format.sights().iter().map(|sight| sight.name()).collect();
        vec![format.name().to_owned(), format.about().to_owned(), sights.join(", ")]
    });
    table("Formats", &["format", "what it is", "what it can show"], rows.collect(), arguments.markdown)
}

/// Lists the outputs, or prints the manual page of one.
///
/// # Errors
/// When there is no such output, or standard output is closed.
pub(crate) fn outputs(arguments: &OutputsArguments) -> Result<Verdict> {
    let all = monologue_report::OUTPUTS;
    if let Some(name) = &arguments.name {
        let output = monologue_report::by_name(name).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|output| output.name()).collect();
            anyhow!("expected the name of an output, found {name:?}; hint: one of {}", names.join(", "))
        })?;
        write!(io::stdout().lock(), "{}", monologue_report::manual(output))?;
        return Ok(Verdict::Nothing);
    }
    let rows = all.iter().map(|output| vec![output.name().to_owned(), output.about().to_owned()]);
    table("Outputs", &["output", "what it is"], rows.collect(), arguments.markdown)?;
    if arguments.markdown {
        let mut to = io::stdout().lock();
        // Two outputs of one file share its page.
        for together in all.chunk_by(|one, next| one.source() == next.source()) {
            let names: Vec<&str> = together.iter().map(|output| output.name()).collect();
            let page = together.first().map(|output| monologue_report::manual(*output)).unwrap_or_default();
            write!(to, "\n## {}\n\n{page}", names.join(", "))?;
        }
    }
    Ok(Verdict::Nothing)
}

/// Lists the columns of the lake's tables.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn columns(arguments: &ListArguments) -> Result<Verdict> {
    let page = monologue_lake::tables::reference();
    let mut to = io::stdout().lock();
    if arguments.markdown {
        write!(to, "{page}")?;
        return Ok(Verdict::Nothing);
    }
    for line in page.lines() {
        if let Some(table) = line.strip_prefix("## ") {
            writeln!(to, "{table}")?;
        } else if let Some([path, kind, meaning]) = line.strip_prefix("| `").and_then(cells) {
            writeln!(to, "    {} ({kind})\n        {meaning}", path.trim_end_matches('`'))?;
        }
    }
    Ok(Verdict::Nothing)
}

/// The three cells of a row whose first bar is taken off.
fn cells(row: &str) -> Option<[&str; 3]> {
    let mut cells = row.strip_suffix(" |")?.splitn(3, " | ");
    Some([cells.next()?, cells.next()?, cells.next()?])
}

/// Lists the signals, or prints the manual page of one.
///
/// # Errors
/// When there is no such signal, or standard output is closed.
pub(crate) fn signals(arguments: &SignalsArguments) -> Result<Verdict> {
    if let Some(name) = &arguments.name {
        let signal = monologue_hunt::by_id(name).ok_or_else(|| {
            let last = name.rsplit('.').next().unwrap_or(name);
            let close: Vec<&str> = monologue_hunt::SIGNALS
                .iter()
                .map(|signal| signal.id().0)
                .filter(|id| id.contains(last) || id.split('.').next() == name.split('.').next())
                .collect();
            let hint = if close.is_empty() { "`monologue signals` lists them".to_owned() } else { close.join(", ") };
            anyhow!("expected the name of a signal, found {name:?}; hint: {hint}")
        })?;
        write!(io::stdout().lock(), "{}", monologue_hunt::manual(signal))?;
        return Ok(Verdict::Nothing);
    }
    let rows = monologue_hunt::SIGNALS.iter().map(|signal| {
        let needs = match signal.needs() {
            Needs::Every(sights) => format!("every exchange: {}", names(sights)),
            Needs::Any([]) => "the times of requests".to_owned(),
            Needs::Any(sights) => format!("one exchange: {}", names(sights)),
        };
        let page = monologue_hunt::manual(*signal);
        let title = page.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, title)| title);
        vec![signal.id().0.to_owned(), title.trim_end_matches('.').to_owned(), needs]
    });
    table("Signals", &["signal", "what it says", "what must have been seen"], rows.collect(), arguments.markdown)
}

fn names(sights: &[monologue_model::Sight]) -> String {
    sights.iter().map(|sight| sight.name()).collect::<Vec<_>>().join(", ")
}

fn table(title: &str, header: &[&str], rows: Vec<Vec<String>>, markdown: bool) -> Result<Verdict> {
    let mut to = io::stdout().lock();
    if markdown {
        writeln!(to, "# {title}\n")?;
        writeln!(to, "| {} |", header.join(" | "))?;
        writeln!(to, "|{}", " --- |".repeat(header.len()))?;
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            writeln!(to, "| {} |", cells.join(" | "))?;
        }
        return Ok(Verdict::Nothing);
    }
    for row in rows {
        let mut cells = row.into_iter();
        writeln!(to, "{}", cells.next().unwrap_or_default())?;
        cells.try_for_each(|cell| writeln!(to, "    {cell}"))?;
    }
    Ok(Verdict::Nothing)
}
