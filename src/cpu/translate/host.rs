//! What the host's processor and kernel must offer.

#![expect(unsafe_code, reason = "sets a segment base")]

/// What translated code uses, by the names of `/proc/cpuinfo`.
pub(super) fn missing() -> Vec<&'static str> {
    let known = [
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("abm", is_x86_feature_detected!("lzcnt")),
        ("popcnt", is_x86_feature_detected!("popcnt")),
        ("movbe", is_x86_feature_detected!("movbe")),
        ("sse4_2", is_x86_feature_detected!("sse4.2")),
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("cx16", is_x86_feature_detected!("cmpxchg16b")),
        ("f16c", is_x86_feature_detected!("f16c")),
    ];
    known.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

/// How this thread's GS base is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GsBase {
    /// By an instruction, which the kernel allows.
    Instruction,
    /// By `arch_prctl`.
    Call,
}

impl GsBase {
    /// The way that works here.
    pub fn new() -> GsBase {
        /// `HWCAP2_FSGSBASE` of x86.
        const FSGSBASE: u64 = 1 << 1;
        // SAFETY: reads a value that the kernel passed to this process.
        match unsafe { libc::getauxval(libc::AT_HWCAP2) } & FSGSBASE {
            0 => GsBase::Call,
            _ => GsBase::Instruction,
        }
    }

    /// Sets it. Nothing else in this process uses GS.
    pub fn set(self, base: u64) {
        match self {
            // SAFETY: the kernel allows the instruction, and neither Rust nor the C library uses GS on x86_64 Linux.
            GsBase::Instruction => unsafe { std::arch::asm!("wrgsbase {}", in(reg) base, options(nostack, nomem)) },
            GsBase::Call => {
                const ARCH_SET_GS: libc::c_long = 0x1001;
                // SAFETY: as above.
                unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base) };
            }
        }
    }
}
