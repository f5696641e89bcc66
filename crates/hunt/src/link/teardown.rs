//! Who ended a connection, from what a sensor says of its last packets.

use monologue_model::{Flow, RecordPhase, Teardown};

/// How the connection of one row ended. Zeek: `conn_state` names resets, and of an orderly close the first `F` (client) or
/// `f` (server) of `history` tells who began it (Zeek documentation of `conn.log`). Other sensors give neither.
pub(super) fn of_flow(flow: &Flow) -> Teardown {
    if flow.phase == RecordPhase::Snapshot {
        return Teardown::Unknown;
    }
    match flow.state.as_deref() {
        Some("S0" | "REJ" | "RSTOS0" | "SH") => Teardown::NeverOpened,
        Some("RSTO") => Teardown::ClientReset,
        Some("RSTR") => Teardown::ServerReset,
        Some("S2") => Teardown::ClientClosed,
        Some("S3") => Teardown::ServerClosed,
        Some("SF") => {
            match flow.history.as_deref().and_then(|history| history.chars().find(|letter| matches!(letter, 'F' | 'f')))
            {
                Some('F') => Teardown::ClientClosed,
                Some(_) => Teardown::ServerClosed,
                None => Teardown::Unknown,
            }
        }
        _ => Teardown::Unknown,
    }
}
