//! What guests may be shown of the host's processor.

use std::arch::x86_64::{__cpuid, __cpuid_count};

use crate::arch::cpuid::{ALWAYS, Features};

/// Features that translated code can use here.
pub(super) fn offered() -> Features {
    let least = Features::named(ALWAYS);
    let (basic, extended) = (__cpuid(0).eax, __cpuid(0x8000_0000).eax);
    if basic < 0xd || extended < 0x8000_0001 {
        return least;
    }
    let (one, seven, xsave, more) = (__cpuid(1), __cpuid_count(7, 0), __cpuid_count(0xd, 1), __cpuid(0x8000_0001));
    // In the order of `arch::cpuid::Word`.
    let words = [one.edx, more.edx, one.ecx, more.ecx, seven.ebx, xsave.eax, seven.ecx, seven.edx];
    Features::from_words(words) | least
}
