//! The commands of the guide, as they stand there: each page's in one new folder, in their order.
#![cfg(test)]

use std::{env, fs, path::Path, process::Command};

/// The pages whose console blocks can be run anywhere: they make their own telemetry.
const PAGES: [&str; 3] = ["first-hunt", "coverage", "findings"];

/// Lines `$ command` of console blocks, each with the code it is shown to end with.
fn commands(markdown: &str) -> Vec<(String, i32)> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            let (command, code) = command.rsplit_once("# exits ").unwrap_or((command, "0"));
            commands.push((command.trim().to_owned(), code.trim().parse().unwrap()));
        }
    }
    commands
}

#[test]
fn what_the_guide_shows_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = Path::new(env!("CARGO_BIN_EXE_monologue")).parent().unwrap().to_owned();
    let path = env::join_paths([program].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    for page in PAGES {
        let text = fs::read_to_string(root.join("docs/guide").join(page).with_extension("md")).unwrap();
        let commands = commands(&text);
        assert!(commands.len() >= 2, "{page}: expected commands to run");
        let folder = tempfile::tempdir().unwrap();
        for (command, code) in commands {
            let output = Command::new("sh")
                .args(["-c", &command])
                .env("PATH", &path)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{page}: {command}\n{said}");
        }
    }
}
