//! What the whole line says of real captures. Skipped, and said so, where the data is not there.
#![cfg(test)]

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of real data, beside the repository.
fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: ../shared/data is not there");
    None
}

/// Every channel of a hunt, the most urgent first.
fn hunt(paths: &[PathBuf]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .arg("hunt")
        .args(paths)
        .args(["--output", "json", "--minimum-level", "info"])
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(finding: &'a Value, pointer: &str) -> &'a str {
    finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn at_least_medium(finding: &Value) -> bool {
    matches!(text(finding, "/level"), "medium" | "high" | "critical")
}

fn shown(finding: &Value) -> String {
    format!(
        "{} {} {} {} {:.3} n={} {}",
        text(finding, "/level"),
        text(finding, "/disposition"),
        text(finding, "/host"),
        text(finding, "/destination/host"),
        finding.pointer("/score").and_then(Value::as_f64).unwrap_or(-1.0),
        finding.pointer("/exchanges").and_then(Value::as_u64).unwrap_or(0),
        text(finding, "/sentence"),
    )
}

#[test]
fn njrat_that_nobody_answers_ranks_first() {
    let Some(data) = data() else { return };
    let findings = hunt(&[data.join("network/stratosphere/001-zeek-scenario-malicious")]);
    let first = &findings[0];
    assert_eq!(text(first, "/host"), "192.168.1.115", "{}", shown(first));
    assert_eq!(text(first, "/destination/host"), "41.108.179.197");
    assert_eq!(first.pointer("/destination/ports"), Some(&serde_json::json!([1177])));
    assert_eq!(text(first, "/disposition"), "no-reply");
    assert!(at_least_medium(first), "{}", shown(first));
}

#[test]
fn benign_machines_have_no_finding_of_medium_or_more() {
    let Some(data) = data() else { return };
    for folder in ["stratosphere/008-zeek-mixed/data", "stratosphere/012-zeek-mixed/data", "ubuntu-desktop-2023-02-20"]
    {
        let findings = hunt(&[data.join("network").join(folder)]);
        assert!(findings.len() > 50, "{folder}: only {} channels were looked at", findings.len());
        let urgent: Vec<String> = findings.iter().filter(|finding| at_least_medium(finding)).map(shown).collect();
        assert!(urgent.is_empty(), "{folder}:\n{}", urgent.join("\n"));
    }
}

#[test]
fn a_beacon_through_an_explicit_proxy_is_found_by_the_name_asked_for() {
    let Some(data) = data() else { return };
    let findings = hunt(&[data.join("network/rita/proxy")]);
    let of = |name: &str| findings.iter().find(|finding| text(finding, "/destination/host") == name);
    let evil = of("www.honestimnotevil.com").expect("the beacon's channel");
    assert!(at_least_medium(evil), "{}", shown(evil));
    assert!(text(evil, "/sentence").contains("www.honestimnotevil.com"));
    let google = of("www.google.com").expect("the benign channel");
    assert!(!at_least_medium(google), "{}", shown(google));
    assert!(of("10.136.0.16").is_none(), "the proxy itself is no destination");
}

/// The sentence of a layer of a finding.
fn layer<'a>(finding: &'a Value, name: &str) -> &'a str {
    let layers = finding.pointer("/layers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    layers.iter().find(|layer| text(layer, "/layer") == name).map_or("", |layer| text(layer, "/sentence"))
}

#[test]
fn a_bot_that_polls_two_pages_for_ever_is_described_as_a_reader_of_the_rows_would() {
    let Some(data) = data() else { return };
    let findings = hunt(&[data.join("network/aktaion/WinBABOAPT")]);
    let bot = findings.iter().find(|finding| text(finding, "/destination/host") == "crysys.hu").expect("its channel");
    // By counting the rows of http.log: 10,564 requests, half for a page that comes empty, half for one that is not there.
    assert_eq!(bot.pointer("/exchanges"), Some(&serde_json::json!(10_564)));
    let wire = layer(bot, "wire");
    assert!(wire.contains("5282 answered without a body, 5282 answered in full"), "{wire}");
    // Nothing of the host itself was recorded: what became of the replies cannot be claimed, and looks unhandled.
    assert_eq!((text(bot, "/disposition"), text(bot, "/leaning")), ("unknown", "reply-unhandled"), "{}", shown(bot));
    assert_eq!(text(bot, "/blind/0/sight"), "file.effect");
}

#[test]
fn a_bot_whose_answers_vary_is_not_called_unhandled() {
    let Some(data) = data() else { return };
    let findings = hunt(&[data.join("network/aktaion/Win5BotNETEXECCGEODo")]);
    let bot =
        findings.iter().find(|finding| text(finding, "/destination/host") == "201.175.17.35").expect("its channel");
    // Twelve posts, each answered with some kilobytes of another size: whatever it did with them was not recorded.
    assert_eq!(bot.pointer("/exchanges"), Some(&serde_json::json!(12)));
    assert!(layer(bot, "wire").contains("12 answered in full"));
    assert_eq!((text(bot, "/disposition"), text(bot, "/leaning")), ("unknown", ""), "{}", shown(bot));
}

#[test]
fn a_connectivity_check_is_explained_as_what_it_is() {
    let Some(data) = data() else { return };
    let findings = hunt(&[data.join("network/ubuntu-desktop-2023-02-20")]);
    let check = findings.iter().find(|finding| text(finding, "/destination/host") == "connectivity-check.ubuntu.com");
    let check = check.expect("its channel");
    assert_eq!(text(check, "/level"), "info");
    let said = check.pointer("/signals").and_then(Value::as_array).expect("signals");
    let documented = said.iter().find(|signal| text(signal, "/id") == "destination.documented").expect("the signal");
    assert_eq!(text(documented, "/judgement"), "refutes");
    assert!(text(documented, "/why").contains("connectivity check"), "{documented}");
}
