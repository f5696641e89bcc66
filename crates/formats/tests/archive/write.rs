//! Writes small stores of the unified log by hand, as the dtformats project documents their layout. It shares no code with
//! the reader, so that the two cannot be wrong in the same way.

use std::{collections::BTreeMap, path::Path};

/// 2026-05-06T07:00:00Z in nanoseconds.
pub(crate) const EPOCH: i64 = 1_778_050_800_000_000_000;
/// Ticks since boot at that moment; 125/3 nanoseconds each, as on Apple silicon.
pub(crate) const TICKS: u64 = 2_400_000_000;
pub(crate) const BOOT: u128 = 0x6B1F_0A52_9C3D_4E7A_8F21_0D5C_7E9A_3B44;
pub(crate) const CACHE: u128 = 0xCAC4_E000_0000_3000_8000_0000_0000_0001;
pub(crate) const LANTERN: u128 = 0x1A2B_3C4D_5E6F_3071_8293_A4B5_C6D7_E8F9;
pub(crate) const RESOLVER: u128 = 0xFEED_FACE_1111_3222_8333_4444_5555_6666;

/// Where the strings of libraries begin in the shared cache, and the code.
const CACHE_BASE: u64 = 0x10_0000;
/// Where the strings of a program begin.
const IMAGE_BASE: u32 = 0x4000;

/// The images of the shared cache with their format strings.
pub(crate) const LIBRARIES: [(&str, &[&str]); 3] = [
    (
        "/System/Library/Frameworks/CFNetwork.framework/Versions/A/CFNetwork",
        &[
            "%{public}@ resuming, timeouts(%{public}s) qos(0x%x) voucher(%{private}@)",
            "%{public}@ sent request, body %{public}s %lld",
            "%{public}@ received response, status %d content %{public}s",
            "Task <%{public,uuid_t}.16P>.<%lu> summary for %{public}s {transaction_duration_ms=%u, response_status=%ld, \
             connection=%llu, protocol=\"%{public}@\", domain_lookup_duration_ms=%u, request_bytes=%lld, \
             response_bytes=%lld, cache_hit=%{BOOL}d}",
            "%{public}@ finished with error [%ld] %{private}@",
        ],
    ),
    (
        "/usr/lib/libnetwork.dylib",
        &["[C%u %{public,uuid_t}.16P %{public}s %{public}@] cancelled\n\t[C%{public}s %{public,uuid_t}.16P \
           %{public}s<->%{public}s]\n\tConnected Path: %{public}@\n\tDuration: %u.%03us, DNS @%u.%03us took \
           %u.%03us\n\tbytes in/out: %llu/%llu, packets in/out: %llu/%llu"],
    ),
    ("/usr/lib/libsqlite3.dylib", &["opened %{public}s"]),
];

/// An argument of a record.
pub(crate) enum Argument<'a> {
    Text(&'a str),
    /// Text that macOS masks, with what it hides kept in the private data.
    Private(&'a str),
    /// Text that macOS does not keep at all.
    Hidden,
    Number(u32),
    Wide(u64),
    Uuid(u128),
}

/// Where the format string of a record stands.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// Image and string of the shared cache.
    Library(usize, usize),
    /// String of the program's own image.
    Own(usize, &'static [&'static str]),
    /// An image that the record names itself.
    Elsewhere(u128),
}

fn library_string(library: usize, string: usize) -> u32 {
    let before: usize = LIBRARIES[..library].iter().flat_map(|(_, strings)| *strings).map(|text| text.len() + 1).sum();
    let within: usize = LIBRARIES[library].1[..string].iter().map(|text| text.len() + 1).sum();
    CACHE_BASE as u32 + (before + within) as u32
}

/// The items of a record, then their data; and its private data.
fn items(arguments: &[Argument<'_>]) -> (Vec<u8>, Vec<u8>) {
    let (mut items, mut data, mut private, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0_u8);
    let mut place = |items: &mut Vec<u8>, kind: u8, offset: usize, length: usize| {
        items.extend([kind, 4]);
        items.extend((offset as u16).to_le_bytes());
        items.extend((length as u16).to_le_bytes());
        count += 1;
    };
    let mut numbers = 0;
    for argument in arguments {
        match argument {
            Argument::Text(text) => {
                place(&mut items, 0x22, data.len(), text.len() + 1);
                data.extend(text.bytes());
                data.push(0);
            }
            Argument::Private(text) => {
                place(&mut items, 0x21, private.len(), text.len() + 1);
                private.extend(text.bytes());
                private.push(0);
            }
            Argument::Hidden => place(&mut items, 0x21, 0, 0),
            Argument::Number(number) => {
                items.extend([0x00, 4]);
                items.extend(number.to_le_bytes());
                numbers += 1;
            }
            Argument::Wide(number) => {
                items.extend([0x00, 8]);
                items.extend(number.to_le_bytes());
                numbers += 1;
            }
            Argument::Uuid(uuid) => {
                items.extend([0x12, 4]);
                items.extend(16_u32.to_le_bytes());
                numbers += 1;
                place(&mut items, 0x32, data.len(), 16);
                data.extend(uuid.to_be_bytes());
            }
        }
    }
    let mut bytes = vec![0, count + numbers];
    bytes.extend(items);
    bytes.extend(data);
    (bytes, private)
}

/// The trace points of one process in one chunk.
pub(crate) struct Chunk {
    process: (u64, u32),
    base: u64,
    public: Vec<u8>,
    private: Vec<u8>,
}

impl Chunk {
    pub(crate) fn of(process: (u64, u32), base: u64) -> Self {
        Self { process, base, public: Vec::new(), private: Vec::new() }
    }

    fn point(&mut self, kind: u8, flags: u16, format: u32, ticks: u64, data: &[u8]) {
        self.public.extend([kind, 0]);
        self.public.extend(flags.to_le_bytes());
        self.public.extend(format.to_le_bytes());
        self.public.extend(0x517_u64.to_le_bytes());
        self.public.extend(&(ticks - self.base).to_le_bytes()[..6]);
        self.public.extend((data.len() as u16).to_le_bytes());
        self.public.extend(data);
        self.public.resize(self.public.len().next_multiple_of(8), 0);
    }

    /// Adds a logged text.
    pub(crate) fn message(mut self, ticks: u64, format: Format, arguments: &[Argument<'_>]) -> Self {
        let (items, private) = items(arguments);
        let mut data = Vec::new();
        // Private data stands at the end of 4,096 bytes; offsets count from their beginning.
        if !private.is_empty() {
            assert!(self.private.is_empty(), "one record with private data in each chunk is enough here");
            data.extend((0x1000 - private.len() as u16).to_le_bytes());
            data.extend((private.len() as u16).to_le_bytes());
        }
        let private_flag = if private.is_empty() { 0 } else { 0x100 };
        data.extend(0x2222_u32.to_le_bytes());
        let (flags, place) = match format {
            Format::Library(library, string) => (0x4, library_string(library, string)),
            Format::Own(string, strings) => {
                (0x2, IMAGE_BASE + strings[..string].iter().map(|text| text.len() as u32 + 1).sum::<u32>())
            }
            Format::Elsewhere(uuid) => {
                data.extend(uuid.to_be_bytes());
                (0xa, IMAGE_BASE)
            }
        };
        data.extend(items);
        self.private.extend(private);
        self.point(4, flags | private_flag, place, ticks, &data);
        self
    }

    /// Adds an activity.
    pub(crate) fn activity(mut self, ticks: u64) -> Self {
        self.point(2, 0x2, IMAGE_BASE, ticks, &[0; 24]);
        self
    }

    /// Adds a statement of loss.
    pub(crate) fn loss(mut self, from: u64, until: u64, count: u64) -> Self {
        let data: Vec<u8> = [from, until, count].iter().flat_map(|number| number.to_le_bytes()).collect();
        self.point(7, 0, 0, until, &data);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut content = self.process.0.to_le_bytes().to_vec();
        content.extend(self.process.1.to_le_bytes());
        content.extend([0; 4]);
        content.extend((self.public.len() as u16 + 16).to_le_bytes());
        content.extend((0x1000 - self.private.len() as u16).to_le_bytes());
        content.extend([0; 4]);
        content.extend(self.base.to_le_bytes());
        content.extend(&self.public);
        if !self.private.is_empty() {
            content.resize(16 + 0x1000 - self.private.len(), 0);
            content.extend(&self.private);
        }
        chunk(0x6001, &content)
    }
}

fn chunk(tag: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_le_bytes().to_vec();
    bytes.extend(0x11_u32.to_le_bytes());
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn header() -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(125_u32.to_le_bytes());
    content.extend(3_u32.to_le_bytes());
    content.extend(TICKS.to_le_bytes());
    content.extend((EPOCH / 1_000_000_000).to_le_bytes());
    content.extend([0; 16]);
    content.extend([0x6100_u32, 8].iter().flat_map(|number| number.to_le_bytes()));
    content.extend(TICKS.to_le_bytes());
    content.extend([0x6101_u32, 56, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
    content.extend(*b"25A000\0\0\0\0\0\0\0\0\0\0");
    content.extend(*b"Mac99,1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    content.extend([0x6102_u32, 24].iter().flat_map(|number| number.to_le_bytes()));
    content.extend(BOOT.to_be_bytes());
    content.extend([88_u32, 0].iter().flat_map(|number| number.to_le_bytes()));
    content.extend([0x6103_u32, 48].iter().flat_map(|number| number.to_le_bytes()));
    let mut zone = b"/var/db/timezone/zoneinfo/Europe/Paris".to_vec();
    zone.resize(48, 0);
    content.extend(zone);
    chunk(0x1000, &content)
}

/// A process of the catalog: its numbers, pid, user and image.
pub(crate) type Process = ((u64, u32), u32, u32, u128);

fn catalog(processes: &[Process]) -> Vec<u8> {
    let mut uuids = vec![CACHE];
    uuids.extend(processes.iter().map(|(_, _, _, image)| *image));
    let mut entries = Vec::new();
    for (place, (number, pid, user, _)) in processes.iter().enumerate() {
        for index in [place as u16, 0, place as u16 + 1, 0] {
            entries.extend(index.to_le_bytes());
        }
        entries.extend(number.0.to_le_bytes());
        for value in [number.1, *pid, *user, 0, 0, 0, 0, 0] {
            entries.extend(value.to_le_bytes());
        }
    }
    let strings = uuids.len() * 16;
    let mut content = Vec::new();
    for value in [strings, strings, processes.len(), strings + entries.len(), 0, 0, 0, 0] {
        content.extend((value as u16).to_le_bytes());
    }
    content.extend(TICKS.to_le_bytes());
    content.extend(uuids.iter().flat_map(|uuid| uuid.to_be_bytes()));
    content.extend(entries);
    chunk(0x600b, &content)
}

/// A tracev3 file.
pub(crate) fn trace(processes: &[Process], sets: &[&[Chunk]]) -> Vec<u8> {
    trace_packed(processes, sets, lz4)
}

/// A tracev3 file whose chunk sets are compressed by `pack`.
pub(crate) fn trace_packed(processes: &[Process], sets: &[&[Chunk]], pack: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut file = header();
    file.extend(catalog(processes));
    for set in sets {
        let plain: Vec<u8> = set.iter().flat_map(Chunk::bytes).collect();
        file.extend(chunk(0x600d, &pack(&plain)));
    }
    file
}

/// As macOS compresses chunk sets up to 26.
fn lz4(plain: &[u8]) -> Vec<u8> {
    let packed = lz4_flex::block::compress(plain);
    let mut content = b"bv41".to_vec();
    content.extend((plain.len() as u32).to_le_bytes());
    content.extend((packed.len() as u32).to_le_bytes());
    content.extend(packed);
    content.extend(b"bv4$");
    content
}

/// As macOS compresses chunk sets since 27 (LZBITMAP, with repeated tokens). Groups of eight bytes are taken from the
/// distance that fits best; tokens 0, 1 and 2 read their bitmap, and 0, 1 or 2 bytes of a new distance.
pub(crate) fn lzbitmap(plain: &[u8]) -> Vec<u8> {
    let u24 = |number: usize| (number as u32).to_le_bytes()[..3].to_vec();
    let mut content = b"ZBM\x09".to_vec();
    let mut done = 0;
    for part in plain.chunks(0x4000) {
        let (mut written, mut distances, mut bitmaps, mut tokens) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut distance = 8;
        for group in (done..done + part.len()).step_by(8) {
            let end = (group + 8).min(done + part.len());
            let fits = |distance: usize| {
                (group..end).filter(|at| at.checked_sub(distance).is_some_and(|from| plain[from] == plain[*at])).count()
            };
            let best = (1..=group.min(600)).max_by_key(|other| (fits(*other), usize::from(*other == distance)));
            let (token, next) = match best {
                Some(best) if fits(best) > fits(distance) => (if best < 256 { 1 } else { 2 }, best),
                _ => (0, distance),
            };
            distances.extend(&(next as u16).to_le_bytes()[..token]);
            distance = next;
            let mut bitmap = 0_u8;
            for at in group..end {
                if at.checked_sub(distance).is_none_or(|from| plain[from] != plain[at]) {
                    bitmap |= 1 << (at - group);
                    written.push(plain[at]);
                }
            }
            bitmaps.push(bitmap);
            tokens.push(token as u8);
        }
        let tokens = packed_tokens(&tokens);
        let ends = [15 + written.len(), 15 + written.len() + distances.len()];
        let ends = [ends[0], ends[1], ends[1] + bitmaps.len()];
        let total = ends[2] + tokens.len() + 17;
        if total >= part.len() + 6 {
            content.extend([u24(part.len() + 6), u24(part.len()), part.to_vec()].concat());
        } else {
            content.extend([u24(total), u24(part.len()), u24(ends[0]), u24(ends[1]), u24(ends[2])].concat());
            content.extend([written, distances, bitmaps, tokens, vec![0; 17]].concat());
        }
        done += part.len();
    }
    content.extend([6, 0, 0, 0, 0, 0]);
    content
}

/// Tokens of four bits, the first in the low half. Of four and more alike, the count stands after a 15. The last eight
/// bytes have a token of their own, since there the count is not looked for.
fn packed_tokens(tokens: &[u8]) -> Vec<u8> {
    let mut halves = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let alike = tokens[at..tokens.len() - 1].iter().take_while(|token| **token == tokens[at]).count();
        halves.push(tokens[at]);
        if alike >= 4 {
            halves.push(15);
            let mut more = alike - 4;
            while more >= 15 {
                halves.push(15);
                more -= 15;
            }
            halves.push(more as u8);
            at += alike;
        } else {
            at += 1;
        }
    }
    halves.resize(halves.len().next_multiple_of(2), 0);
    halves.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect()
}

/// The strings of one image.
pub(crate) fn image(path: &str, strings: &[&str]) -> Vec<u8> {
    let text: Vec<u8> = strings.iter().flat_map(|text| [text.as_bytes(), &[0]].concat()).collect();
    let mut bytes: Vec<u8> = [0x6677_8899_u32, 2, 1, 1, IMAGE_BASE, text.len() as u32]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    bytes.extend(text);
    bytes.extend(path.bytes());
    bytes.push(0);
    bytes
}

/// The shared cache with [`LIBRARIES`], in layout 2.
pub(crate) fn cache() -> Vec<u8> {
    let count = LIBRARIES.len();
    let tables = 16 + count * (24 + 32);
    let (mut ranges, mut images, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let strings_length: usize = LIBRARIES.iter().flat_map(|(_, strings)| *strings).map(|text| text.len() + 1).sum();
    let mut paths: Vec<u8> = Vec::new();
    for (place, (path, strings)) in LIBRARIES.iter().enumerate() {
        let first = text.len();
        for string in *strings {
            text.extend(string.bytes());
            text.push(0);
        }
        ranges.extend((CACHE_BASE + first as u64).to_le_bytes());
        ranges.extend(((tables + first) as u32).to_le_bytes());
        ranges.extend(((text.len() - first) as u32).to_le_bytes());
        ranges.extend((place as u64).to_le_bytes());
        images.extend((0x1000 * place as u64).to_le_bytes());
        images.extend(0x1000_u32.to_le_bytes());
        images.extend((0xD0_u128 + place as u128).to_be_bytes());
        images.extend(((tables + strings_length + paths.len()) as u32).to_le_bytes());
        paths.extend(path.bytes());
        paths.push(0);
    }
    let mut bytes = b"hcsd".to_vec();
    bytes.extend([2_u16, 0].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend([count as u32, count as u32].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend(ranges);
    bytes.extend(images);
    bytes.extend(text);
    bytes.extend(paths);
    bytes
}

/// Ticks and time, once at boot and once at [`TICKS`].
pub(crate) fn timesync() -> Vec<u8> {
    let mut bytes: Vec<u8> = [0xbbb0_u16, 48, 0, 0].iter().flat_map(|number| number.to_le_bytes()).collect();
    bytes.extend(BOOT.to_be_bytes());
    bytes.extend([125_u32, 3].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend((EPOCH - 100_000_000_000).to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend([0x0020_7354_u32, 0].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend(TICKS.to_le_bytes());
    bytes.extend(EPOCH.to_le_bytes());
    bytes.extend([0; 8]);
    bytes
}

/// The path of an image's strings in a store.
pub(crate) fn image_name(uuid: u128) -> String {
    let digits = format!("{uuid:032X}");
    format!("{}/{}", &digits[..2], &digits[2..])
}

/// Files of a store, by name.
pub(crate) type Store = BTreeMap<String, Vec<u8>>;

/// Writes a store as a folder.
pub(crate) fn write(store: &Store, folder: &Path) {
    for (name, bytes) in store {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Writes a store as `system_logs.logarchive` within a packed tar, as a sysdiagnose holds it, after something else.
pub(crate) fn sysdiagnose(store: &Store, path: &Path) {
    let gzip = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut append = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, format!("sysdiagnose_2026.05.06/{name}"), bytes).unwrap();
    };
    append("README.txt", b"not a log");
    // As it happens: the records come before the strings they need.
    for (name, bytes) in store.iter().rev() {
        append(&format!("system_logs.logarchive/{name}"), bytes);
    }
    tar.into_inner().unwrap().finish().unwrap();
}
