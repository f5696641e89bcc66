//! Which network sensor a record is of: by the folder that it writes to.

use std::{collections::HashMap, sync::Arc};

/// Sensors by source, each source looked at once: there are few of them, and many records.
#[derive(Debug, Default)]
pub struct Sensors(HashMap<Arc<str>, Arc<str>>);

impl Sensors {
    /// As [`sensor_of`].
    pub fn of(&mut self, source: &Arc<str>) -> Arc<str> {
        self.0.entry(source.clone()).or_insert_with(|| sensor_of(source)).clone()
    }
}

/// The network sensor that wrote a source, such as `network/site-a` for `network/site-a/2026-03-02/conn.10:00:00.log.gz`: its
/// folders, without those that are dates, hours or `current`, since sensors begin a new folder each day.
///
/// What a sensor says of itself (packets it lost, hours it was complete) is true of what that sensor watches, and of no other
/// place of the company. Records of one sensor stand in one folder; where its statements lie apart from its records, they are
/// taken as said of all.
#[must_use]
pub fn sensor_of(source: &str) -> Arc<str> {
    let folders = source.replace('\\', "/");
    let folders = folders.rsplit_once('/').map_or("", |(folders, _)| folders);
    let kept: Vec<&str> = folders.split('/').filter(|folder| !is_of_time(folder)).collect();
    if kept.is_empty() { ".".into() } else { kept.join("/").into() }
}

/// Whether a folder is named after a time: digits and what stands between them, or `current`.
fn is_of_time(folder: &str) -> bool {
    let is_number = folder.bytes().any(|byte| byte.is_ascii_digit())
        && folder.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'T' | b'Z'));
    is_number || matches!(folder, "" | "." | "current")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_its_folder_whatever_the_day() {
        for source in [
            "network/site-a/conn.log",
            "network/site-a/2026-03-02/conn.10:00:00-11:00:00.log.gz",
            "network/site-a/current/capture_loss.log",
            "./network/site-a/2026/03/02/http.log",
            "network\\site-a\\conn.log",
        ] {
            assert_eq!(&*sensor_of(source), "network/site-a", "{source}");
        }
        assert_eq!(&*sensor_of("conn.log"), ".");
        assert_eq!(&*sensor_of("2026-03-02/conn.log"), ".");
        assert_ne!(sensor_of("network/site-4/conn.log"), sensor_of("network/site-5/conn.log"));
    }
}
