//! One fixed report through every output: snapshots, and what must hold whatever they look like.
#![cfg(test)]

mod fixed;

use fixed::{finding, report, written};
use monologue_model::Report;
use monologue_report::OUTPUTS;

#[test]
fn every_output_writes_the_fixed_report_as_reviewed() {
    let report = report(vec![finding(1, false), finding(2, true)]);
    for output in OUTPUTS {
        insta::assert_snapshot!(output.name(), written(output.name(), &report));
    }
}

#[test]
fn nothing_hostile_acts_in_any_output() {
    let report = report(vec![finding(1, true)]);
    for output in OUTPUTS {
        let text = written(output.name(), &report);
        for character in ['\u{1b}', '\u{202e}', '\u{7f}'] {
            assert!(!text.contains(character), "{} lets {character:?} through", output.name());
        }
        if output.name() == "html" {
            assert_eq!(text.matches("<script").count(), 2, "a script came in with the data");
            assert!(text.contains("<script id=\"rows\" type=\"application/json\">"), "the first is data");
            assert!(
                !text.contains("script-src 'unsafe") && !text.contains(" onclick"),
                "only the script named by hash runs"
            );
            for fetched in ["src=", "@import", "url(", "href=\"http"] {
                assert!(!text.contains(fetched), "the page would fetch something: {fetched}");
            }
        }
    }
}

#[test]
fn json_keeps_its_contract() {
    let text = written("json", &report(vec![finding(1, false), finding(2, true)]));
    assert_eq!(text.lines().count(), 2);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in [
            "schema",
            "id",
            "supersedes",
            "host",
            "application",
            "user",
            "destination",
            "disposition",
            "leaning",
            "readings",
            "level",
            "score",
            "first_time",
            "last_time",
            "exchanges",
            "signals",
            "blind",
            "approval",
            "prevalence",
            "attack",
            "triage",
        ] {
            assert!(value.get(key).is_some(), "{key} is missing");
        }
        for pointer in [
            "/application/path",
            "/application/name",
            "/application/agent",
            "/application/socket_owner",
            "/application/signing_id",
            "/application/team_id",
            "/application/cdhash",
            "/application/signature",
            "/destination/host",
            "/destination/hosts",
            "/destination/service",
            "/destination/ips",
            "/destination/ports",
            "/prevalence/hosts",
            "/prevalence/of",
            "/attack/analytic",
            "/attack/strategy",
            "/attack/technique",
            "/attack/release",
            "/attack/analytic_sha256",
            "/attack/source",
            "/signals/1/id",
            "/signals/1/judgement",
            "/signals/1/weight",
            "/signals/1/why",
            "/signals/1/seen",
            "/signals/1/of",
            "/signals/1/cites/0/source",
            "/signals/1/cites/0/offset",
            "/signals/1/cites/0/length",
        ] {
            assert!(value.pointer(pointer).is_some(), "{pointer} is missing");
        }
        assert_eq!(value["schema"], "monologue.finding/1");
        assert!(value["first_time"].as_str().unwrap().ends_with('Z'));
        assert_eq!(value["id"].as_str().unwrap().len(), 32);
        assert_eq!(value.pointer("/signals/1/cites/0/sha256").unwrap().as_str().unwrap().len(), 64);
        assert_eq!(
            value.pointer("/largest/request").unwrap(),
            &serde_json::json!({"value": 210, "quality": "measured", "layer": "payload"})
        );
    }
}

#[test]
fn the_sum_that_is_printed_is_the_sum_of_the_weights() {
    let text = written("text", &report(vec![finding(1, false)]));
    assert!(text.contains("   +8.0  sum, which means a probability of 0.863"), "{text}");
}

#[test]
fn an_empty_report_says_why_it_is_empty() {
    let nothing = Report::default();
    for output in OUTPUTS {
        let text = written(output.name(), &nothing);
        // A line a finding, and nothing else: no finding, no line.
        let lines = ["json", "ocsf", "ecs", "splunk-hec", "cef"].contains(&output.name());
        assert_eq!(text.is_empty(), lines, "{}", output.name());
    }
    assert!(written("text", &nothing).contains("because no record could be used"));
}

#[test]
fn numbers_in_pictures_are_finite_and_many_findings_are_quick() {
    let started = std::time::Instant::now();
    let page = written("html", &report((0..1000).map(|number| finding(number, number % 2 == 0)).collect()));
    assert!(!page.contains("NaN") && !page.contains("inf\""), "a position is not a number");
    assert!(page.len() > 1_000_000);
    assert!(started.elapsed().as_secs() < 20, "a thousand findings took {:?}", started.elapsed());
}

#[test]
fn ten_thousand_findings_make_a_page_that_a_browser_can_hold() {
    let page = written("html", &report((0..10_000).map(|number| finding(number, false)).collect()));
    assert!(page.len() < 32 << 20, "{} bytes", page.len());
    // Thirty stand in the page, the rest lie in templates; the list knows all of them.
    assert_eq!(page.matches("<template id=\"tf").count(), 9970);
    let rows =
        page.split("<script id=\"rows\" type=\"application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
    assert_eq!(rows.len(), 10_000);
    assert_eq!(rows[9_999][5], "mac-9999");
}

#[test]
fn many_notes_and_the_reasons_of_all_formats_are_folded_away() {
    let mut long = report(Vec::new());
    long.summary.notes = (1..=8).map(|number| format!("note {number}")).collect();
    long.summary.sources[1].refused = Some("no format reads it (squid: <b>one; har: two)".to_owned());
    let page = written("html", &long);
    let notes = page.split_once("<summary>2 more notes</summary>").unwrap();
    assert!(notes.0.contains("<li>note 6</li>") && notes.1.starts_with("<ul>\n<li>note 7</li>"), "six stand open");
    assert!(page.contains("<summary>not read: no format reads it</summary>squid: &lt;b&gt;one;<br>har: two</details>"));
    let text = written("text", &long);
    assert!(text.contains("not read: no format reads it\n") && !text.contains("har: two"), "{text}");
}
