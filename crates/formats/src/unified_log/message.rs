//! Pieces that several kinds of log lines share: numbers, UUIDs, task names.

use monologue_model::TaskId;
use std::str::FromStr;

/// A UUID as 32 upper-case hexadecimal digits, whether it was written with dashes or without. `None` if it is none, or
/// all zeros, which macOS writes where there is nothing to name.
pub(super) fn normalise_uuid(text: &str) -> Option<String> {
    if !matches!(text.len(), 32 | 36) {
        return None;
    }
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    let hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && digits.bytes().any(|byte| byte != b'0')).then_some(digits)
}

/// The decimal number that `text` begins with, and what follows it. A minus sign counts only directly before digits.
pub(super) fn leading_number<T: FromStr>(text: &str) -> Option<(T, &str)> {
    let sign = usize::from(text.starts_with('-'));
    let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(sign + digits)?;
    Some((number.parse().ok()?, rest))
}

/// The number right after `key` in `text`, at the first place where `key` stands.
pub(super) fn number_after<T: FromStr>(text: &str, key: &str) -> Option<T> {
    let (_, rest) = text.split_once(key)?;
    leading_number(rest).map(|(number, _)| number)
}

/// Reads `Task <UUID>.<N> rest`, at the beginning or after a prefix (HTTP/2 and HTTP/3 lines begin with
/// `0x600000123 ID=4 `). Gives the task and the rest.
pub(super) fn split_task(message: &str) -> Option<(TaskId, &str)> {
    const MARK: &str = "Task <";
    let mut from = 0;
    let after = loop {
        let at = from + message.get(from..)?.find(MARK)?;
        let before = message.get(..at)?;
        from = at + MARK.len();
        // `LocalDataTask <…>` of an error's user information is not the subject of a line.
        if before.is_empty() || before.ends_with(' ') {
            break message.get(from..)?;
        }
    };
    let (uuid, after) = after.split_once(">.<")?;
    let (number, after) = leading_number(after)?;
    let rest = after.strip_prefix('>')?;
    Some((TaskId { uuid: normalise_uuid(uuid)?.into(), number }, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_join_with_and_without_dashes() {
        let plain = normalise_uuid("0a1b2c3d4e5f60718293a4b5c6d7e8f9");
        assert_eq!(plain.as_deref(), Some("0A1B2C3D4E5F60718293A4B5C6D7E8F9"));
        assert_eq!(normalise_uuid("0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"), plain);
        for wrong in ["", "0A1B", "00000000-0000-0000-0000-000000000000", "0A1B2C3D4E5F60718293A4B5C6D7E8FZ"] {
            assert_eq!(normalise_uuid(wrong), None, "{wrong}");
        }
        assert_eq!(normalise_uuid(&"-".repeat(36)), None);
    }

    #[test]
    fn numbers_end_where_digits_end() {
        assert_eq!(leading_number::<i64>("-999] x"), Some((-999, "] x")));
        assert_eq!(leading_number::<u64>("65"), Some((65, "")));
        assert_eq!(leading_number::<u64>("-1"), None);
        assert_eq!(leading_number::<i64>("-"), None);
        assert_eq!(leading_number::<u64>("99999999999999999999999"), None);
    }

    #[test]
    fn a_task_is_named_at_the_start_or_after_a_stream_prefix() {
        let uuid = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9";
        let plain = format!("Task <{uuid}>.<7> response ended");
        let (task, rest) = split_task(&plain).unwrap();
        assert_eq!((&*task.uuid, task.number, rest), ("0A1B2C3D4E5F60718293A4B5C6D7E8F9", 7, "response ended"));
        let stream = format!("0x60000123 ID=4 {plain}");
        let (other, rest) = split_task(&stream).unwrap();
        assert_eq!((other, rest), (task, "response ended"));
        for wrong in [
            format!("LocalDataTask <{uuid}>.<7> response ended"),
            format!("Task <{uuid}> response ended"),
            format!("Task <{uuid}>.<x> response ended"),
            "Task <".to_owned(),
            "Task <é>.<1> x".to_owned(),
        ] {
            assert_eq!(split_task(&wrong), None, "{wrong}");
        }
    }
}
