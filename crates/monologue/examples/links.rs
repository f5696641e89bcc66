//! Measures the links against the simulator's truth: `links [--markdown | --wrong] [DISTURBANCE]…`.

#[path = "../tests/links/measure.rs"]
mod measure;
#[path = "../tests/links/page.rs"]
mod page;

use measure::{DISTURBANCES, Measured, SEEDS};
use std::env;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (options, names): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with("--"));
    let names = if names.is_empty() { DISTURBANCES.to_vec() } else { names };
    let mut results = Vec::new();
    for name in names {
        let mut sum = Measured::default();
        for seed in SEEDS {
            sum.add(measure::measure(&measure::fleet(seed, name), name));
            eprintln!("{name}: seed {seed} done");
        }
        if options.contains(&"--wrong") {
            sum.wrong.iter().for_each(|wrong| println!("{name}: {wrong}"));
        }
        results.push((name, sum));
    }
    print!("{}", page::page(&results));
}
