//! `/sys/devices/system/cpu`: the processors that the machine shows.

use super::*;
use crate::kernel::task::cpu_list;

/// Files about all processors.
const FILES: [&str; 6] = ["isolated", "kernel_max", "offline", "online", "possible", "present"];

/// Files of a processor's `topology`.
const TOPOLOGY: [&str; 10] = [
    "core_cpus",
    "core_cpus_list",
    "core_id",
    "core_siblings",
    "core_siblings_list",
    "package_cpus",
    "package_cpus_list",
    "physical_package_id",
    "thread_siblings",
    "thread_siblings_list",
];

/// Caches of a processor: level, type, KiB, ways. Those that `cpuid` shows.
const CACHES: [(u32, &str, u32, u32); 3] = [(1, "Data", 32, 8), (1, "Instruction", 32, 8), (2, "Unified", 256, 8)];

/// Files of a cache.
const CACHE_FILES: [&str; 9] = [
    "coherency_line_size",
    "level",
    "number_of_sets",
    "physical_line_partition",
    "shared_cpu_list",
    "shared_cpu_map",
    "size",
    "type",
    "ways_of_associativity",
];

fn one(cpu: u32) -> Vec<u8> {
    let mut mask = vec![0; (cpu as usize / 64 + 1) * 8];
    mask[cpu as usize / 8] |= 1 << (cpu % 8);
    mask
}

fn first(cpus: u32) -> Vec<u8> {
    (0..cpus)
        .map(one)
        .reduce(|a, b| (0..a.len().max(b.len())).map(|i| a.get(i).unwrap_or(&0) | b.get(i).unwrap_or(&0)).collect())
        .unwrap_or_default()
}

/// A mask as hexadecimal words of 32 bits, the highest first.
fn hex(mask: &[u8]) -> String {
    let words: Vec<u32> =
        mask.chunks(4).map(|c| c.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect();
    let used = words.iter().rposition(|w| *w != 0).map_or(1, |last| last + 1);
    words[..used].iter().rev().map(|w| format!("{w:08x}")).collect::<Vec<_>>().join(",")
}

/// The content of a file, below the directory.
fn content(cpus: u32, path: &[&str]) -> Option<String> {
    let cpu = |name: &str| name.strip_prefix("cpu")?.parse::<u32>().ok().filter(|n| *n < cpus);
    Some(match path {
        ["online" | "possible" | "present"] => cpu_list(&first(cpus)),
        ["offline" | "isolated"] => String::new(),
        ["kernel_max"] => "8191".to_string(),
        [name, "topology", file] => {
            let n = cpu(name)?;
            match *file {
                "core_id" => n.to_string(),
                "physical_package_id" => "0".to_string(),
                "core_cpus" | "thread_siblings" => hex(&one(n)),
                "core_cpus_list" | "thread_siblings_list" => n.to_string(),
                "core_siblings" | "package_cpus" => hex(&first(cpus)),
                "core_siblings_list" | "package_cpus_list" => cpu_list(&first(cpus)),
                _ => return None,
            }
        }
        [name, "cache", index, file] => {
            let n = cpu(name)?;
            let index: usize = index.strip_prefix("index")?.parse().ok()?;
            let (level, kind, kib, ways) = *CACHES.get(index)?;
            match *file {
                "level" => level.to_string(),
                "type" => kind.to_string(),
                "size" => format!("{kib}K"),
                "coherency_line_size" => "64".to_string(),
                "physical_line_partition" => "1".to_string(),
                "ways_of_associativity" => ways.to_string(),
                "number_of_sets" => (kib * 1024 / 64 / ways).to_string(),
                "shared_cpu_list" => n.to_string(),
                "shared_cpu_map" => hex(&one(n)),
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// What a path below `/sys/devices/system/cpu` is.
pub(super) fn node(kernel: &mut Kernel, path: &[&str]) -> Option<Node> {
    let cpus = kernel.cpus();
    if content(cpus, path).is_some() {
        let path: Vec<String> = path.iter().map(ToString::to_string).collect();
        return Some(Node::text(move |k| {
            let parts: Vec<&str> = path.iter().map(String::as_str).collect();
            let mut text = content(k.cpus(), &parts).unwrap_or_default();
            text.push('\n');
            text.into_bytes()
        }));
    }
    (!list(kernel, path).is_empty()).then(Node::dir)
}

/// The entries of a directory; none when there is no such directory.
pub(super) fn list(kernel: &mut Kernel, path: &[&str]) -> Vec<Entry> {
    let cpus = kernel.cpus();
    let is_cpu = |name: &str| name.strip_prefix("cpu").and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n < cpus);
    match path {
        [] => {
            let each = (0..cpus).map(|n| Entry::dir(format!("cpu{n}")));
            each.chain(FILES.iter().map(Entry::file)).collect()
        }
        [name] if is_cpu(name) => vec![Entry::dir("cache"), Entry::dir("topology")],
        [name, "topology"] if is_cpu(name) => TOPOLOGY.iter().map(Entry::file).collect(),
        [name, "cache"] if is_cpu(name) => (0..CACHES.len()).map(|i| Entry::dir(format!("index{i}"))).collect(),
        [name, "cache", index] if is_cpu(name) => {
            let known =
                index.strip_prefix("index").and_then(|i| i.parse().ok()).is_some_and(|i: usize| i < CACHES.len());
            if known { CACHE_FILES.iter().map(Entry::file).collect() } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}
