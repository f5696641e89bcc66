//! The states of real API requests, against what a reader of the raw lines would say.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_hunt::{TaskState, task_states};
use monologue_model::{Detail, Event, Handling, Reply};
use std::path::Path;

fn events() -> Option<Vec<Event>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/unified-log/artemis/unifiedlogs.jsonl");
    if !path.is_file() {
        eprintln!("skipped: ../shared/data is not there");
        return None;
    }
    let (format, input) = Input::open(&path).unwrap().with_head(monologue_formats::detect).unwrap();
    let items = format.unwrap().read(input);
    Some(
        items
            .filter_map(|item| match item {
                Ok(Item::Event(event) | Item::Derived(event)) => Some(*event),
                _ => None,
            })
            .collect(),
    )
}

fn state<'a>(states: &'a [TaskState], uuid: &str) -> &'a TaskState {
    let found: Vec<&TaskState> = states.iter().filter(|state| &*state.uuid == uuid).collect();
    assert_eq!(found.len(), 1, "dashed and dash-less names of {uuid} are one task");
    found[0]
}

#[test]
fn every_cfnetwork_task_is_rebuilt_and_none_is_called_unanswered() {
    let Some(events) = events() else { return };
    let states = task_states(&events);
    // The UUIDs of all `Task <…>` lines in the file, by searching it.
    let mut names: Vec<&str> = states.iter().map(|state| &*state.uuid).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "33856D25C97C4D23A181B9D1AB4665EF",
            "4194312735E94832BBA02BD3364034CC",
            "56A4B8BF75CF422B811B89FC9D8E659F",
            "5E94FE4C339C4E68B99189410A8B774F",
            "69684AA9BAB14D0BA5DF247EB0ED148C",
            "B1D82F947789493C8BC73B38355CCC2B",
            "B8D8538E7C504D9DB56DF7F2FB484034",
            "EB64B79E26BB44FB9B894565342AEED0",
            "F2A1907BADD249B19131F36F11F7C4DF",
            "FE4508310C084D54A530BE79DA03CC00",
        ]
    );
    for state in &states {
        assert!(!matches!(state.handling, Handling::NoResponse | Handling::NeverSent), "{state:?}");
        assert_ne!(state.reply, Reply::Silent, "{state:?}");
    }
    // `received response, status 200 content K`, `response ended`, summary success with response_bytes=18010, `finished`.
    let whole = state(&states, "69684AA9BAB14D0BA5DF247EB0ED148C");
    assert_eq!((whole.handling, whole.reply), (Handling::Delivered, Reply::Payload));
    assert_eq!((whole.status, whole.response_bytes, whole.pid), (Some(200), Some(18010), Some(961)));
    // Headers only when the file ends: `received response, status 200 content C` and nothing after.
    let begun = state(&states, "33856D25C97C4D23A181B9D1AB4665EF");
    assert_eq!((begun.handling, begun.reply, begun.status), (Handling::Unknown, Reply::Bytes, Some(200)));
    // Resumed and set up when the file ends: its timeout of 60 s runs past the log.
    let open = state(&states, "56A4B8BF75CF422B811B89FC9D8E659F");
    assert_eq!((open.handling, open.reply, open.pending), (Handling::Unknown, Reply::Unknown, true));
    // Only `auth completion disp=1 cred=0` is left of it.
    let glimpsed = state(&states, "FE4508310C084D54A530BE79DA03CC00");
    assert_eq!((glimpsed.handling, glimpsed.reply, glimpsed.pending), (Handling::Unknown, Reply::Unknown, true));
    // nsurlsessiond: `client acknowledged file download` and `client acknowledged completion`.
    let collected = state(&states, "EB64B79E26BB44FB9B894565342AEED0");
    assert_eq!((collected.handling, collected.number, collected.pid), (Handling::Collected, 21, Some(253)));
    // A large background download: response_bytes=33991374.
    assert_eq!(state(&states, "F2A1907BADD249B19131F36F11F7C4DF").response_bytes, Some(33_991_374));
}

#[test]
fn lines_with_an_empty_subsystem_are_read_by_their_sender() {
    let Some(events) = events() else { return };
    // On macOS 11 most CFNetwork lines carry no subsystem; only Summary and ATS lines do. All 29 task lines are read.
    let tasks = events.iter().filter(|event| matches!(event.detail, Detail::Task(_))).count();
    assert_eq!(tasks, 29);
}
