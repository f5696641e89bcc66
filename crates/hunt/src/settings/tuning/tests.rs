//! Settings files: what they change, and what an error says.

use super::*;

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    let text = "[mutable]\nUserContext = [\"service-account\"]\nEntropyScore = 3.5\n\n[levels]\nmedium = 0.6\n\n\
                [weights.\"time.cadence\"]\non-a-clock = { decibans = 4, reason = \"every agent here polls\" }\n\n[caps]\nwire = 9\n";
    let settings = Settings::from_toml(text).unwrap();
    assert_eq!(settings.user_context, [UserContext::ServiceAccount].into());
    assert!((settings.entropy_score - 3.5).abs() < 1e-9);
    assert_eq!(settings.levels, [0.1, 0.6, 0.9, 0.99]);
    assert_eq!(settings.imbalance_ratio, Settings::shipped().imbalance_ratio);
    let cadence = monologue_model::SignalId("time.cadence");
    assert!((settings.weights.of(cadence, "on-a-clock") - 4.0).abs() < 1e-9);
    assert_eq!(settings.weights.cap(monologue_model::Layer::Wire), Some(9.0));
    let line = |key: &str| settings.lines().into_iter().find(|line| line.key == key).unwrap();
    assert_eq!((line("UserContext").line, line("UserContext").value.as_str()), (Some(2), "[\"service-account\"]"));
    assert_eq!((line("medium").line, line("high").line), (Some(6), None));
    assert_eq!(line("weights.\"time.cadence\".on-a-clock").why, "every agent here polls");
}

#[test]
fn what_is_compared_with_needs_as_many_hosts_and_hours_as_a_file_says() {
    let settings = Settings::from_toml("[weighing]\nrarity_hosts = 1\nknown_hours = 168\n").unwrap();
    assert_eq!((settings.rarity_hosts, settings.known_hours), (2, 168), "one host is no fleet");
    let line = settings.lines().into_iter().find(|line| line.key == "known_hours").unwrap();
    assert_eq!((line.line, line.value.as_str()), (Some(3), "168"));
    assert_eq!(Settings::from_toml("[weighing]\nknown_hours = 0\n").unwrap().known_hours, 1);
    assert_eq!(Settings::from_toml("[weighing]\n\nknown_hours = -1\n").unwrap_err().line, 3);
}

#[test]
fn an_empty_file_is_the_product_as_it_is() {
    assert_eq!(Settings::from_toml("").unwrap(), *Settings::shipped());
}

#[test]
fn an_error_says_the_line_and_what_was_expected() {
    for (text, line, part) in [
        ("[mutable]\nEntropy = 4\n", 2, "unknown field `Entropy`"),
        ("[mutable]\n\nEntropyScore = \"high\"\n", 3, "invalid type"),
        ("[mutable]\nEntropyScore = 12.0\n", 2, "expected EntropyScore from 1 to 8, found 12"),
        ("[mutable]\nUserContext = [\"root\"]\n", 2, "unknown variant `root`"),
        ("[levels]\nlow = 0.6\n", 2, "expected levels that rise"),
        ("[mutable]\nConnectionInterval = { least_seconds = 60.0, greatest_seconds = 5.0 }\n", 2, "greatest_seconds"),
        (
            "\n[weights.\"time.cadence\"]\nnever = { decibans = 4.0, reason = \"x y\" }\n",
            3,
            "expected a case of time.cadence (on-a-clock)",
        ),
        (
            "[weights.\"time.nothing\"]\nnever = { decibans = 4.0, reason = \"x y\" }\n",
            2,
            "expected the name of a signal",
        ),
        ("[weights.\"time.cadence\"]\non-a-clock = { decibans = 4.0, reason = \" \" }\n", 2, "expected a reason"),
        (
            "[weights.\"time.cadence\"]\non-a-clock = { decibans = 400.0, reason = \"x\" }\n",
            2,
            "expected a weight from 0 to 30",
        ),
        ("[caps]\nair = 3.0\n", 2, "expected a layer"),
        ("[caps]\nwire = nan\n", 2, "expected a cap"),
        ("nonsense", 1, "hint"),
    ] {
        let error = Settings::from_toml(text).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.expected.contains(part), "{text}: {error}");
    }
}

#[test]
fn every_mutable_element_that_the_analytics_name_is_shown_under_its_name() {
    let keys: BTreeSet<String> = Settings::shipped().lines().into_iter().map(|line| line.key).collect();
    for name in [
        "UserContext",
        "EntropyScore",
        "DestinationDomain",
        "TimeWindow",
        "ProcessName",
        "ParentProcess",
        "CommandLineArgs",
        "ProcessSignature",
        "ConnectionInterval",
        "TargetService",
        "ScriptEngineList",
        "BurstConnectionRate",
        "DataFlowImbalanceRatio",
        "SuspiciousParentProcess",
    ] {
        assert!(keys.contains(name), "{name}");
    }
}
