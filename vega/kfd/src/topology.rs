//! The KFD's sysfs topology as tables: one loop prints each of them.
//!
//! The names and their order are those of `kfd_topology.c` (`node_show`, `mem_show`, `kfd_cache_show`,
//! `iolink_show`). User space counts: the `*_count` rows must agree with the directories there are, and a
//! file may not be longer than 4,095 bytes.

use std::fmt::Write;

use crate::config;
use crate::spec::{self, CardSpec};

/// What a row's value is.
#[derive(Clone, Copy)]
enum Value {
    /// The same on every machine and card.
    Is(u64),
    /// Depends on the host or on the card.
    Of(fn(&Context) -> u64),
}
use Value::{Is, Of};

/// What the rows may depend on.
struct Context {
    host: Host,
    card: CardSpec,
    gpus: u32,
    large_bar: bool,
}

/// The host as node 0 describes it.
#[derive(Clone, Copy)]
struct Host {
    cores: u64,
    ram_bytes: u64,
    apic_id: u64,
}

type Row = (&'static str, Value);

/// `heap_type`: VRAM that the CPU can access.
const HEAP_PUBLIC: u64 = 1;
/// `heap_type`: VRAM that the CPU cannot access.
const HEAP_PRIVATE: u64 = 2;
/// Number of the first SIMD; the KFD sets the highest bit for GPUs.
const SIMD_ID_BASE: u64 = 0x8000_1000;
/// Type of caches that hold data, and belong to a GPU.
const DATA_CACHE: u64 = 9;
/// Type of caches that hold instructions, and belong to a GPU.
const INSTRUCTION_CACHE: u64 = 10;

/// nodes/0/properties: the CPU.
const CPU_NODE: &[Row] = &[
    ("cpu_cores_count", Of(|c| c.host.cores)),
    ("simd_count", Is(0)),
    ("mem_banks_count", Is(1)),
    // With 0 the thunk would walk /sys/devices/system/node, and fail in containers.
    ("caches_count", Is(1)),
    ("io_links_count", Of(|c| if c.large_bar { u64::from(c.gpus) } else { 0 })),
    ("cpu_core_id_base", Of(|c| c.host.apic_id)),
    ("simd_id_base", Is(0)),
    ("max_waves_per_simd", Is(0)),
    ("lds_size_in_kb", Is(0)),
    ("gds_size_in_kb", Is(0)),
    ("num_gws", Is(0)),
    ("wave_front_size", Is(0)),
    ("array_count", Is(0)),
    ("simd_arrays_per_engine", Is(0)),
    ("cu_per_simd_array", Is(0)),
    ("simd_per_cu", Is(0)),
    ("max_slots_scratch_cu", Is(0)),
    ("gfx_target_version", Is(0)),
    ("vendor_id", Is(0)),
    ("device_id", Is(0)),
    ("location_id", Is(0)),
    ("domain", Is(0)),
    ("drm_render_minor", Is(0)),
    ("hive_id", Is(0)),
    ("num_sdma_engines", Is(0)),
    ("num_sdma_xgmi_engines", Is(0)),
    ("num_sdma_queues_per_engine", Is(0)),
    ("num_cp_queues", Is(0)),
    ("max_engine_clk_ccompute", Is(3000)),
];

/// nodes/0/mem_banks/0/properties.
const CPU_MEMORY: &[Row] = &[
    ("heap_type", Is(0)),
    ("size_in_bytes", Of(|c| c.host.ram_bytes)),
    ("flags", Is(0)),
    ("width", Is(64)),
    ("mem_clk_max", Is(2400)),
];

/// nodes/1…/properties: a Vega 56.
const GPU_NODE: &[Row] = &[
    // 0 says that this is a discrete card.
    ("cpu_cores_count", Is(0)),
    ("simd_count", Is(spec::COMPUTE_UNITS as u64 * 4)),
    ("mem_banks_count", Is(1)),
    ("caches_count", Is(GPU_CACHES.len() as u64)),
    // To the host, and to every other card.
    ("io_links_count", Of(|c| u64::from(c.gpus))),
    ("cpu_core_id_base", Is(0)),
    ("simd_id_base", Is(SIMD_ID_BASE)),
    ("max_waves_per_simd", Is(10)),
    ("lds_size_in_kb", Is(64)),
    ("gds_size_in_kb", Is(0)),
    ("num_gws", Is(64)),
    ("wave_front_size", Is(64)),
    ("array_count", Is(4)),
    ("simd_arrays_per_engine", Is(1)),
    ("cu_per_simd_array", Is(spec::COMPUTE_UNITS as u64 / 4)),
    ("simd_per_cu", Is(4)),
    ("max_slots_scratch_cu", Is(32)),
    ("gfx_target_version", Is(90000)),
    ("vendor_id", Is(0x1002)),
    ("device_id", Is(spec::DEVICE_ID as u64)),
    ("location_id", Of(|c| u64::from(c.card.location_id))),
    ("domain", Is(0)),
    ("drm_render_minor", Of(|c| u64::from(c.card.render_minor))),
    ("hive_id", Is(0)),
    ("num_sdma_engines", Is(2)),
    ("num_sdma_xgmi_engines", Is(0)),
    ("num_sdma_queues_per_engine", Is(2)),
    ("num_cp_queues", Is(24)),
    ("max_engine_clk_fcompute", Is(1590)),
    ("local_mem_size", Of(|c| c.card.vram_bytes)),
    ("fw_version", Is(468)),
    // Bits 12-13: doorbells of type 2 (8 bytes); bits 7-11: watchpoints. The thunk would expect answers
    // that a Vega 10 does not give if SVM, SRAM_EDC or CoherentHostAccess were set.
    ("capability", Is(8832)),
    ("debug_prop", Is(0)),
    ("sdma_fw_version", Is(430)),
    ("unique_id", Of(|c| c.card.unique_id)),
    ("max_engine_clk_ccompute", Is(3000)),
];

/// nodes/1…/mem_banks/0/properties.
const GPU_MEMORY: &[Row] = &[
    ("heap_type", Of(|c| if c.large_bar { HEAP_PUBLIC } else { HEAP_PRIVATE })),
    ("size_in_bytes", Of(|c| c.card.vram_bytes)),
    ("flags", Is(0)),
    ("width", Is(2048)),
    ("mem_clk_max", Is(800)),
];

/// One cache.
struct Cache {
    processor: u64,
    level: u64,
    kib: u64,
    association: u64,
    kind: u64,
    siblings: &'static str,
}

const CPU_CACHES: &[Cache] =
    &[Cache { processor: 0, level: 1, kib: 32, association: 8, kind: 5, siblings: "1" }];

const GPU_CACHES: &[Cache] = &[
    gpu_cache(1, 16, 64, DATA_CACHE, "1"),
    gpu_cache(1, 16, 4, DATA_CACHE, "1,1,1"),
    gpu_cache(1, 32, 4, INSTRUCTION_CACHE, "1,1,1"),
    gpu_cache(2, 4096, 16, DATA_CACHE, "1,1,1,1"),
];

const fn gpu_cache(level: u64, kib: u64, association: u64, kind: u64, siblings: &'static str) -> Cache {
    Cache { processor: SIMD_ID_BASE, level, kib, association, kind, siblings }
}

/// An entry of the tree below `topology`.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file and what it holds.
    File(String),
    /// A directory and the names in it; true marks directories.
    Dir(Vec<(String, bool)>),
}

/// Looks a path up. `parts` are the names below `topology`; `None` when there is no such entry.
pub fn lookup(parts: &[&str]) -> Option<Entry> {
    let nodes = u64::from(config::get().gpus) + 1;
    match parts {
        [] => Some(names(&["generation_id", "system_properties"], &["nodes"])),
        ["generation_id"] => Some(file("1\n")),
        ["system_properties"] => Some(file("platform_oem 5134651459\nplatform_id 0\nplatform_rev 1\n")),
        ["nodes"] => Some(numbered(nodes)),
        ["nodes", node, rest @ ..] => lookup_node(index(node, nodes)?, rest),
        _ => None,
    }
}

fn lookup_node(node: u64, parts: &[&str]) -> Option<Entry> {
    let context = Context::new(node.saturating_sub(1) as u32);
    let cpu = node == 0;
    let caches = if cpu { CPU_CACHES } else { GPU_CACHES };
    // Every card has a link to the host and to each other card.
    let links = if !cpu || context.large_bar { u64::from(context.gpus) } else { 0 };
    match parts {
        [] => Some(names(&["gpu_id", "name", "properties"], &["caches", "io_links", "mem_banks"])),
        ["gpu_id"] => Some(file(&format!("{}\n", if cpu { 0 } else { context.card.gpu_id }))),
        ["name"] => Some(file(if cpu { "\n" } else { "vega10\n" })),
        ["properties"] => Some(rows(if cpu { CPU_NODE } else { GPU_NODE }, &context)),
        ["mem_banks"] => Some(numbered(1)),
        ["mem_banks", "0"] => Some(names(&["properties"], &[])),
        ["mem_banks", "0", "properties"] => Some(rows(if cpu { CPU_MEMORY } else { GPU_MEMORY }, &context)),
        ["caches"] => Some(numbered(caches.len() as u64)),
        ["caches", n] => index(n, caches.len() as u64).map(|_| names(&["properties"], &[])),
        ["caches", n, "properties"] => {
            caches.get(index(n, caches.len() as u64)? as usize).map(cache_properties)
        }
        ["io_links"] => Some(numbered(links)),
        ["io_links", n] => index(n, links).map(|_| names(&["properties"], &[])),
        ["io_links", n, "properties"] => {
            let n = index(n, links)?;
            let to = match n {
                n if cpu => n + 1,
                0 => 0,
                // The other cards, this one left out.
                n if n < node => n,
                n => n + 1,
            };
            Some(link_properties(node, to))
        }
        _ => None,
    }
}

impl Context {
    fn new(card: u32) -> Context {
        let config = config::get();
        Context { host: Host::get(), card: spec::card(card), gpus: config.gpus, large_bar: config.large_bar }
    }
}

impl Host {
    fn get() -> Host {
        Host { cores: sysconf(libc::_SC_NPROCESSORS_ONLN), ram_bytes: ram_bytes(), apic_id: apic_id() }
    }
}

fn ram_bytes() -> u64 {
    sysconf(libc::_SC_PHYS_PAGES).saturating_mul(sysconf(libc::_SC_PAGESIZE))
}

fn sysconf(name: i32) -> u64 {
    crate::backing::sysconf(name)
}

/// The first `apicid` of /proc/cpuinfo: the thunk looks for the processor of that number. 0 where there
/// is none (no /proc, not an x86-64).
fn apic_id() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else { return 0 };
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == "apicid")
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

fn index(name: &str, count: u64) -> Option<u64> {
    let n: u64 = name.parse().ok()?;
    (n < count && n.to_string() == name).then_some(n)
}

fn file(text: &str) -> Entry {
    Entry::File(text.to_owned())
}

fn names(files: &[&str], dirs: &[&str]) -> Entry {
    let files = files.iter().map(|name| ((*name).to_owned(), false));
    Entry::Dir(files.chain(dirs.iter().map(|name| ((*name).to_owned(), true))).collect())
}

fn numbered(count: u64) -> Entry {
    Entry::Dir((0..count).map(|n| (n.to_string(), true)).collect())
}

fn rows(table: &[Row], context: &Context) -> Entry {
    lines(table.iter().map(|(name, value)| {
        let value = match value {
            Is(n) => *n,
            Of(f) => f(context),
        };
        (*name, value)
    }))
}

fn lines(rows: impl IntoIterator<Item = (&'static str, u64)>) -> Entry {
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} {value}");
    }
    Entry::File(text)
}

fn cache_properties(cache: &Cache) -> Entry {
    let Entry::File(mut text) = lines([
        ("processor_id_low", cache.processor),
        ("level", cache.level),
        ("size", cache.kib),
        ("cache_line_size", 64),
        ("cache_lines_per_tag", 1),
        ("association", cache.association),
        ("latency", 0),
        ("type", cache.kind),
    ]) else {
        return Entry::Dir(Vec::new());
    };
    let _ = writeln!(text, "sibling_map {}", cache.siblings);
    Entry::File(text)
}

/// A PCIe link between a card and the host's memory, or between two cards, which then can access each other's
/// memory. A link *from* node 0 makes the runtime copy straight into VRAM, so it exists only with a large BAR.
fn link_properties(from: u64, to: u64) -> Entry {
    lines([
        ("type", 2),
        ("version_major", 0),
        ("version_minor", 0),
        ("node_from", from),
        ("node_to", to),
        ("weight", if from != 0 && to != 0 { 40 } else { 20 }),
        ("min_latency", 0),
        ("max_latency", 0),
        ("min_bandwidth", 312),
        ("max_bandwidth", 16000),
        ("recommended_transfer_size", 0),
        ("flags", u64::from(from != 0)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[&str]) -> String {
        match lookup(parts) {
            Some(Entry::File(text)) => text,
            other => panic!("{parts:?} is no file: {other:?}"),
        }
    }

    fn value(text: &str, name: &str) -> u64 {
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.and_then(|line| line.split(' ').nth(1)).and_then(|v| v.parse().ok()).expect(name)
    }

    #[test]
    fn counts_agree_with_the_directories() {
        for node in ["0", "1"] {
            let properties = text(&["nodes", node, "properties"]);
            for (count, dir) in
                [("mem_banks_count", "mem_banks"), ("caches_count", "caches"), ("io_links_count", "io_links")]
            {
                let n = value(&properties, count);
                let Some(Entry::Dir(entries)) = lookup(&["nodes", node, dir]) else { panic!("no {dir}") };
                assert_eq!(entries.len() as u64, n, "{count} of node {node}");
                for (name, _) in entries {
                    assert!(text(&["nodes", node, dir, &name, "properties"]).len() < 4096);
                }
                assert_eq!(lookup(&["nodes", node, dir, &n.to_string()]), None);
            }
        }
    }

    #[test]
    fn the_card_is_a_vega_56() {
        let node = text(&["nodes", "1", "properties"]);
        assert_eq!(value(&node, "gfx_target_version"), 90000);
        assert_eq!(value(&node, "simd_count") / value(&node, "simd_per_cu"), 56);
        assert_eq!(value(&node, "local_mem_size"), 8_573_157_376);
        assert_eq!(value(&node, "capability") >> 12 & 3, 2, "doorbells of 8 bytes");
        assert_eq!(value(&text(&["nodes", "1", "mem_banks", "0", "properties"]), "heap_type"), HEAP_PRIVATE);
        assert_eq!(text(&["nodes", "1", "gpu_id"]), "6699\n");
    }

    #[test]
    fn there_are_no_other_nodes() {
        assert_eq!(lookup(&["nodes", "2"]), None);
        assert_eq!(lookup(&["nodes", "00"]), None);
        assert_eq!(lookup(&["nodes", "-1"]), None);
    }
}
