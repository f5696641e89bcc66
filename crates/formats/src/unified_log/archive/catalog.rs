//! Catalogs: the processes, images and subsystems that the records of a few chunk sets refer to.

use macos_unifiedlogs::unified_log::{LogData, UnifiedLogCatalogData};
use monologue_model::containment::contain;
use std::collections::HashMap;

/// One process of a catalog.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) user_id: u32,
    /// UUID of its executable.
    pub(super) image: String,
    /// UUID of its shared cache; empty where the catalog names none.
    pub(super) cache: String,
    /// Where images are loaded: first address, last address, UUID.
    loaded: Vec<(u64, u64, String)>,
}

impl Process {
    /// The image loaded at an address.
    pub(super) fn image_at(&self, address: u64) -> Option<&str> {
        let there = |(from, until, _): &&(u64, u64, String)| (*from..=*until).contains(&address);
        self.loaded.iter().find(there).map(|(_, _, uuid)| uuid.as_str())
    }
}

/// A catalog, with what the library needs to put texts together.
pub(super) struct Catalog {
    pub(super) data: UnifiedLogCatalogData,
    processes: HashMap<(u64, u32), Process>,
}

impl Catalog {
    /// A catalog that knows nobody.
    pub(super) fn empty() -> Self {
        Self { data: UnifiedLogCatalogData::default(), processes: HashMap::new() }
    }

    /// Reads a catalog chunk, preamble included. `None` if it is none.
    pub(super) fn read(chunk: &[u8]) -> Option<Self> {
        let data =
            contain(|| LogData::parse_unified_log(chunk, "").ok().map(|(_, parsed)| parsed))??.catalog_data.pop()?;
        let mut processes = HashMap::new();
        for entry in data.catalog.catalog_process_info_entries.values() {
            let loaded = entry.uuid_info_entries.iter().map(|image| {
                let until = image.load_address.saturating_add(u64::from(image.size));
                (image.load_address, until, image.uuid.clone())
            });
            let process = Process {
                pid: entry.pid,
                user_id: entry.effective_user_id,
                image: entry.main_uuid.clone(),
                cache: entry.dsc_uuid.clone(),
                loaded: loaded.collect(),
            };
            processes.insert((entry.first_number_proc_id, entry.second_number_proc_id), process);
        }
        Some(Self { data, processes })
    }

    /// The process that a chunk names.
    pub(super) fn process(&self, number: (u64, u32)) -> Option<&Process> {
        self.processes.get(&number)
    }
}
