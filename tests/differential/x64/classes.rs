//! Every instruction of 64-bit user mode, by class. They are found by decoding all opcodes, so that none is forgotten.

use std::collections::BTreeMap;

use iced_x86::{Code, CpuidFeature, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};
use sevm::arch::cpuid::Features;

use super::generate::Idiom;

/// How an instruction begins, before its ModRM byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Head {
    /// A prefix (0 for none), REX.W, the opcode map (0 to 3: one byte, 0F, 0F38, 0F3A), the opcode.
    Legacy { prefix: u8, wide: bool, map: u8, opcode: u8 },
    /// Map, opcode, the byte with W and L and pp, without vvvv.
    Vex { map: u8, opcode: u8, rest: u8 },
}

/// One way to begin an instruction, and what of its ModRM byte decides which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    pub head: Head,
    pub modrm: u8,
}

/// A class of instructions, which is one test.
#[derive(Clone, Debug)]
pub struct Class {
    pub name: &'static str,
    /// The ways to begin, by what they are.
    pub seeds: Vec<(Code, Vec<Seed>)>,
    pub idioms: &'static [Idiom],
}

/// The features of a class, in iced's terms and in those of `/proc/cpuinfo` (empty: all processors have it).
struct Family {
    name: &'static str,
    features: &'static [(CpuidFeature, &'static str)],
    idioms: &'static [Idiom],
}

use CpuidFeature as F;

const FAMILIES: &[Family] = &[
    Family {
        name: "x64_integer",
        features: &[
            (F::INTEL8086, ""),
            (F::INTEL186, ""),
            (F::INTEL386, ""),
            (F::INTEL486, ""),
            (F::X64, ""),
            (F::CMOV, "cmov"),
            (F::CX8, "cx8"),
            (F::CMPXCHG16B, "cx16"),
            (F::MULTIBYTENOP, ""),
            (F::PAUSE, ""),
            (F::CET_IBT, ""),
            (F::CLFSH, "clflush"),
            (F::CLFLUSHOPT, "clflushopt"),
            (F::CLWB, "clwb"),
            (F::PREFETCHW, "3dnowprefetch"),
        ],
        idioms: &[Idiom::Jump],
    },
    Family {
        name: "x64_bits",
        features: &[
            (F::BMI1, "bmi1"),
            (F::BMI2, "bmi2"),
            (F::LZCNT, "abm"),
            (F::POPCNT, "popcnt"),
            (F::ADX, "adx"),
            (F::MOVBE, "movbe"),
        ],
        idioms: &[Idiom::Jump],
    },
    Family {
        name: "x64_flow",
        features: &[(F::INTEL8086, ""), (F::INTEL386, ""), (F::X64, "")],
        idioms: &[Idiom::Jump, Idiom::IndirectJump, Idiom::Jump, Idiom::Stack],
    },
    Family { name: "x64_string", features: &[(F::INTEL8086, "")], idioms: &[Idiom::String] },
    Family {
        name: "x64_system",
        features: &[(F::INTEL8086, ""), (F::FSGSBASE, "fsgsbase"), (F::X64, ""), (F::SSE, "sse")],
        idioms: &[Idiom::Segment, Idiom::Stack, Idiom::Flags, Idiom::Save],
    },
    Family {
        name: "x64_x87",
        features: &[(F::FPU, "fpu"), (F::FPU287, ""), (F::FPU387, "")],
        idioms: &[Idiom::Control],
    },
    Family { name: "x64_mmx", features: &[(F::MMX, "mmx"), (F::SSE, "sse"), (F::SSE2, "sse2")], idioms: &[] },
    Family { name: "x64_sse", features: &[(F::SSE, "sse")], idioms: &[Idiom::Control] },
    Family { name: "x64_sse2", features: &[(F::SSE2, "sse2")], idioms: &[Idiom::Control] },
    Family {
        name: "x64_sse34",
        features: &[(F::SSE3, "pni"), (F::SSSE3, "ssse3"), (F::SSE4_1, "sse4_1"), (F::SSE4_2, "sse4_2")],
        idioms: &[],
    },
    Family {
        name: "x64_crypto",
        features: &[
            (F::AES, "aes"),
            (F::PCLMULQDQ, "pclmulqdq"),
            (F::SHA, "sha_ni"),
            (F::VAES, "vaes"),
            (F::VPCLMULQDQ, "vpclmulqdq"),
            (F::GFNI, "gfni"),
        ],
        idioms: &[],
    },
    Family { name: "x64_avx", features: &[(F::AVX, "avx")], idioms: &[Idiom::Control, Idiom::Save] },
    Family { name: "x64_avx2", features: &[(F::AVX2, "avx2")], idioms: &[Idiom::Gather] },
    Family { name: "x64_fma", features: &[(F::FMA, "fma"), (F::F16C, "f16c")], idioms: &[Idiom::Control] },
];

/// Instructions that are left out, or come in idioms only, beside those that go elsewhere than to the next one.
const LEFT_OUT: &[Mnemonic] = {
    use Mnemonic::*;
    &[
        // They show the host, or are reserved (of `prefetch`); flags and segments must not be arbitrary; or idioms have them.
        Cpuid, Rdtsc, Rdtscp, Rdpid, Rdrand, Rdseed, Xgetbv, Rdpmc, Rdpru, Sgdt, Sidt, Sldt, Smsw, Str, Lar, Lsl, Verr,
        Verw, Fnstenv, Fnsave, Fstenv, Fsave, Fstdw, Fstsg, Popf, Popfq, Popfd, Lfs, Lgs, Lss, Lds, Les, Enter, Leave,
        Iret, Iretd, Iretq, Wrfsbase, Wrgsbase, Swapgs, Int1, Int3, Into, Hlt, Fxrstor, Fxrstor64, Xrstor, Xrstor64,
        Fxsave, Fxsave64, Xsave, Xsave64, Xsaveopt, Xsaveopt64, Xsavec, Xsavec64, Fldenv, Frstor, Frstpm, Ldmxcsr,
        Vldmxcsr, Fldcw,
    ]
};

/// Whether an instruction may stand anywhere in a case.
fn is_plain(i: &Instruction) -> bool {
    let sets_segment = i.op0_kind() == OpKind::Register && i.op0_register().is_segment_register();
    // The manual reserves the second bytes of `prefetch` that have no name, and registers behind it.
    let name = format!("{:?}", i.code());
    let reserved = name.starts_with("Prefetchreserved") || name.ends_with("_0F0D");
    // A bit string: the register moves the address, anywhere.
    let far = matches!(i.mnemonic(), Mnemonic::Bt | Mnemonic::Btc | Mnemonic::Btr | Mnemonic::Bts)
        && i.op0_kind() == OpKind::Memory
        && i.op1_kind() == OpKind::Register;
    let loads_segment = sets_segment && matches!(i.mnemonic(), Mnemonic::Mov | Mnemonic::Pop);
    let left_out = i.is_privileged() || LEFT_OUT.contains(&i.mnemonic());
    i.flow_control() == FlowControl::Next && !(reserved || far || left_out || loads_segment)
}

fn decode(bytes: &[u8]) -> Option<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let instruction = decoder.decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// The bytes of a head with all registers zero.
pub fn plain_head(head: Head) -> Vec<u8> {
    match head {
        Head::Legacy { prefix, wide, map, opcode } => {
            let prefix = (prefix != 0).then_some(prefix);
            let rex = wide.then_some(0x48);
            let escape: &[u8] = [&[][..], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]][usize::from(map)];
            prefix.into_iter().chain(rex).chain(escape.iter().copied()).chain([opcode]).collect()
        }
        Head::Vex { map, opcode, rest } => vec![0xc4, 0xe0 | map, rest | 0x78, opcode],
    }
}

/// All heads that there are.
fn heads() -> Vec<Head> {
    let mut all = Vec::new();
    for opcode in 0..=255u8 {
        for map in 0..4 {
            for prefix in [0, 0x66, 0xf2, 0xf3] {
                all.extend([false, true].map(|wide| Head::Legacy { prefix, wide, map, opcode }));
            }
        }
        for map in 1..4 {
            for bits in 0..16u8 {
                // W, L, pp.
                all.push(Head::Vex { map, opcode, rest: (bits & 8) << 4 | bits & 7 });
            }
        }
    }
    all
}

/// Prefixes and escapes are no opcodes.
fn is_opcode(head: Head) -> bool {
    const PREFIXES: [u8; 13] = [0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x62];
    match head {
        Head::Legacy { map: 0, opcode, .. } => {
            !PREFIXES.contains(&opcode) && !(0x40..0x50).contains(&opcode) && opcode != 0xc4 && opcode != 0xc5
        }
        Head::Legacy { map: 1, opcode, .. } => opcode != 0x38 && opcode != 0x3a,
        _ => true,
    }
}

/// The classes, with what both sides have.
pub fn classes(offered: Features) -> Vec<Class> {
    let mut found: BTreeMap<&str, BTreeMap<u16, (Code, Vec<Seed>)>> = BTreeMap::new();
    for head in heads().into_iter().filter(|h| is_opcode(*h)) {
        for modrm in (0..=255u8).filter(|m| *m >= 0xc0 || m & 0xc7 == 0) {
            let mut bytes = plain_head(head);
            bytes.push(modrm);
            bytes.resize(bytes.len() + 10, 0);
            let Some(instruction) = decode(&bytes).filter(is_plain) else { continue };
            for family in FAMILIES {
                let known = |f: &CpuidFeature| {
                    let all = FAMILIES.iter().flat_map(|family| family.features);
                    all.into_iter().any(|(g, name)| f == g && (name.is_empty() || offered.has(name)))
                };
                let own = |f: &CpuidFeature| family.features.iter().any(|(g, _)| f == g);
                let features = instruction.cpuid_features();
                let is_mmx = instruction
                    .op_kinds()
                    .zip(0..)
                    .any(|(kind, i)| kind == OpKind::Register && instruction.op_register(i).is_mm());
                let is_string = instruction.is_string_instruction();
                let fits = match family.name {
                    "x64_mmx" => is_mmx,
                    "x64_string" => is_string,
                    _ => !is_mmx && !is_string,
                };
                if fits && features.iter().any(own) && features.iter().all(known) {
                    let of_class = found.entry(family.name).or_default();
                    let entry = of_class.entry(instruction.code() as u16);
                    let seeds = &mut entry.or_insert_with(|| (instruction.code(), Vec::new())).1;
                    seeds.push(Seed { head, modrm });
                }
            }
        }
    }
    let classes = FAMILIES.iter().map(|family| Class {
        name: family.name,
        seeds: found.remove(family.name).unwrap_or_default().into_values().collect(),
        idioms: family.idioms,
    });
    classes.filter(|class| !class.seeds.is_empty()).collect()
}
