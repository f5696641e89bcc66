//! Packet captures: built by hand, and the real ones beside the repository.
#![cfg(test)]

mod build;
mod real;
mod samples;
mod traps;

use std::path::Path;

#[test]
fn samples_are_what_this_test_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for (name, bytes) in samples::all() {
        let path = folder.join(name);
        if std::env::var_os("MONOLOGUE_REWRITE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}; hint: MONOLOGUE_REWRITE=1 writes it anew");
    }
}
