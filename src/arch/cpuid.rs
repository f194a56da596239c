//! What `cpuid` shows to an x86_64 guest (Intel SDM volume 2A, CPUID).
//!
//! A backend says which features it offers; `--cpu-model` may choose fewer of them, so that a program takes the same code
//! paths on every host. All else is the same everywhere. `rdrand` and `rdseed` are left out because their numbers do not
//! come from [`crate::host`], AVX-512 because no backend has it.

use std::ops::{BitAnd, BitOr, Sub};

/// A register of a leaf that holds feature bits, in the order in which Linux numbers and prints their words
/// (arch/x86/include/asm/cpufeature.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Leaf 1, edx. Also AT_HWCAP.
    Leaf1Edx,
    /// Leaf 0x8000_0001, edx, without the bits that repeat leaf 1.
    ExtendedEdx,
    /// Leaf 1, ecx.
    Leaf1Ecx,
    /// Leaf 0x8000_0001, ecx.
    ExtendedEcx,
    /// Leaf 7, ebx.
    Leaf7Ebx,
    /// Leaf 0xd, subleaf 1, eax.
    Xsave,
    /// Leaf 7, ecx.
    Leaf7Ecx,
    /// Leaf 7, edx.
    Leaf7Edx,
}

/// Words of feature bits.
pub const WORDS: usize = 8;

/// The least microarchitecture level (System V ABI for x86-64, section 3.1.1) with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All 64-bit processors, and what Linux wants of them.
    V1,
    /// x86-64-v2.
    V2,
    /// x86-64-v3.
    V3,
    /// None of these.
    Beyond,
}

/// A feature that a backend may offer.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Its name in `/proc/cpuinfo`.
    pub name: &'static str,
    /// Where it stands.
    pub word: Word,
    /// Its bit there.
    pub bit: u32,
    /// Which levels have it.
    pub level: Level,
}

const fn feature(name: &'static str, word: Word, bit: u32, level: Level) -> Feature {
    Feature { name, word, bit, level }
}

/// All features that can be shown, in the order in which Linux prints them.
pub const FEATURES: &[Feature] = {
    use Level::*;
    use Word::*;
    &[
        feature("fpu", Leaf1Edx, 0, V1),
        feature("de", Leaf1Edx, 2, V1),
        feature("pse", Leaf1Edx, 3, V1),
        feature("tsc", Leaf1Edx, 4, V1),
        feature("msr", Leaf1Edx, 5, V1),
        feature("pae", Leaf1Edx, 6, V1),
        feature("mce", Leaf1Edx, 7, V1),
        feature("cx8", Leaf1Edx, 8, V1),
        feature("apic", Leaf1Edx, 9, V1),
        feature("sep", Leaf1Edx, 11, V1),
        feature("mtrr", Leaf1Edx, 12, V1),
        feature("pge", Leaf1Edx, 13, V1),
        feature("mca", Leaf1Edx, 14, V1),
        feature("cmov", Leaf1Edx, 15, V1),
        feature("pat", Leaf1Edx, 16, V1),
        feature("pse36", Leaf1Edx, 17, V1),
        feature("clflush", Leaf1Edx, 19, V1),
        feature("mmx", Leaf1Edx, 23, V1),
        feature("fxsr", Leaf1Edx, 24, V1),
        feature("sse", Leaf1Edx, 25, V1),
        feature("sse2", Leaf1Edx, 26, V1),
        feature("ss", Leaf1Edx, 27, V1),
        feature("syscall", ExtendedEdx, 11, V1),
        feature("nx", ExtendedEdx, 20, V1),
        feature("pdpe1gb", ExtendedEdx, 26, V1),
        feature("rdtscp", ExtendedEdx, 27, V1),
        feature("lm", ExtendedEdx, 29, V1),
        feature("pni", Leaf1Ecx, 0, V2),
        feature("pclmulqdq", Leaf1Ecx, 1, Beyond),
        feature("ssse3", Leaf1Ecx, 9, V2),
        feature("fma", Leaf1Ecx, 12, V3),
        feature("cx16", Leaf1Ecx, 13, V2),
        feature("sse4_1", Leaf1Ecx, 19, V2),
        feature("sse4_2", Leaf1Ecx, 20, V2),
        feature("movbe", Leaf1Ecx, 22, V3),
        feature("popcnt", Leaf1Ecx, 23, V2),
        feature("aes", Leaf1Ecx, 25, Beyond),
        feature("xsave", Leaf1Ecx, 26, V3),
        feature("osxsave", Leaf1Ecx, 27, V3),
        feature("avx", Leaf1Ecx, 28, V3),
        feature("f16c", Leaf1Ecx, 29, V3),
        feature("hypervisor", Leaf1Ecx, 31, V1),
        feature("lahf_lm", ExtendedEcx, 0, V2),
        feature("abm", ExtendedEcx, 5, V3),
        feature("3dnowprefetch", ExtendedEcx, 8, Beyond),
        feature("fsgsbase", Leaf7Ebx, 0, Beyond),
        feature("bmi1", Leaf7Ebx, 3, V3),
        feature("avx2", Leaf7Ebx, 5, V3),
        feature("smep", Leaf7Ebx, 7, Beyond),
        feature("bmi2", Leaf7Ebx, 8, V3),
        feature("erms", Leaf7Ebx, 9, Beyond),
        feature("adx", Leaf7Ebx, 19, Beyond),
        feature("smap", Leaf7Ebx, 20, Beyond),
        feature("clflushopt", Leaf7Ebx, 23, Beyond),
        feature("clwb", Leaf7Ebx, 24, Beyond),
        feature("sha_ni", Leaf7Ebx, 29, Beyond),
        feature("xsaveopt", Xsave, 0, Beyond),
        feature("xsavec", Xsave, 1, Beyond),
        feature("xgetbv1", Xsave, 2, Beyond),
        feature("gfni", Leaf7Ecx, 8, Beyond),
        feature("vaes", Leaf7Ecx, 9, Beyond),
        feature("vpclmulqdq", Leaf7Ecx, 10, Beyond),
        feature("rdpid", Leaf7Ecx, 22, Beyond),
        feature("fsrm", Leaf7Edx, 4, Beyond),
    ]
};

/// Features that every guest is shown: they are nothing to programs, or every backend has them.
pub const ALWAYS: &[&str] = &[
    "fpu",
    "de",
    "pse",
    "tsc",
    "msr",
    "pae",
    "mce",
    "cx8",
    "apic",
    "sep",
    "mtrr",
    "pge",
    "mca",
    "cmov",
    "pat",
    "pse36",
    "clflush",
    "mmx",
    "fxsr",
    "sse",
    "sse2",
    "ss",
    "syscall",
    "nx",
    "pdpe1gb",
    "rdtscp",
    "lm",
    "pni",
    "osxsave",
    "hypervisor",
    "smep",
    "smap",
    "fsgsbase",
];

/// Instructions of XSAVE beyond the first, and what needs the registers that it saves.
const NEED_XSAVE: &[&str] = &["xsaveopt", "xsavec", "xgetbv1", "avx"];
/// What needs AVX.
const NEED_AVX: &[&str] = &["fma", "f16c", "avx2", "vaes", "vpclmulqdq"];

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features([u32; WORDS]);

impl Features {
    /// Those of [`FEATURES`] among the bits of a processor's own words, which are in the order of [`Word`].
    pub fn from_words(words: [u32; WORDS]) -> Features {
        Features(words) & Features::of(|_| true)
    }

    /// Those with these names; names that are not in the table are nothing.
    pub fn named(names: &[&str]) -> Features {
        Features::of(|f| names.contains(&f.name))
    }

    /// Those of a level and of all below it.
    pub fn of_level(level: Level) -> Features {
        Features::of(|f| f.level <= level)
    }

    fn of(wanted: impl Fn(&Feature) -> bool) -> Features {
        let mut set = Features::default();
        FEATURES.iter().filter(|f| wanted(f)).for_each(|f| set.0[f.word as usize] |= 1 << f.bit);
        set
    }

    /// The bits of one word.
    pub fn word(self, word: Word) -> u32 {
        self.0[word as usize]
    }

    /// Whether a feature is in it, by its name in `/proc/cpuinfo`.
    pub fn has(self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }

    /// Names in the order in which Linux prints them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FEATURES.iter().filter(move |f| self.word(f.word) >> f.bit & 1 == 1).map(|f| f.name)
    }

    /// Without what would need something that is not in the set.
    fn consistent(self) -> Features {
        let mut set = self;
        for (needed, by) in [("xsave", NEED_XSAVE), ("avx", NEED_AVX)] {
            if !set.has(needed) {
                set = set - Features::named(by);
            }
        }
        set
    }
}

impl BitAnd for Features {
    type Output = Features;
    fn bitand(self, other: Features) -> Features {
        Features(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl BitOr for Features {
    type Output = Features;
    fn bitor(self, other: Features) -> Features {
        Features(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

impl Sub for Features {
    type Output = Features;
    fn sub(self, other: Features) -> Features {
        Features(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }
}

/// What `--cpu-model` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Model {
    /// All that backend and host offer.
    #[default]
    Host,
    /// What backend and host offer of these.
    Within(Features),
    /// Just what a level has, whatever there is.
    Level(Level),
}

impl Model {
    /// The models that fix what programs see.
    pub const LEVELS: [(&str, Level); 3] = [("x86-64", Level::V1), ("x86-64-v2", Level::V2), ("x86-64-v3", Level::V3)];
}

impl std::str::FromStr for Model {
    type Err = String;

    fn from_str(name: &str) -> Result<Model, String> {
        match Model::LEVELS.iter().find(|(n, _)| *n == name) {
            Some((_, level)) => Ok(Model::Level(*level)),
            None if name == "host" => Ok(Model::Host),
            None => Err(format!("unknown CPU model '{name}' (host, x86-64, x86-64-v2, x86-64-v3)")),
        }
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = |level| Model::LEVELS.iter().find(|(_, l)| *l == level).map_or("", |(name, _)| name);
        f.write_str(match self {
            Model::Host | Model::Within(_) => "host",
            Model::Level(l) => level(*l),
        })
    }
}

/// XSAVE component: x87 state.
pub const XSAVE_X87: u64 = 1;
/// XSAVE component: xmm registers and mxcsr.
pub const XSAVE_SSE: u64 = 2;
/// XSAVE component: upper halves of the ymm registers.
pub const XSAVE_AVX: u64 = 4;
/// Bytes of the legacy part of the XSAVE area with its header.
pub const XSAVE_LEAST: usize = 512 + 64;
/// Offset and bytes of the ymm halves in the standard format of the XSAVE area.
pub const XSAVE_YMM: (usize, usize) = (XSAVE_LEAST, 256);

/// Bytes of the XSAVE area with these components.
pub fn xsave_size(components: u64) -> usize {
    if components & XSAVE_AVX != 0 { XSAVE_YMM.0 + XSAVE_YMM.1 } else { XSAVE_LEAST }
}

/// The vendor string.
pub const VENDOR: &[u8; 12] = b"GenuineIntel";
/// Family 6, model 61, stepping 2.
pub const SIGNATURE: u32 = 0x306d2;

/// What the processor shows to guests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpuid {
    features: Features,
}

impl Cpuid {
    /// The processor of this model where a backend offers these features.
    ///
    /// # Errors
    /// The features of the model that it does not offer.
    pub fn new(model: Model, offered: Features) -> Result<Cpuid, Vec<&'static str>> {
        let offered = offered.consistent();
        match model {
            Model::Host => Ok(Cpuid { features: offered }),
            Model::Within(features) => Ok(Cpuid { features: (offered & features).consistent() }),
            Model::Level(level) => {
                let wanted = Features::of_level(level);
                let missing: Vec<_> = (wanted - offered).names().collect();
                if missing.is_empty() { Ok(Cpuid { features: wanted }) } else { Err(missing) }
            }
        }
    }

    /// What it has.
    pub fn features(self) -> Features {
        self.features
    }

    /// XCR0, as `xgetbv` shows it: the components that XSAVE saves; 0 where there is no XSAVE.
    pub fn xcr0(self) -> u64 {
        match (self.features.has("xsave"), self.features.has("avx")) {
            (false, _) => 0,
            (true, false) => XSAVE_X87 | XSAVE_SSE,
            (true, true) => XSAVE_X87 | XSAVE_SSE | XSAVE_AVX,
        }
    }

    /// Feature names, in the order in which Linux prints them.
    pub fn flags(self) -> impl Iterator<Item = &'static str> {
        self.features.names().filter(|&name| name != "osxsave")
    }

    /// AT_HWCAP, which is leaf 1, edx, and AT_HWCAP2 (arch/x86/include/uapi/asm/hwcap2.h).
    pub fn hwcap(self) -> (u64, u64) {
        const HWCAP2_FSGSBASE: u64 = 1 << 1;
        let second = if self.features.has("fsgsbase") { HWCAP2_FSGSBASE } else { 0 };
        (self.features.word(Word::Leaf1Edx).into(), second)
    }

    /// The name of the processor: the highest level that it has.
    pub fn brand(self) -> &'static str {
        let has = |level| (Features::of_level(level) - self.features).names().next().is_none();
        match () {
            () if has(Level::V3) => "sevm x86-64-v3 processor",
            () if has(Level::V2) => "sevm x86-64-v2 processor",
            () => "sevm x86-64 processor",
        }
    }

    /// Executes `cpuid`: eax, ebx, ecx, edx for a leaf and subleaf.
    pub fn leaf(self, leaf: u32, subleaf: u32) -> [u32; 4] {
        const HIGHEST: u32 = 0xd;
        const HIGHEST_EXTENDED: u32 = 0x8000_0008;
        let word = |w| self.features.word(w);
        match leaf {
            0 => [HIGHEST, piece(VENDOR, 0), piece(VENDOR, 2), piece(VENDOR, 1)],
            // ebx: APIC id 0, one logical processor, 64-byte clflush lines.
            1 => [SIGNATURE, 0x0001_0800, word(Word::Leaf1Ecx), word(Word::Leaf1Edx)],
            // No descriptors: "see leaf 4".
            2 => [0x00ff_ff01, 0, 0, 0],
            4 => cache(subleaf),
            7 if subleaf == 0 => [0, word(Word::Leaf7Ebx), word(Word::Leaf7Ecx), word(Word::Leaf7Edx)],
            0xd => self.xsave(subleaf),
            0x8000_0000 => [HIGHEST_EXTENDED, 0, 0, 0],
            0x8000_0001 => [0, 0, word(Word::ExtendedEcx), word(Word::ExtendedEdx)],
            0x8000_0002..=0x8000_0004 => {
                let from = (leaf - 0x8000_0002) as usize * 4;
                [0, 1, 2, 3].map(|i| piece(self.brand().as_bytes(), from + i))
            }
            // The L2 cache again: 256 KiB, 8 ways, 64-byte lines.
            0x8000_0006 => [0, 0, 256 << 16 | 6 << 12 | 64, 0],
            // The time stamp counter has a constant rate.
            0x8000_0007 => [0, 0, 0, 1 << 8],
            // Address bits: 40 physical, 48 virtual.
            0x8000_0008 => [40 | 48 << 8, 0, 0, 0],
            // A leaf above the highest one shows the highest basic leaf.
            HIGHEST.. if leaf > HIGHEST && leaf < 0x4000_0000 || leaf > HIGHEST_EXTENDED => self.leaf(HIGHEST, subleaf),
            _ => [0; 4],
        }
    }

    /// Leaf 0xd: what XSAVE saves, and where.
    fn xsave(self, subleaf: u32) -> [u32; 4] {
        let components = self.xcr0();
        let size = xsave_size(components) as u32;
        match subleaf {
            _ if components == 0 => [0; 4],
            0 => [components as u32, size, size, 0],
            // ebx: the size of the compacted format, which is the same here.
            1 => {
                let compacted = self.features.has("xsavec");
                [self.features.word(Word::Xsave), if compacted { size } else { 0 }, 0, 0]
            }
            2 if components & XSAVE_AVX != 0 => [XSAVE_YMM.1 as u32, XSAVE_YMM.0 as u32, 0, 0],
            _ => [0; 4],
        }
    }
}

/// Four bytes of a text, zeros behind its end.
fn piece(bytes: &[u8], index: usize) -> u32 {
    let at = |i: usize| u32::from(bytes.get(index * 4 + i).copied().unwrap_or(0));
    at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24
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

    fn all() -> Features {
        Features::from_words([u32::MAX; WORDS])
    }

    fn level(level: Level) -> Cpuid {
        Cpuid::new(Model::Level(level), all()).expect("all is offered")
    }

    #[test]
    fn levels_are_those_of_the_abi() {
        // Bits as the manual numbers them, per leaf.
        let avx_fma_f16c_movbe_osxsave = 1 << 28 | 1 << 12 | 1 << 29 | 1 << 22 | 1 << 27;
        let bmi1_avx2_bmi2 = 1 << 3 | 1 << 5 | 1 << 8;
        let v3 = level(Level::V3);
        assert_eq!(v3.leaf(1, 0)[2] & avx_fma_f16c_movbe_osxsave, avx_fma_f16c_movbe_osxsave);
        assert_eq!(v3.leaf(7, 0)[1], bmi1_avx2_bmi2);
        assert_eq!(v3.leaf(0x8000_0001, 0)[2], 1 << 5 | 1);
        let v2 = level(Level::V2);
        assert_eq!(v2.leaf(1, 0)[2] & (avx_fma_f16c_movbe_osxsave | 1 << 26), 0);
        let sse3_ssse3_cx16_sse41_sse42_popcnt = 1 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23;
        assert_eq!(v2.leaf(1, 0)[2], sse3_ssse3_cx16_sse41_sse42_popcnt | 1 << 31);
        assert_eq!(v2.leaf(7, 0), [0; 4]);
        assert_eq!(level(Level::V1).leaf(1, 0)[2], 1 << 31);
        assert_eq!(level(Level::V1).leaf(0x8000_0001, 0)[2], 0);
    }

    #[test]
    fn xsave_agrees_with_what_there_is() {
        let host = Cpuid::new(Model::Host, all()).expect("what is offered");
        assert_eq!((host.xcr0(), host.leaf(0xd, 0)), (7, [7, 832, 832, 0]));
        assert_eq!((host.leaf(0xd, 1), host.leaf(0xd, 2)), ([7, 832, 0, 0], [256, 576, 0, 0]));
        let plain = Cpuid::new(Model::Host, all() - Features::named(&["avx"])).expect("what is offered");
        assert_eq!((plain.xcr0(), plain.leaf(0xd, 0), plain.leaf(0xd, 2)), (3, [3, 576, 576, 0], [0; 4]));
        assert!(!plain.features().has("avx2") && !plain.features().has("fma"));
        assert_eq!((level(Level::V2).xcr0(), level(Level::V2).leaf(0xd, 0)), (0, [0; 4]));
    }

    #[test]
    fn what_no_backend_has_is_never_shown() {
        let host = Cpuid::new(Model::Host, all()).expect("what is offered");
        let avx512_rdseed = 0b11 << 16 | 1 << 18 | 0b111 << 26 & !(1 << 29) | 0b11 << 30;
        assert_eq!(host.leaf(7, 0)[1] & avx512_rdseed, 0);
        assert_eq!(host.leaf(1, 0)[2] & (1 << 30), 0, "rdrand");
    }

    #[test]
    fn a_model_needs_its_features() {
        let offered = all() - Features::named(&["bmi2", "movbe"]);
        assert_eq!(Cpuid::new(Model::Level(Level::V3), offered), Err(vec!["movbe", "bmi2"]));
        assert!(Cpuid::new(Model::Level(Level::V2), offered).is_ok());
        let names: Vec<String> =
            ["host", "x86-64", "x86-64-v3"].map(|n| n.parse::<Model>().expect(n).to_string()).into();
        assert_eq!(names, ["host", "x86-64", "x86-64-v3"]);
    }

    #[test]
    fn strings() {
        let cpu = level(Level::V2);
        let [_, b, c, d] = cpu.leaf(0, 0);
        let text: Vec<u8> = [b, d, c].iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(&text, VENDOR);
        let brand: Vec<u8> = (0..3).flat_map(|i| cpu.leaf(0x8000_0002 + i, 0)).flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(brand.len(), 48);
        assert!(brand.starts_with(cpu.brand().as_bytes()) && brand[cpu.brand().len()..].iter().all(|&b| b == 0));
    }
}
