//! What `cpuid` shows to an x86_64 guest (Intel SDM volume 2A, CPUID).
//!
//! It is the same everywhere, so that a program takes the same code paths on every host and CPU backend: the level
//! x86-64-v2 with BMI, MOVBE, ADX, AES and PCLMULQDQ, without AVX. `rdrand` is left out because its numbers do not come
//! from [`crate::host`], `erms` because string instructions are slow here.

/// A feature: its name in `/proc/cpuinfo` and its bit.
type Feature = (&'static str, u32);

/// Leaf 1, edx. Also AT_HWCAP.
pub const LEAF1_EDX: &[Feature] = &[
    ("fpu", 0),
    ("de", 2),
    ("pse", 3),
    ("tsc", 4),
    ("msr", 5),
    ("pae", 6),
    ("mce", 7),
    ("cx8", 8),
    ("apic", 9),
    ("sep", 11),
    ("mtrr", 12),
    ("pge", 13),
    ("mca", 14),
    ("cmov", 15),
    ("pat", 16),
    ("pse36", 17),
    ("clflush", 19),
    ("mmx", 23),
    ("fxsr", 24),
    ("sse", 25),
    ("sse2", 26),
    ("ss", 27),
];
/// Leaf 1, ecx.
pub const LEAF1_ECX: &[Feature] = &[
    ("pni", 0),
    ("pclmulqdq", 1),
    ("ssse3", 9),
    ("cx16", 13),
    ("sse4_1", 19),
    ("sse4_2", 20),
    ("movbe", 22),
    ("popcnt", 23),
    ("aes", 25),
    ("xsave", 26),
    ("osxsave", 27),
    ("hypervisor", 31),
];
/// Leaf 7, ebx.
pub const LEAF7_EBX: &[Feature] = &[("fsgsbase", 0), ("bmi1", 3), ("smep", 7), ("bmi2", 8), ("adx", 19), ("smap", 20)];
/// Leaf 0x8000_0001, edx, without the bits that repeat leaf 1.
pub const EXTENDED_EDX: &[Feature] = &[("syscall", 11), ("nx", 20), ("pdpe1gb", 26), ("rdtscp", 27), ("lm", 29)];
/// Leaf 0x8000_0001, ecx.
pub const EXTENDED_ECX: &[Feature] = &[("lahf_lm", 0), ("abm", 5), ("3dnowprefetch", 8)];

/// The vendor string.
pub const VENDOR: &[u8; 12] = b"GenuineIntel";
/// Family 6, model 61, stepping 2.
pub const SIGNATURE: u32 = 0x306d2;
/// The name of the processor.
pub const BRAND: &str = "sevm x86-64-v2 processor";

/// Bit of AT_HWCAP2: `rdfsbase` and its kin may be used.
pub const HWCAP2_FSGSBASE: u64 = 1 << 1;

/// All feature names, in the order in which Linux prints them.
pub fn flags() -> impl Iterator<Item = &'static str> {
    [LEAF1_EDX, EXTENDED_EDX, LEAF1_ECX, EXTENDED_ECX, LEAF7_EBX]
        .into_iter()
        .flatten()
        .map(|&(name, _)| name)
        .filter(|&name| name != "osxsave")
}

/// AT_HWCAP: leaf 1, edx.
pub fn hwcap() -> u64 {
    u64::from(bits(LEAF1_EDX))
}

fn bits(features: &[Feature]) -> u32 {
    features.iter().fold(0, |word, &(_, bit)| word | 1 << bit)
}

fn word(bytes: &[u8], index: usize) -> u32 {
    let at = |i: usize| u32::from(bytes.get(index * 4 + i).copied().unwrap_or(0));
    at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24
}

/// Executes `cpuid`: eax, ebx, ecx, edx for a leaf and subleaf.
pub fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    const HIGHEST: u32 = 0xd;
    const HIGHEST_EXTENDED: u32 = 0x8000_0008;
    match leaf {
        0 => [HIGHEST, word(VENDOR, 0), word(VENDOR, 2), word(VENDOR, 1)],
        // ebx: APIC id 0, one logical processor, 64-byte clflush lines.
        1 => [SIGNATURE, 0x0001_0800, bits(LEAF1_ECX), bits(LEAF1_EDX)],
        // No descriptors: "see leaf 4".
        2 => [0x00ff_ff01, 0, 0, 0],
        4 => cache(subleaf),
        7 if subleaf == 0 => [0, bits(LEAF7_EBX), 0, 0],
        // XSAVE of x87 and SSE: 512 bytes of legacy area and a 64-byte header.
        0xd if subleaf == 0 => [0b11, 576, 576, 0],
        0x8000_0000 => [HIGHEST_EXTENDED, 0, 0, 0],
        0x8000_0001 => [0, 0, bits(EXTENDED_ECX), bits(EXTENDED_EDX)],
        0x8000_0002..=0x8000_0004 => {
            let from = (leaf - 0x8000_0002) as usize * 4;
            [0, 1, 2, 3].map(|i| word(BRAND.as_bytes(), from + i))
        }
        // The L2 cache again: 256 KiB, 8 ways, 64-byte lines.
        0x8000_0006 => [0, 0, 256 << 16 | 6 << 12 | 64, 0],
        // The time stamp counter has a constant rate.
        0x8000_0007 => [0, 0, 0, 1 << 8],
        // Address bits: 40 physical, 48 virtual.
        0x8000_0008 => [40 | 48 << 8, 0, 0, 0],
        // A leaf above the highest one shows the highest basic leaf.
        HIGHEST.. if leaf > HIGHEST && leaf < 0x4000_0000 || leaf > HIGHEST_EXTENDED => cpuid(HIGHEST, subleaf),
        _ => [0; 4],
    }
}

/// Leaf 4: 32 KiB of L1 data and instructions, 256 KiB of L2, 8 MiB of L3, all with 64-byte lines.
fn cache(index: u32) -> [u32; 4] {
    let describe = |kind: u32, level: u32, ways: u32, sets: u32, edx: u32| {
        const SELF_INITIALIZING: u32 = 1 << 8;
        [kind | level << 5 | SELF_INITIALIZING, (ways - 1) << 22 | 63, sets - 1, edx]
    };
    let (data, instructions, unified) = (1, 2, 3);
    match index {
        0 => describe(data, 1, 8, 64, 0),
        1 => describe(instructions, 1, 8, 64, 0),
        2 => describe(unified, 2, 8, 512, 0),
        3 => describe(unified, 3, 16, 8192, 0b110),
        _ => [0; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_avx() {
        let avx_fma_f16c_rdrand = 1 << 28 | 1 << 12 | 1 << 29 | 1 << 30;
        assert_eq!(cpuid(1, 0)[2] & avx_fma_f16c_rdrand, 0);
        let avx2_erms_avx512 = 1 << 5 | 1 << 9 | 1 << 16;
        assert_eq!(cpuid(7, 0)[1] & avx2_erms_avx512, 0);
        assert_eq!(cpuid(0xd, 0)[0] & !0b11, 0);
    }

    #[test]
    fn strings() {
        let [_, b, c, d] = cpuid(0, 0);
        let text: Vec<u8> = [b, d, c].iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(&text, VENDOR);
        let brand: Vec<u8> = (0..3).flat_map(|i| cpuid(0x8000_0002 + i, 0)).flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(brand.len(), 48);
        assert!(brand.starts_with(BRAND.as_bytes()) && brand[BRAND.len()..].iter().all(|&b| b == 0));
    }
}
