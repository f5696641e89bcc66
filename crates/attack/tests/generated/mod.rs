//! Writes bundles of the real enterprise bundle's size and shape: about 25,000 objects in 50 MB, with its share of types,
//! lengths of text, and few objects that most relationships point to. All content is made up.

use std::fmt::Write as _;

/// How many objects of each type a full bundle holds, after release 19.1.
const COUNTS: [(&str, &str, usize); 9] = [
    ("attack-pattern", "T", 860),
    ("x-mitre-detection-strategy", "DET", 699),
    ("x-mitre-analytic", "AN", 1758),
    ("x-mitre-data-component", "DC", 109),
    ("course-of-action", "M", 268),
    ("intrusion-set", "G", 187),
    ("malware", "S", 760),
    ("tool", "S8", 95),
    ("campaign", "C", 56),
];

/// Relationships of a full bundle.
const RELATIONSHIPS: usize = 20_200;

const WORDS: [&str; 40] = [
    "adversary",
    "process",
    "network",
    "service",
    "beacon",
    "command",
    "web",
    "control",
    "launch",
    "agent",
    "cloud",
    "token",
    "script",
    "shell",
    "library",
    "module",
    "kernel",
    "driver",
    "memory",
    "payload",
    "archive",
    "mail",
    "browser",
    "session",
    "proxy",
    "tunnel",
    "domain",
    "account",
    "password",
    "credential",
    "registry",
    "keychain",
    "screen",
    "keyboard",
    "update",
    "installer",
    "document",
    "macro",
    "the",
    "of",
];

const PLATFORMS: [&str; 6] = ["macOS", "Windows", "Linux", "ESXi", "IaaS", "Network Devices"];

/// A small generator of numbers: the same seed, the same bundle.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    /// Mostly small, sometimes large: what few objects with many relationships look like.
    fn skewed(&mut self, below: usize) -> usize {
        let share = (self.roll(1 << 20) as f64 / (1 << 20) as f64).powi(3);
        ((share * below as f64) as usize).min(below - 1)
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words.get(self.roll(words.len())).copied().unwrap_or_default()
    }

    /// A text of about `length` characters: half to three halves of it.
    fn text(&mut self, length: usize) -> String {
        let target = length / 2 + self.roll(length.max(1));
        let mut text = String::with_capacity(target + 40);
        while text.len() < target {
            // Half of the words are among forty, as articles and the like are; the others are rarer and rarer.
            let word = match self.roll(2) {
                0 => WORDS.get(self.skewed(WORDS.len())).copied().unwrap_or_default().to_owned(),
                _ => format!("{}{}", self.pick(&WORDS), self.skewed(1500)),
            };
            text.push_str(&word);
            text.push(if self.roll(12) == 0 { '.' } else { ' ' });
        }
        text
    }
}

/// A bundle, and where it is asked for a release.
pub(crate) struct Shape {
    /// 1 is all objects, 100 every hundredth.
    pub(crate) thinned: usize,
    /// 1 is the first release; 2 changes one object in twelve, adds some and removes some.
    pub(crate) release: usize,
}

/// The STIX id of an object: made of its type and number, in the form of a UUID.
pub(crate) fn stix_id(kind: &str, number: usize) -> String {
    format!("{kind}--00000000-0000-4000-8000-{number:012}")
}

/// Writes the bundle, indented as published ones are.
pub(crate) fn bundle(shape: &Shape) -> String {
    let thin = |count: usize| (count / shape.thinned).max(3);
    let mut out = String::from(
        "{\n    \"type\": \"bundle\",\n    \"id\": \"bundle--00000000-0000-4000-8000-000000000000\",\n    \"spec_version\": \"2.0\",\n    \"objects\": [",
    );
    let mut first = true;
    let mut push = |text: String| {
        out.push_str(if first { "\n" } else { ",\n" });
        first = false;
        out.push_str(&text);
    };
    for (kind, prefix, count) in COUNTS {
        for number in 0..thin(count) {
            if shape.release == 2 && number % 251 == 250 {
                continue;
            }
            push(object(kind, prefix, number, shape, &thin));
        }
        if shape.release == 2 {
            push(object(kind, prefix, thin(count) + 1, shape, &thin));
        }
    }
    for number in 0..thin(RELATIONSHIPS) {
        push(relationship(number, shape, &thin));
    }
    out.push_str("\n    ]\n}\n");
    out
}

fn object(kind: &str, prefix: &str, number: usize, shape: &Shape, thin: &impl Fn(usize) -> usize) -> String {
    let mut dice = Dice(number as u64 * 977 + kind.len() as u64);
    let changed = shape.release == 2 && number % 12 == 5;
    let (major, minor) = (1 + number % 3, number % 5 + usize::from(changed && number % 24 == 5));
    let id = if prefix == "T" && number % 2 == 1 {
        format!("T{:04}.{:03}", 1000 + number / 2, 1 + number % 7)
    } else {
        format!("{prefix}{number:04}")
    };
    let modified = if changed { "2026-05-12T16:34:50.695Z" } else { "2025-10-21T15:10:28.402Z" };
    let length = match kind {
        "attack-pattern" => 1700,
        "x-mitre-analytic" => 330,
        "x-mitre-detection-strategy" => 0,
        "x-mitre-data-component" => 2400,
        "malware" | "tool" | "intrusion-set" => 420,
        _ => 500,
    };
    let name = dice.text(22);
    let mut description = dice.text(length);
    if changed {
        description.push_str("It was said anew.");
    }
    let platform = dice.pick(&PLATFORMS);
    let mut text = format!(
        "        {{\n            \"type\": \"{kind}\",\n            \"id\": \"{}\",\n            \"created\": \"2020-03-14T22:45:52.963Z\",\n            \
         \"created_by_ref\": \"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5\",\n            \"revoked\": {},\n            \
         \"external_references\": [\n                {{\n                    \"source_name\": \"mitre-attack\",\n                    \
         \"url\": \"https://example.org/{id}\",\n                    \"external_id\": \"{id}\"\n                }}",
        stix_id(kind, number),
        number % 17 == 16,
    );
    for reference in 0..dice.roll(if length > 400 { 7 } else { 2 }) {
        let _ = write!(
            text,
            ",\n                {{\n                    \"source_name\": \"Source {reference}\",\n                    \"description\": \"{}\",\n                    \
             \"url\": \"https://example.org/{kind}/{number}/{reference}\"\n                }}",
            dice.text(120)
        );
    }
    let _ = write!(
        text,
        "\n            ],\n            \"object_marking_refs\": [\n                \"marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168\"\n            ],\n            \
         \"modified\": \"{modified}\",\n            \"name\": \"{name}\",\n            \"description\": \"{description}\",\n            \
         \"x_mitre_modified_by_ref\": \"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5\",\n            \"x_mitre_deprecated\": {},\n            \
         \"x_mitre_version\": \"{major}.{minor}\",\n            \"x_mitre_attack_spec_version\": \"3.3.0\",\n            \
         \"x_mitre_domains\": [\n                \"enterprise-attack\"\n            ],\n            \"x_mitre_platforms\": [\n                \"{platform}\"\n            ]{}\n        }}",
        number % 41 == 40,
        fields_of(kind, number, &mut dice, thin),
    );
    text
}

/// The fields of one type, each with a leading comma.
fn fields_of(kind: &str, number: usize, dice: &mut Dice, thin: &impl Fn(usize) -> usize) -> String {
    let component = |dice: &mut Dice| stix_id("x-mitre-data-component", dice.skewed(thin(109)));
    match kind {
        "attack-pattern" => ",\n            \"kill_chain_phases\": [\n                {\n                    \"kill_chain_name\": \"mitre-attack\",\n                    \"phase_name\": \"command-and-control\"\n                }\n            ]".to_owned(),
        "x-mitre-detection-strategy" => {
            let analytics = thin(1758);
            let own: Vec<String> = (0..3)
                .map(|step| (number * 5 / 2 + step) % analytics)
                .map(|analytic| format!("                \"{}\"", stix_id("x-mitre-analytic", analytic)))
                .collect();
            format!(",\n            \"x_mitre_analytic_refs\": [\n{}\n            ]", own.join(",\n"))
        }
        "x-mitre-analytic" => {
            let sources: Vec<String> = (0..1 + dice.roll(3))
                .map(|at| {
                    let to = component(dice);
                    format!("                {{\n                    \"x_mitre_data_component_ref\": \"{to}\",\n                    \"name\": \"macos:source{at}\",\n                    \"channel\": \"channel {}\"\n                }}", dice.skewed(300))
                })
                .collect();
            let elements: Vec<String> = (0..2)
                .map(|at| format!("                {{\n                    \"field\": \"Element{at}\",\n                    \"description\": \"{}\"\n                }}", dice.text(80)))
                .collect();
            format!(
                ",\n            \"x_mitre_log_source_references\": [\n{}\n            ],\n            \"x_mitre_mutable_elements\": [\n{}\n            ]",
                sources.join(",\n"),
                elements.join(",\n")
            )
        }
        "x-mitre-data-component" => {
            let sources: Vec<String> = (0..30 + dice.skewed(300))
                .map(|at| format!("                {{\n                    \"name\": \"macos:source{}\",\n                    \"channel\": \"channel {at}\"\n                }}", at % 3))
                .collect();
            format!(",\n            \"x_mitre_log_sources\": [\n{}\n            ]", sources.join(",\n"))
        }
        // STIX 2.0 demands labels of both.
        "malware" | "tool" => format!(",\n            \"labels\": [\n                \"{kind}\"\n            ]"),
        _ => String::new(),
    }
}

fn relationship(number: usize, shape: &Shape, thin: &impl Fn(usize) -> usize) -> String {
    let mut dice = Dice(number as u64 * 31 + 7);
    let technique = stix_id("attack-pattern", dice.skewed(thin(860)));
    let (kind, from, length) = match number % 20 {
        0 => ("detects", stix_id("x-mitre-detection-strategy", dice.roll(thin(699))), 0),
        1 | 2 => ("mitigates", stix_id("course-of-action", dice.roll(thin(268))), 250),
        3..=7 => ("uses", stix_id("intrusion-set", dice.skewed(thin(187))), 190),
        _ => ("uses", stix_id("malware", dice.skewed(thin(760))), 150),
    };
    let modified =
        if shape.release == 2 && number % 12 == 5 { "2026-04-29T14:23:06.038Z" } else { "2025-04-15T19:57:32.301Z" };
    let description = if length == 0 {
        String::new()
    } else {
        format!("            \"description\": \"{}(Citation: Source {number})\",\n", dice.text(length))
    };
    let references: Vec<String> = (0..usize::from(length > 0) + dice.roll(2))
        .map(|at| {
            format!("                {{\n                    \"source_name\": \"Source {number}\",\n                    \"description\": \"{}\",\n                    \"url\": \"https://example.org/report/{number}/{at}\"\n                }}", dice.text(150))
        })
        .collect();
    format!(
        "        {{\n            \"type\": \"relationship\",\n            \"id\": \"{}\",\n            \"created\": \"2020-03-14T22:45:53.071Z\",\n            \
         \"created_by_ref\": \"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5\",\n            \"revoked\": false,\n            \"external_references\": [\n{}\n            ],\n            \
         \"object_marking_refs\": [\n                \"marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168\"\n            ],\n            \"modified\": \"{modified}\",\n{description}            \
         \"relationship_type\": \"{kind}\",\n            \"source_ref\": \"{from}\",\n            \"target_ref\": \"{technique}\",\n            \
         \"x_mitre_modified_by_ref\": \"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5\",\n            \"x_mitre_deprecated\": false,\n            \"x_mitre_attack_spec_version\": \"3.3.0\"\n        }}",
        stix_id("relationship", number),
        references.join(",\n"),
    )
}
