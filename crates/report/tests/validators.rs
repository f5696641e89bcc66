//! Outputs put to the tools of those who read them, where Python has these tools; otherwise it says that it was skipped.
//!
//! `pip install stix2-validator pySigma PyYAML py-ocsf-models mitreattack-python`, and `MONOLOGUE_PYTHON` for a Python that is not the
//! `python3` of the path.
#![cfg(test)]

mod fixed;

use fixed::{finding, report, written};
use monologue_model::Report;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// What a script exits with where a tool is missing.
const MISSING: i32 = 77;

/// Runs a Python script on a text. `None`: the tool it needs is not there.
fn python(tool: &str, script: &str, input: &str) -> Option<String> {
    let program = std::env::var("MONOLOGUE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = format!("import sys\ntry:\n    import {tool}\nexcept ImportError:\n    sys.exit({MISSING})\n{script}");
    let child = Command::new(program)
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no Python");
        return None;
    };
    // A script that exits before it reads closes the pipe; its exit code says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    if done.status.code() == Some(MISSING) {
        eprintln!("skipped: Python has no {tool}");
        return None;
    }
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{tool} refused it:\n{said}\n{}", String::from_utf8_lossy(&done.stderr));
    Some(said)
}

fn reports() -> [Report; 2] {
    [report(vec![finding(1, false), finding(2, true)]), Report::default()]
}

/// Check 103 asks for random UUIDs (version 4), which the specification recommends and does not demand: ours follow from the
/// content, so that the same report is the same bundle.
#[test]
fn the_oasis_validator_takes_the_bundle() {
    let script = "from stix2validator import validate_string, ValidationOptions\n\
        results = validate_string(sys.stdin.read(), ValidationOptions(version='2.1', strict_properties=True, disabled='103'))\n\
        for finding in list(results.errors) + list(results.warnings):\n\
        \x20   print(finding)\n\
        print('valid' if results.is_valid else 'not valid')\n\
        sys.exit(0 if results.is_valid else 1)\n";
    for report in reports() {
        if let Some(said) = python("stix2validator", script, &written("stix", &report)) {
            assert_eq!(said.trim(), "valid", "neither errors nor warnings");
        }
    }
}

#[test]
fn sigmas_own_parser_takes_the_rules() {
    let script = "from sigma.collection import SigmaCollection\n\
        from sigma.validation import SigmaValidator\n\
        rules = SigmaCollection.from_yaml(sys.stdin.read(), collect_errors=True)\n\
        assert not rules.errors, rules.errors\n\
        rules.resolve_rule_references()\n\
        print(len(rules.rules), 'rules')\n";
    for (report, expected) in reports().into_iter().zip(["4 rules", "0 rules"]) {
        if let Some(said) = python("sigma", script, &written("sigma", &report)) {
            assert_eq!(said.trim(), expected);
        }
    }
}

#[test]
fn administration_files_are_yaml_of_the_right_shape() {
    let script = "document = yaml.safe_load(sys.stdin.read())\n\
        print(document['file_type'], document['version'], document['domain'])\n\
        for source in document.get('data_sources', []):\n\
        \x20   for details in source['data_source']:\n\
        \x20       assert isinstance(details['applicable_to'], list) and isinstance(details['products'], list)\n\
        \x20       assert isinstance(details['available_for_data_analytics'], bool)\n\
        \x20       assert set(details['data_quality']) == {'device_completeness', 'data_field_completeness', 'timeliness', 'consistency', 'retention'}\n\
        \x20       assert all(0 <= score <= 5 for score in details['data_quality'].values())\n\
        for technique in document.get('techniques', []):\n\
        \x20   for kind, least in (('detection', -1), ('visibility', 0)):\n\
        \x20       for details in technique[kind]:\n\
        \x20           assert all(least <= entry['score'] <= 5 for entry in details['score_logbook'])\n";
    for report in reports() {
        for (name, expected) in [
            ("dettect-data-sources", "data-source-administration 1.1 enterprise-attack"),
            ("dettect-techniques", "technique-administration 1.2 enterprise-attack"),
        ] {
            if let Some(said) = python("yaml", script, &written(name, &report)) {
                assert_eq!(said.trim(), expected);
            }
        }
    }
}

#[test]
fn an_independent_model_of_ocsf_takes_the_findings() {
    let script = "import json\n\
        from py_ocsf_models.events.findings.detection_finding import DetectionFinding\n\
        print(sum(1 for line in sys.stdin if DetectionFinding.model_validate(json.loads(line))), 'findings')\n";
    for (report, expected) in reports().into_iter().zip(["2 findings", "0 findings"]) {
        if let Some(said) = python("py_ocsf_models", script, &written("ocsf", &report)) {
            assert_eq!(said.trim(), expected);
        }
    }
}

#[test]
fn mitres_own_loader_takes_the_layer() {
    let script = "from mitreattack.navlayers import Layer\n\
        layer = Layer()\n\
        layer.from_str(sys.stdin.read())\n\
        print([technique['techniqueID'] for technique in layer.to_dict()['techniques']])\n";
    for report in reports() {
        if let Some(said) = python("mitreattack.navlayers", script, &written("navigator", &report)) {
            assert_eq!(said.lines().last(), Some("['T1102', 'T1102.003']"), "{said}");
        }
    }
}
