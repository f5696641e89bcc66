//! The cadence statistic beside the maths of two beacon hunters, on the same series and on real captures.
//!
//! `cargo bench -p monologue --bench opponents -- --write FILE` writes the page `docs/reference/timing.md`; without `--write`
//! it is printed. `--series N` sets how many series each generator makes (by default 200 with a clock, 500 without),
//! `--seed N` the chance, and `--captures DIR` where real captures lie.

#![expect(clippy::indexing_slicing, reason = "a bench over series of its own making may panic")]

mod accuracy;
mod captures;
mod elastic;
mod generators;
mod rita;

use accuracy::{area, recall};
use anyhow::{Context as _, Result, bail};
use generators::{AFTER, BEFORE, DAY, Generator, NARROW, Random, Series, WITHOUT, series};
use monologue_hunt::cadence;
use rita::Dataset;
use std::{fmt::Write as _, path::PathBuf};

/// Who is compared.
const NAMES: [&str; 5] =
    ["Monologue", "RITA, whole score", "RITA, times only", "Elastic, score", "Elastic, correlation"];

/// Scores of one series, the higher the more like a clock.
fn scores(series: &Series) -> [f64; 5] {
    let nanoseconds: Vec<i64> = series.times.iter().map(|time| (time * 1e9) as i64).collect();
    let check_ins = cadence::check_ins(&nanoseconds, cadence::COLLAPSE_NS);
    let ours = cadence::test(&check_ins).map_or(0.0, |cadence| -cadence.p_value.log10());
    let rita = rita::score(&series.times, &series.sent, &Dataset { from: 0.0, until: DAY }).unwrap_or_default();
    let elastic = elastic::best(&series.times, &series.sent, &series.received);
    [ours, rita.total(), rita.times, elastic.score(), elastic.correlation]
}

/// The scores of many series of each generator, by opponent.
struct Scored {
    name: &'static str,
    scores: [Vec<f64>; 5],
}

fn scored(generators: &[Generator], count: usize, seed: u64) -> Vec<Scored> {
    let of_one = |(number, (name, times)): (usize, &Generator)| {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(number as u64 * 7_919));
        let mut scores_of: [Vec<f64>; 5] = Default::default();
        for _ in 0..count {
            let scores = scores(&series(&mut random, *times));
            scores_of.iter_mut().zip(scores).for_each(|(list, score)| list.push(score));
        }
        Scored { name, scores: scores_of }
    };
    generators.iter().enumerate().map(of_one).collect()
}

/// All scores of one opponent.
fn pooled(scored: &[Scored], opponent: usize) -> Vec<f64> {
    scored.iter().flat_map(|one| one.scores[opponent].iter().copied()).collect()
}

/// A table: area under the curve, and recall at two rates of false positives, for each opponent.
fn table(groups: &[(&str, &[Scored])], without: &[Scored]) -> String {
    let mut text = String::from("| series with a clock |");
    NAMES.iter().for_each(|name| text.push_str(&format!(" {name} |")));
    text.push_str("\n|---|---|---|---|---|---|\n");
    let mut line = |name: &str, of: &dyn Fn(usize) -> Vec<f64>| {
        let _ = write!(text, "| {name} |");
        for opponent in 0..NAMES.len() {
            let (with, none) = (of(opponent), pooled(without, opponent));
            let (one, tenth) = (recall(&with, &none, 0.01), recall(&with, &none, 0.001));
            let _ = write!(text, " {:.3}, {one:.2}, {tenth:.2} |", area(&with, &none));
        }
        text.push('\n');
    };
    for (group, scored) in groups {
        for one in *scored {
            line(one.name, &|opponent| one.scores[opponent].clone());
        }
        line(&format!("**all {group}**"), &|opponent| pooled(scored, opponent));
    }
    text
}

/// What a run is asked to do.
struct Wishes {
    write: Option<PathBuf>,
    captures: PathBuf,
    with: usize,
    without: usize,
    seed: u64,
}

fn wishes() -> Result<Wishes> {
    let captures = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/network"));
    let mut wishes = Wishes { write: None, captures, with: 200, without: 500, seed: 20_261_125 };
    // cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("expected a value after {name}"))?;
        match name.as_str() {
            "--write" => wishes.write = Some(value.into()),
            "--captures" => wishes.captures = value.into(),
            "--seed" => wishes.seed = value.parse()?,
            "--series" => {
                wishes.with = value.parse()?;
                wishes.without = wishes.with * 5 / 2;
            }
            _ => bail!("expected --write, --captures, --seed or --series, found {name}"),
        }
    }
    Ok(wishes)
}

fn main() -> Result<()> {
    rita::check();
    elastic::check();
    accuracy::check();
    let wishes = wishes()?;
    let before = scored(&BEFORE, wishes.with, wishes.seed);
    let after = scored(&AFTER, wishes.with, wishes.seed + 1);
    let without = scored(&WITHOUT, wishes.without, wishes.seed + 2);
    let mut with_narrow = scored(&WITHOUT, wishes.without, wishes.seed + 2);
    with_narrow.extend(scored(&NARROW, wishes.without, wishes.seed + 3));
    let groups = [("eight written before", before.as_slice()), ("eight written after", after.as_slice())];
    let page = format!(
        include_str!("page.md"),
        seed = wishes.seed,
        with = wishes.with,
        negatives = wishes.without * WITHOUT.len(),
        narrow = wishes.without * (WITHOUT.len() + NARROW.len()),
        table = table(&groups, &without),
        narrow_table = table(&[("eight written before", &before), ("eight written after", &after)], &with_narrow)
            .lines()
            .filter(|line| !line.starts_with('|')
                || line.starts_with("| **")
                || line.starts_with("| series")
                || line.starts_with("|--"))
            .collect::<Vec<&str>>()
            .join("\n"),
        captures = captures::table(&wishes.captures)?,
    );
    match &wishes.write {
        Some(path) => std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?,
        None => print!("{page}"),
    }
    Ok(())
}
