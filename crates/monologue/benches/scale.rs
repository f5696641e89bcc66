//! Does the time grow with the events, and does the memory not? Simulated days of one fleet in native formats, each with
//! its own seed and shifted by a day, are ingested into a lake month by month and hunted.
//!
//! `cargo bench -p monologue --bench scale -- --events 1000000,10000000` prints a Markdown table. Time is processor time
//! (user and system), so that a busy machine does not change it; memory is the largest resident set of any one run.
//! `--keep` leaves the lake where it is, to look into it afterwards.
//! Source files are removed once they are taken: 100 million events need some 25 GB for the lake, and hours.

use anyhow::{Context as _, Result, anyhow, ensure};
use monologue_model::Timestamp;
use monologue_simulate::{Options, simulate, write};
use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use wait4::Wait4 as _;

/// Days that are ingested by one run of the program.
const DAYS_A_RUN: u32 = 30;

const DAY_NS: i64 = 86_400_000_000_000;

/// The memory bound every run is given.
const MEMORY: &str = "256MB";

/// What one or several runs of the program used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    processor: Duration,
    resident_bytes: u64,
}

impl Used {
    fn add(&mut self, other: Self) {
        self.processor += other.processor;
        self.resident_bytes = self.resident_bytes.max(other.resident_bytes);
    }
}

/// One line of the table.
#[derive(Debug)]
struct Measured {
    events: u64,
    days: u32,
    ingest: Used,
    hunt: Used,
    again: Used,
}

fn run(arguments: &[&str], folder: &Path) -> Result<(Used, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("talk.txt"))?)
        .spawn()?;
    let used = child.wait4()?;
    let talk = std::fs::read_to_string(folder.join("talk.txt"))?;
    // 1 says that there are findings.
    ensure!(matches!(used.status.code(), Some(0 | 1)), "expected {arguments:?} to succeed, found {talk}");
    let processor = used.rusage.utime + used.rusage.stime;
    Ok((Used { processor, resident_bytes: used.rusage.maxrss }, talk))
}

/// Writes days of the fleet, each in a folder named by its number, as sensors name theirs by the date; how many events the
/// readers make of each is what `read` counts.
fn write_days(folder: &Path, days: std::ops::Range<u32>) -> Result<()> {
    let half = days.start + (days.end - days.start) / 2;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| (days.start..half).try_for_each(|day| write_day(folder, day)));
        (half..days.end).try_for_each(|day| write_day(folder, day))?;
        other.join().map_err(|_| anyhow!("a day could not be written"))?
    })
}

fn write_day(folder: &Path, day: u32) -> Result<()> {
    let mut options = Options { seed: 1000 + u64::from(day), shut_down: true, ..Options::default() };
    options.start = Timestamp::from_nanoseconds(options.start.nanoseconds() + i64::from(day) * DAY_NS);
    write(&simulate(&options), &folder.join(format!("{day:05}")))?;
    Ok(())
}

/// Events the readers make of one day, to know how many days are asked for.
fn events_of_a_day(folder: &Path) -> Result<u64> {
    let days = folder.join("one");
    write_days(&days, 0..1)?;
    let output = Command::new(env!("CARGO_BIN_EXE_monologue")).arg("read").arg(&days).output()?;
    std::fs::remove_dir_all(&days)?;
    Ok(output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64)
}

fn measure(events: u64, a_day: u64, keep: bool) -> Result<Measured> {
    let mut folder = tempfile::tempdir()?;
    if keep {
        folder.disable_cleanup(true);
        eprintln!("the lake of {events} events is kept below {}", folder.path().display());
    }
    let days = u32::try_from(events.div_ceil(a_day)).context("expected fewer days")?;
    let mut measured = Measured {
        events: u64::from(days) * a_day,
        days,
        ingest: Used::default(),
        hunt: Used::default(),
        again: Used::default(),
    };
    let sources = folder.path().join("sources");
    let mut first = 0;
    while first < days {
        let end = days.min(first + DAYS_A_RUN);
        write_days(&sources, first..end)?;
        let (used, _) = run(&["ingest", "sources", "--lake", "lake", "--memory", MEMORY], folder.path())?;
        measured.ingest.add(used);
        std::fs::remove_dir_all(&sources)?;
        first = end;
        eprintln!("{end} of {days} days: {used:?}");
    }
    measured.hunt = run(&["hunt", "--lake", "lake", "--memory", MEMORY], folder.path())?.0;
    measured.again = run(&["hunt", "--lake", "lake", "--memory", MEMORY], folder.path())?.0;
    Ok(measured)
}

/// How time grows: the slope between two lines on logarithmic axes.
fn exponent(one: &Measured, other: &Measured, of: impl Fn(&Measured) -> Used) -> f64 {
    let events = (other.events as f64 / one.events as f64).ln();
    (of(other).processor.as_secs_f64() / of(one).processor.as_secs_f64()).ln() / events
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--events").skip(1);
    let sizes = arguments.next().unwrap_or_else(|| "300000,1000000".to_owned());
    let sizes: Vec<u64> = sizes.split(',').map(str::parse).collect::<Result<_, _>>().context("--events N,N")?;
    let keep = std::env::args().any(|argument| argument == "--keep");
    let folder = tempfile::tempdir()?;
    let a_day = events_of_a_day(folder.path())?;
    println!("| events | days | ingest, s | ingest, MB | hunt, s | hunt, MB | again, s | again, MB | exponent |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut last: Option<Measured> = None;
    for size in sizes {
        let now = measure(size, a_day, keep)?;
        let grown = last.as_ref().map_or_else(String::new, |last| {
            let part = |of: fn(&Measured) -> Used| format!("{:.2}", exponent(last, &now, of));
            format!("{} ingest, {} hunt", part(|line| line.ingest), part(|line| line.hunt))
        });
        let cells = [now.ingest, now.hunt, now.again]
            .map(|used| format!("{:.1} | {}", used.processor.as_secs_f64(), used.resident_bytes / 1_000_000));
        println!("| {} | {} | {} | {grown} |", now.events, now.days, cells.join(" | "));
        last = Some(now);
    }
    Ok(())
}
