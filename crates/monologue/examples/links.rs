//! Measures the links against the simulator's truth: `links [--markdown] [--wrong] [--said] [DISTURBANCE]…`.

#[path = "../tests/links/measure.rs"]
mod measure;
#[path = "../tests/links/page.rs"]
mod page;
#[path = "../tests/links/verdicts.rs"]
mod verdicts;

use measure::{DISTURBANCES, Measured, SEEDS};
use std::env;
use verdicts::Verdicts;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (options, names): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with("--"));
    let names = if names.is_empty() { DISTURBANCES.to_vec() } else { names };
    let mut results = Vec::new();
    for name in names {
        let mut sum = Measured::default();
        let mut said = Verdicts::default();
        for seed in SEEDS {
            sum.add(measure::measure(&measure::fleet(seed, name), name));
            said.add(verdicts::verdicts(seed, name));
            eprintln!("{name}: seed {seed} done");
        }
        if options.contains(&"--wrong") {
            sum.wrong.iter().for_each(|wrong| println!("{name}: {wrong}"));
        }
        if options.contains(&"--said") {
            let said = said.alarms.iter().chain(&said.false_claims).chain(&said.clock_notes);
            said.for_each(|said| println!("{name}: {said}"));
        }
        results.push((name, sum, said));
    }
    print!("{}", page::page(&results));
}
