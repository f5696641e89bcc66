//! Writes a simulated fleet: `write_fleet DIR SEED`.

use monologue_simulate::{Options, simulate, write};
use std::{env, io, path::Path};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| io::Error::other("expected DIR SEED"))?;
    let seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let fleet = simulate(&Options { seed, ..Options::default() });
    let bytes: usize = fleet.files.iter().map(|file| file.bytes.len()).sum();
    println!("{} files, {bytes} bytes, {} channels", fleet.files.len(), fleet.truth.len());
    write(&fleet, Path::new(&folder))
}
