//! Finds test functions that assert nothing.

use crate::masking::mask;
use std::collections::BTreeSet;

/// What makes a body an asserting one. A call of another function of the same file that asserts counts as well.
const ASSERTING: [&str; 6] = ["assert", "unwrap_err", "expect_err", "insta::", "panic!", "check"];

struct Function<'a> {
    name: &'a str,
    body: &'a str,
}

/// The test functions of a Rust source that can never fail by an assertion, as line number and name.
#[must_use]
pub(crate) fn without_assertion(source: &str) -> Vec<(usize, String)> {
    let masked = mask(source);
    let asserting = asserting_functions(&masked);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = masked.get(from..).and_then(|rest| rest.find("#[test]")).map(|offset| from + offset) {
        from = at + "#[test]".len();
        let rest = masked.get(from..).unwrap_or_default();
        let Some(function) = first_function(rest) else { continue };
        let attributes = rest.split("fn ").next().unwrap_or_default();
        let vacuous = function.body.contains("assert!(true");
        let asserts = attributes.contains("should_panic") || asserts(function.body, &asserting);
        if vacuous || !asserts {
            let line = masked.get(..at).unwrap_or_default().matches('\n').count() + 1;
            found.push((line, function.name.to_owned()));
        }
    }
    found
}

fn asserts(body: &str, asserting: &BTreeSet<&str>) -> bool {
    ASSERTING.iter().any(|token| body.contains(token)) || called(body).any(|name| asserting.contains(name))
}

/// Names of functions that assert, or call one that does.
fn asserting_functions(masked: &str) -> BTreeSet<&str> {
    let functions: Vec<Function<'_>> = masked
        .match_indices("fn ")
        .filter(|(at, _)| !masked.get(..*at).unwrap_or_default().ends_with(is_word))
        .filter_map(|(at, _)| first_function(masked.get(at..)?))
        .collect();
    let mut asserting = BTreeSet::new();
    loop {
        let before = asserting.len();
        for function in &functions {
            if asserts(function.body, &asserting) {
                asserting.insert(function.name);
            }
        }
        if asserting.len() == before {
            return asserting;
        }
    }
}

/// Names directly before an opening parenthesis.
fn called(body: &str) -> impl Iterator<Item = &str> {
    body.match_indices('(').filter_map(|(at, _)| {
        let before = body.get(..at)?;
        let start = before.rfind(|character| !is_word(character)).map_or(0, |place| place + 1);
        before.get(start..).filter(|name| !name.is_empty())
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The first function of masked source, with its body between the braces.
fn first_function(masked: &str) -> Option<Function<'_>> {
    let signature = masked.get(masked.find("fn ")? + 3..)?;
    let name = signature.split(|character| !is_word(character)).find(|word| !word.is_empty())?;
    let mut parentheses = 0_i32;
    let mut braces = 0_i32;
    let mut open = None;
    for (at, character) in signature.char_indices() {
        match character {
            '(' | '[' if open.is_none() => parentheses += 1,
            ')' | ']' if open.is_none() => parentheses -= 1,
            ';' if open.is_none() && parentheses == 0 => return None,
            '{' if open.is_some() || parentheses == 0 => {
                open = open.or(Some(at + 1));
                braces += 1;
            }
            '}' if open.is_some() => {
                braces -= 1;
                if braces == 0 {
                    return Some(Function { name, body: signature.get(open?..at)? });
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        without_assertion(source).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn a_test_that_asserts_nothing_is_found_with_its_line() {
        let source = "//! x\n#[test]\nfn lonely() {\n    let s = \"assert\"; // assert\n    run(s);\n}\n";
        assert_eq!(without_assertion(source), [(2, "lonely".to_owned())]);
    }

    #[test]
    fn assertions_count_directly_through_a_helper_and_by_attribute() {
        let source = "
            fn same(a: u8) { assert_eq!(a, 1); }
            fn outer(a: u8) { same(a) }
            #[test] fn direct() { assert!(x); }
            #[test] fn helped() { outer(1); }
            #[test] #[should_panic] fn panics() { boom(); }
            #[test] fn property(a in vec(any::<[u8; {4}]>(), 0..3)) { prop_assert!(a); }
            #[test] fn refused() { let error = read(b\"\").unwrap_err(); }
            #[test] fn empty() { if true { other(1) } }";
        assert_eq!(names(source), ["empty"]);
    }

    #[test]
    fn asserting_the_truth_is_no_assertion() {
        assert_eq!(names("#[test] fn truth() { assert!(true); }"), ["truth"]);
    }
}
