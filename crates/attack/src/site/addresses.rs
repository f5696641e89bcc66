//! Stable addresses: one page for each object, named by its ATT&CK id where that is its own, else by its STIX id.

use crate::object::Header;
use std::collections::{HashMap, HashSet};

/// The name of each object's page, by STIX id, without folder and ending.
pub(crate) struct Addresses {
    names: HashMap<String, String>,
}

impl Addresses {
    /// Gives names. Of several objects with one ATT&CK id, one in use gets it.
    pub(crate) fn of<'a>(headers: impl Iterator<Item = &'a Header>) -> Self {
        let mut headers: Vec<&Header> = headers.collect();
        headers.sort_by_key(|header| (header.revoked || header.deprecated, &header.stix_id));
        let mut taken = HashSet::new();
        let mut names = HashMap::new();
        for header in headers {
            let wished = [header.attack_id.as_deref(), Some(header.stix_id.as_str())];
            let wished = wished.into_iter().flatten().map(file_name);
            // Some file systems do not tell case apart.
            let free = wished.into_iter().find(|name| taken.insert(name.to_lowercase()));
            let name = free.unwrap_or_else(|| {
                let own = header.sha256.to_string();
                taken.insert(own.clone());
                own
            });
            names.insert(header.stix_id.clone(), name);
        }
        Self { names }
    }

    /// The name of an object's page. `None` where the site has none.
    pub(crate) fn name(&self, stix_id: &str) -> Option<&str> {
        self.names.get(stix_id).map(String::as_str)
    }
}

/// A file name made of an id: nothing that leads out of the folder.
fn file_name(id: &str) -> String {
    let name: String = id
        .chars()
        .take(120)
        .map(|character| if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' })
        .collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn header(stix_id: &str, attack_id: &str, revoked: bool) -> Header {
        let references = json!([{ "source_name": "mitre-attack", "external_id": attack_id }]);
        let value = json!({ "type": "tool", "id": stix_id, "external_references": references, "revoked": revoked });
        Header::of(&value).unwrap().0
    }

    #[test]
    fn the_object_in_use_has_the_id_and_no_name_leads_out() {
        let headers =
            [header("tool--1", "T1", true), header("tool--2", "T1", false), header("tool--3", "../../t1", false)];
        let addresses = Addresses::of(headers.iter());
        assert_eq!(addresses.name("tool--2"), Some("T1"));
        assert_eq!(addresses.name("tool--1"), Some("tool--1"));
        assert_eq!(addresses.name("tool--3"), Some("_.._t1"));
        assert_eq!(addresses.name("tool--9"), None);
    }
}
