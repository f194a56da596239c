//! The A64 encodings up to Armv8.5-A, by class (Arm Architecture Reference Manual, section C4.1), as bit patterns with
//! fields. What a pattern's free bits leave unallocated is generated too: backends must agree that it is undefined.
//!
//! `0` and `1` are fixed bits and `x` a random one. The letters of a register stand five times: `d` a general register
//! that is written, `e` another one, `n` one that is only read, `v` a vector register, `b` the base of an address, `i` an
//! index register. `o` is a bit of an address offset, `f` of a branch offset.

/// How an address is made from the base register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The instruction accesses no memory.
    None,
    /// The base alone.
    Base,
    /// The base alone, which must be aligned to the access.
    Aligned,
    /// An unsigned offset in units of `1 << .0`.
    Unsigned(u32),
    /// A signed offset in units of `1 << .0`.
    Signed(u32),
    /// The same, added before the access and kept.
    Pre(u32),
    /// The same, added after the access and kept.
    Post(u32),
    /// An index register, extended, and perhaps shifted by `.0`.
    Index(u32),
    /// An index register added after the access and kept; register 31 stands for the size.
    PostIndex,
    /// Relative to the pc.
    Literal,
}

/// One encoding.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    pub bits: &'static str,
    pub mode: Mode,
    /// Bytes that are accessed.
    pub size: u32,
}

/// A class of encodings, which is one test.
#[derive(Clone, Debug)]
pub struct Class {
    pub name: &'static str,
    pub patterns: Vec<Pattern>,
    /// How often the idioms of `generate.rs` are wanted among the instructions.
    pub idioms: Vec<Idiom>,
}

impl Class {
    /// What is left of a class for qemu-aarch64, whose keys, system registers and cache lines are others.
    pub fn qemu(&self) -> Option<Class> {
        let patterns = self.patterns.iter().filter(|p| !p.bits.starts_with(DC_ZVA)).copied().collect();
        let known = [Idiom::SignedJump, Idiom::SignedLoad, Idiom::System];
        let idioms: Vec<Idiom> = self.idioms.iter().filter(|i| !known.contains(i)).copied().collect();
        (!["pac", "system"].contains(&self.name)).then_some(Class { name: self.name, patterns, idioms })
    }

    /// What is left of a class for `soft::execute`.
    pub fn soft(&self) -> Option<Class> {
        let data = ["fp_", "simd_", "crypto"].iter().any(|prefix| self.name.starts_with(prefix));
        // csel is there for the flags of a comparison.
        let patterns = self.patterns.iter().filter(|p| !p.bits.starts_with("xx011010100")).copied().collect();
        data.then_some(Class { name: self.name, patterns, idioms: Vec::new() })
    }
}

/// Short sequences that single random instructions do not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idiom {
    /// A jump through a register to a place ahead.
    Jump,
    /// The same with a signed pointer.
    SignedJump,
    /// A load-exclusive and its store-exclusive.
    Exclusive,
    /// A new FPCR.
    Fpcr,
    /// A new FPSR.
    Fpsr,
    /// Flags moved from or to a register.
    Nzcv,
    /// A load through a pointer that has been signed.
    SignedLoad,
    /// A compare and its user.
    CompareAndUse,
    /// Read or write of a system register.
    System,
}

const fn plain(bits: &'static str) -> Pattern {
    Pattern { bits, mode: Mode::None, size: 0 }
}

const fn memory(bits: &'static str, mode: Mode, size: u32) -> Pattern {
    Pattern { bits, mode, size }
}

/// Patterns that access no memory.
fn class(name: &'static str, idioms: &[Idiom], patterns: &[&'static str]) -> Class {
    Class { name, idioms: idioms.to_vec(), patterns: patterns.iter().map(|bits| plain(bits)).collect() }
}

/// All classes.
pub fn classes() -> Vec<Class> {
    let mut classes = vec![
        class("int_immediate", &[], INT_IMMEDIATE),
        class("int_register", &[Idiom::CompareAndUse], INT_REGISTER),
        class("int_bits", &[], INT_BITS),
        class("int_multiply", &[], INT_MULTIPLY),
        class("int_flags", &[Idiom::CompareAndUse, Idiom::Nzcv], INT_FLAGS),
        class("crc", &[], CRC),
        class("pac", &[Idiom::SignedJump, Idiom::SignedLoad], PAC),
        class("branch", &[Idiom::Jump, Idiom::SignedJump, Idiom::CompareAndUse], BRANCH),
        class("system", &[Idiom::System, Idiom::Nzcv, Idiom::Fpcr, Idiom::Fpsr], SYSTEM),
    ];
    classes.extend(loads_and_stores());
    classes.extend([
        class("fp_one", &[Idiom::Fpcr], FP_ONE),
        class("fp_two", &[Idiom::Fpcr], FP_TWO),
        class("fp_three", &[Idiom::Fpcr], FP_THREE),
        class("fp_compare", &[Idiom::Fpcr], FP_COMPARE),
        class("fp_convert", &[Idiom::Fpcr], FP_CONVERT),
        class("fp_move", &[], FP_MOVE),
        class("simd_same", &[], SIMD_SAME),
        class("simd_fp_same", &[Idiom::Fpcr], SIMD_FP_SAME),
        class("simd_half_same", &[Idiom::Fpcr], SIMD_HALF_SAME),
        class("simd_extra", &[Idiom::Fpcr], SIMD_EXTRA),
        class("simd_misc", &[], SIMD_MISC),
        class("simd_fp_misc", &[Idiom::Fpcr], SIMD_FP_MISC),
        class("simd_half_misc", &[Idiom::Fpcr], SIMD_HALF_MISC),
        class("simd_across", &[Idiom::Fpcr], SIMD_ACROSS),
        class("simd_different", &[], SIMD_DIFFERENT),
        class("simd_move", &[], SIMD_MOVE),
        class("simd_permute", &[], SIMD_PERMUTE),
        class("simd_immediate", &[], SIMD_IMMEDIATE),
        class("simd_shift", &[], SIMD_SHIFT),
        class("simd_fixed", &[Idiom::Fpcr], SIMD_FIXED),
        class("simd_indexed", &[], SIMD_INDEXED),
        class("simd_fp_indexed", &[Idiom::Fpcr], SIMD_FP_INDEXED),
        class("crypto", &[], CRYPTO),
    ]);
    classes
}

const DC_ZVA: &str = "1101 0101 0000 1011 0111 0100 001 bbbbb";

const INT_IMMEDIATE: &[&str] = &[
    "xxx100010 x xxxxxxxxxxxx nnnnn ddddd", // add, sub
    "xxx100010 0 0000000000xx nnnnn ddddd",
    "1xx100100 1 xxxxxx xxxxxx nnnnn ddddd", // and, orr, eor, ands
    "xxx100100 0 xxxxxx 0xxxxx nnnnn ddddd",
    "xxx100100 0 xxxxxx xxxxxx nnnnn ddddd",
    "000100101 0x xxxxxxxxxxxxxxxx ddddd", // movn
    "010100101 0x xxxxxxxxxxxxxxxx ddddd", // movz
    "011100101 0x xxxxxxxxxxxxxxxx ddddd", // movk
    "100100101 xx xxxxxxxxxxxxxxxx ddddd",
    "110100101 xx xxxxxxxxxxxxxxxx ddddd",
    "111100101 xx xxxxxxxxxxxxxxxx ddddd",
    "xxx10000 xxxxxxxxxxxxxxxxxxx ddddd", // adr, adrp
];

const INT_REGISTER: &[&str] = &[
    "1xx01010 xx x nnnnn xxxxxx nnnnn ddddd", // logical
    "0xx01010 xx x nnnnn 0xxxxx nnnnn ddddd",
    "xxx01010 00 x nnnnn 000000 nnnnn ddddd",
    "1xx01011 0x 0 nnnnn xxxxxx nnnnn ddddd", // add, sub
    "1xx01011 10 0 nnnnn xxxxxx nnnnn ddddd",
    "0xx01011 0x 0 nnnnn 0xxxxx nnnnn ddddd",
    "0xx01011 10 0 nnnnn 0xxxxx nnnnn ddddd",
    "xxx01011 00 0 nnnnn 000000 nnnnn ddddd",
    "xxx01011 00 1 nnnnn xxx 0xx nnnnn ddddd", // extended
    "xxx01011 00 1 nnnnn xxx 100 nnnnn ddddd",
    "xxx11010000 nnnnn 000000 nnnnn ddddd",  // adc, sbc
    "xx011010100 nnnnn xxxx 0x nnnnn ddddd", // csel
];

const INT_BITS: &[&str] = &[
    "000100110 0 0xxxxx 0xxxxx nnnnn ddddd", // sbfm, bfm, ubfm
    "001100110 0 0xxxxx 0xxxxx nnnnn ddddd",
    "010100110 0 0xxxxx 0xxxxx nnnnn ddddd",
    "100100110 1 xxxxxx xxxxxx nnnnn ddddd",
    "101100110 1 xxxxxx xxxxxx nnnnn ddddd",
    "110100110 1 xxxxxx xxxxxx nnnnn ddddd",
    "000100111 00 nnnnn 0xxxxx nnnnn ddddd", // extr
    "100100111 10 nnnnn xxxxxx nnnnn ddddd",
    "x0011010110 nnnnn 0010xx nnnnn ddddd", // lslv, lsrv, asrv, rorv
    "x1011010110 00000 00000x nnnnn ddddd", // rbit, rev16
    "x1011010110 00000 000010 nnnnn ddddd", // rev
    "11011010110 00000 000011 nnnnn ddddd",
    "x1011010110 00000 00010x nnnnn ddddd", // clz, cls
];

const INT_MULTIPLY: &[&str] = &[
    "x0011011000 nnnnn x nnnnn nnnnn ddddd",
    "10011011x01 nnnnn x nnnnn nnnnn ddddd",
    "10011011x10 nnnnn 0 11111 nnnnn ddddd",
    "x0011010110 nnnnn 00001x nnnnn ddddd", // udiv, sdiv
];

const INT_FLAGS: &[&str] = &[
    "10111010000 xxxxxx 00001 nnnnn 0 xxxx",  // rmif
    "00111010000 00000 0x0010 nnnnn 01101",   // setf8, setf16
    "xx111010010 nnnnn xxxx x0 nnnnn 0 xxxx", // ccmn, ccmp
    "xx011010100 nnnnn xxxx 0x nnnnn ddddd",
    "xx111010000 nnnnn 000000 nnnnn ddddd", // adcs, sbcs
    "xx1100010 x xxxxxxxxxxxx nnnnn ddddd", // adds, subs
    "x1101010 00 x nnnnn 000000 nnnnn ddddd",
    "1101 0101 0000 0000 0100 0000 0001 1111", // cfinv
    "1101 0101 0000 0000 0100 0000 0011 1111", // xaflag
    "1101 0101 0000 0000 0100 0000 0101 1111", // axflag
];

const CRC: &[&str] = &[
    "00011010110 nnnnn 010x0x nnnnn ddddd",
    "00011010110 nnnnn 010x10 nnnnn ddddd",
    "10011010110 nnnnn 010x11 nnnnn ddddd",
];

const PAC: &[&str] = &[
    "11011010110 00001 000xxx nnnnn ddddd",
    "11011010110 00001 001xxx 11111 ddddd",
    "11011010110 00001 01000x 11111 ddddd",
    "10011010110 nnnnn 001100 nnnnn ddddd",
    "1101 0101 0000 0011 0010 0011 xxx1 1111", // paciaz ... autibsp
    "1101 0101 0000 0011 0010 0001 xx01 1111", // pacia1716 ...
    "1101 0101 0000 0011 0010 0000 1111 1111", // xpaclri
];

const BRANCH: &[&str] = &[
    "x00101 ffffffffffffffffffffffffff", // b, bl
    "01010100 fffffffffffffffffff 0 xxxx",
    "01010100 fffffffffffffffffff 0 xxxx",
    "x011010x fffffffffffffffffff nnnnn",   // cbz, cbnz
    "x011011x xxxxx ffffffffffffff nnnnn",  // tbz, tbnz
    "xx1100010 x xxxxxxxxxxxx nnnnn ddddd", // adds, subs
    "xx1 01011 00 0 nnnnn 000000 nnnnn ddddd",
    "x1101010 00 x nnnnn 000000 nnnnn ddddd",
    "xx011010100 nnnnn xxxx 0x nnnnn ddddd",
    "xx111010010 nnnnn xxxx x0 nnnnn 0 xxxx",
];

const SYSTEM: &[&str] = &[
    "1101 0101 0000 0011 0010 0xxx xxx1 1111", // hints
    "1101 0101 0000 0011 0011 xxxx 1xx1 1111", // barriers
    "1101 0101 0000 0011 0011 xxxx 0101 1111", // clrex
];

const FP_ONE: &[&str] = &[
    "00011110 0x 1 0000xx 10000 vvvvv vvvvv",
    "00011110 11 1 0000xx 10000 vvvvv vvvvv",
    "00011110 0x 1 0001xx 10000 vvvvv vvvvv", // fcvt
    "00011110 11 1 00010x 10000 vvvvv vvvvv",
    "00011110 0x 1 001xxx 10000 vvvvv vvvvv", // frint
    "00011110 11 1 001xxx 10000 vvvvv vvvvv",
    "00011110 0x 1 0100xx 10000 vvvvv vvvvv", // frint32, frint64
];

const FP_TWO: &[&str] = &[
    "00011110 0x 1 vvvvv 0xxx 10 vvvvv vvvvv",
    "00011110 0x 1 vvvvv 1000 10 vvvvv vvvvv",
    "00011110 11 1 vvvvv 0xxx 10 vvvvv vvvvv",
    "00011110 11 1 vvvvv 1000 10 vvvvv vvvvv",
];

const FP_THREE: &[&str] = &["00011111 0x x vvvvv x vvvvv vvvvv vvvvv", "00011111 11 x vvvvv x vvvvv vvvvv vvvvv"];

const FP_COMPARE: &[&str] = &[
    "00011110 0x 1 vvvvv 00 1000 vvvvv x0000",
    "00011110 11 1 vvvvv 00 1000 vvvvv x0000",
    "00011110 0x 1 00000 00 1000 vvvvv x1000",
    "00011110 11 1 00000 00 1000 vvvvv x1000",
    "00011110 0x 1 vvvvv xxxx 01 vvvvv x xxxx",
    "00011110 11 1 vvvvv xxxx 01 vvvvv x xxxx",
    "00011110 0x 1 vvvvv xxxx 11 vvvvv vvvvv",
    "00011110 11 1 vvvvv xxxx 11 vvvvv vvvvv",
    "xx011010100 nnnnn xxxx 0x nnnnn ddddd",
];

const FP_CONVERT: &[&str] = &[
    "x0011110 0x 1 xx 00x 000000 vvvvv ddddd", // fcvt to integer
    "x0011110 11 1 xx 00x 000000 vvvvv ddddd",
    "x0011110 0x 1 00 10x 000000 vvvvv ddddd", // fcvta
    "x0011110 11 1 00 10x 000000 vvvvv ddddd",
    "x0011110 0x 1 00 01x 000000 nnnnn vvvvv", // scvtf, ucvtf
    "x0011110 11 1 00 01x 000000 nnnnn vvvvv",
    "00011110 01 1 11 110 000000 vvvvv ddddd", // fjcvtzs
    "x0011110 0x 0 00 01x 1xxxxx nnnnn vvvvv", // fixed point
    "10011110 0x 0 00 01x xxxxxx nnnnn vvvvv",
    "x0011110 11 0 00 01x 1xxxxx nnnnn vvvvv",
    "x0011110 0x 0 11 00x 1xxxxx vvvvv ddddd",
    "10011110 0x 0 11 00x xxxxxx vvvvv ddddd",
    "x0011110 11 0 11 00x 1xxxxx vvvvv ddddd",
];

const FP_MOVE: &[&str] = &[
    "00011110 0x 1 xxxxxxxx 100 00000 vvvvv",
    "00011110 11 1 xxxxxxxx 100 00000 vvvvv",
    "00011110 00 1 00 110 000000 vvvvv ddddd",
    "00011110 00 1 00 111 000000 nnnnn vvvvv",
    "10011110 01 1 00 110 000000 vvvvv ddddd",
    "10011110 01 1 00 111 000000 nnnnn vvvvv",
    "x0011110 11 1 00 110 000000 vvvvv ddddd",
    "x0011110 11 1 00 111 000000 nnnnn vvvvv",
    "10011110 10 1 01 110 000000 vvvvv ddddd",
    "10011110 10 1 01 111 000000 nnnnn vvvvv",
    "00011110 0x 1 vvvvv xxxx 11 vvvvv vvvvv",
];

const SIMD_SAME: &[&str] = &[
    "0xx01110 xx 1 vvvvv 0xxxx 1 vvvvv vvvvv",
    "0xx01110 xx 1 vvvvv 10xxx 1 vvvvv vvvvv",
    "01x11110 xx 1 vvvvv 00xx1 1 vvvvv vvvvv", // scalar
    "01x11110 11 1 vvvvv 010xx 1 vvvvv vvvvv",
    "01x11110 xx 1 vvvvv 010x1 1 vvvvv vvvvv",
    "01x11110 11 1 vvvvv 0011x 1 vvvvv vvvvv",
    "01x11110 11 1 vvvvv 1000x 1 vvvvv vvvvv",
    "01x11110 xx 1 vvvvv 10110 1 vvvvv vvvvv",
];

const SIMD_FP_SAME: &[&str] = &[
    "0xx01110 xx 1 vvvvv 11xxx 1 vvvvv vvvvv",
    "0xx01110 x0 1 vvvvv 11xxx 1 vvvvv vvvvv",
    "01111110 1x 1 vvvvv 11010 1 vvvvv vvvvv",
    "01x11110 xx 1 vvvvv 111xx 1 vvvvv vvvvv",
    "01011110 0x 1 vvvvv 11011 1 vvvvv vvvvv",
];

const SIMD_HALF_SAME: &[&str] = &["0xx01110 x10 vvvvv 00 xxx 1 vvvvv vvvvv", "01x11110 x10 vvvvv 00 xxx 1 vvvvv vvvvv"];

const SIMD_EXTRA: &[&str] = &[
    "0x101110 01 0 vvvvv 1000x 1 vvvvv vvvvv", // sqrdmlah, sqrdmlsh
    "0x101110 10 0 vvvvv 1000x 1 vvvvv vvvvv",
    "01111110 xx 0 vvvvv 1000x 1 vvvvv vvvvv",
    "0xx01110 10 0 vvvvv 10010 1 vvvvv vvvvv", // sdot, udot
    "0x101110 xx 0 vvvvv 110xx 1 vvvvv vvvvv", // fcmla
    "0x101110 xx 0 vvvvv 111x0 1 vvvvv vvvvv", // fcadd
    "0x101111 01 x vvvvv 0xx1x 0 vvvvv vvvvv", // fcmla by element
    "01101111 10 x vvvvv 0xx1x 0 vvvvv vvvvv",
    "0xx01111 10 x vvvvv 1110x 0 vvvvv vvvvv", // sdot, udot by element
    "0x001110 x0 1 vvvvv 11101 1 vvvvv vvvvv", // fmlal, fmlsl
    "0x101110 x0 1 vvvvv 11001 1 vvvvv vvvvv",
    "0xx01111 10 x vvvvv xx00x 0 vvvvv vvvvv",
];

const SIMD_MISC: &[&str] = &[
    "0xx01110 xx 10000 00xxx 10 vvvvv vvvvv",
    "0xx01110 xx 10000 010xx 10 vvvvv vvvvv",
    "0xx01110 xx 10000 1001x 10 vvvvv vvvvv",
    "0xx01110 xx 10000 10100 10 vvvvv vvvvv",
    "01x11110 xx 10000 00011 10 vvvvv vvvvv",
    "01x11110 xx 10000 00111 10 vvvvv vvvvv",
    "01x11110 11 10000 010xx 10 vvvvv vvvvv",
    "01x11110 xx 10000 10100 10 vvvvv vvvvv",
    "01111110 xx 10000 10010 10 vvvvv vvvvv",
];

const SIMD_FP_MISC: &[&str] = &[
    "0xx01110 xx 10000 011xx 10 vvvvv vvvvv",
    "0xx01110 xx 10000 11xxx 10 vvvvv vvvvv",
    "0xx01110 xx 10000 11xxx 10 vvvvv vvvvv",
    "0xx01110 0x 10000 1111x 10 vvvvv vvvvv", // frint32, frint64
    "0xx01110 0x 10000 1011x 10 vvvvv vvvvv", // fcvtn, fcvtl
    "01x11110 xx 10000 011xx 10 vvvvv vvvvv",
    "01x11110 xx 10000 11xxx 10 vvvvv vvvvv",
    "01111110 01 10000 10110 10 vvvvv vvvvv",
];

const SIMD_HALF_MISC: &[&str] = &[
    "0xx01110 x1 11100 011xx 10 vvvvv vvvvv",
    "0xx01110 x1 11100 11xxx 10 vvvvv vvvvv",
    "01x11110 x1 11100 011xx 10 vvvvv vvvvv",
    "01x11110 x1 11100 11xxx 10 vvvvv vvvvv",
];

const SIMD_ACROSS: &[&str] = &[
    "0xx01110 xx 11000 00011 10 vvvvv vvvvv",
    "0xx01110 xx 11000 x1010 10 vvvvv vvvvv",
    "0x001110 xx 11000 11011 10 vvvvv vvvvv",
    "01101110 x0 11000 01100 10 vvvvv vvvvv",
    "01101110 x0 11000 01111 10 vvvvv vvvvv",
    "0x001110 x0 11000 01100 10 vvvvv vvvvv",
    "0x001110 x0 11000 01111 10 vvvvv vvvvv",
    "01011110 11 11000 11011 10 vvvvv vvvvv", // addp
    "01111110 xx 11000 011xx 10 vvvvv vvvvv",
    "01011110 x0 11000 011xx 10 vvvvv vvvvv",
];

const SIMD_DIFFERENT: &[&str] = &[
    "0xx01110 xx 1 vvvvv xxxx 00 vvvvv vvvvv",
    "0xx01110 xx 1 vvvvv 0xxx 00 vvvvv vvvvv",
    "01011110 01 1 vvvvv 1xx1 00 vvvvv vvvvv",
    "01011110 10 1 vvvvv 1xx1 00 vvvvv vvvvv",
];

const SIMD_MOVE: &[&str] = &[
    "0x001110000 xxxxx 0 0000 1 vvvvv vvvvv", // dup
    "0x001110000 xxxxx 0 0001 1 nnnnn vvvvv",
    "0x001110000 xxxxx 0 0101 1 vvvvv ddddd", // smov
    "00001110000 xxxxx 0 0111 1 vvvvv ddddd", // umov
    "01001110000 x1000 0 0111 1 vvvvv ddddd",
    "01001110000 xxxxx 0 0011 1 nnnnn vvvvv", // ins
    "01101110000 xxxxx 0 xxxx 1 vvvvv vvvvv",
    "01011110000 xxxxx 0 0000 1 vvvvv vvvvv", // dup, scalar
];

const SIMD_PERMUTE: &[&str] = &[
    "01101110000 vvvvv 0 xxxx 0 vvvvv vvvvv", // ext
    "00101110000 vvvvv 0 0xxx 0 vvvvv vvvvv",
    "0x001110000 vvvvv 0 xx x 00 vvvvv vvvvv",  // tbl, tbx
    "0x001110 xx 0 vvvvv 0 x01 10 vvvvv vvvvv", // uzp, trn, zip
    "0x001110 xx 0 vvvvv 0 x10 10 vvvvv vvvvv",
    "0x001110 xx 0 vvvvv 0 x11 10 vvvvv vvvvv",
];

const SIMD_IMMEDIATE: &[&str] = &["0xx0111100000 xxx xxxx 01 xxxxx vvvvv", "0x00111100000 xxx 1111 11 xxxxx vvvvv"];

const SIMD_SHIFT: &[&str] = &[
    "0xx011110 1xxx xxx 00xx0 1 vvvvv vvvvv",
    "0xx011110 01xx xxx 00xx0 1 vvvvv vvvvv",
    "0xx011110 001x xxx 0xx x0 1 vvvvv vvvvv",
    "0xx011110 0001 xxx 0xx x0 1 vvvvv vvvvv",
    "0xx011110 xxxx xxx 0xxx0 1 vvvvv vvvvv",
    "0xx011110 0xxx xxx 100xx 1 vvvvv vvvvv",
    "0xx011110 0xxx xxx 10100 1 vvvvv vvvvv",
    "01x111110 1xxx xxx 0xxx0 1 vvvvv vvvvv",
    "01x111110 xxxx xxx 0110x 1 vvvvv vvvvv",
    "01x111110 xxxx xxx 01110 1 vvvvv vvvvv",
    "01x111110 0xxx xxx 100xx 1 vvvvv vvvvv",
];

const SIMD_FIXED: &[&str] = &[
    "0xx011110 1xxx xxx 11100 1 vvvvv vvvvv",
    "0xx011110 1xxx xxx 11111 1 vvvvv vvvvv",
    "0xx011110 01xx xxx 11100 1 vvvvv vvvvv",
    "0xx011110 01xx xxx 11111 1 vvvvv vvvvv",
    "0xx011110 001x xxx 11100 1 vvvvv vvvvv",
    "0xx011110 001x xxx 11111 1 vvvvv vvvvv",
    "01x111110 xxxx xxx 11100 1 vvvvv vvvvv",
    "01x111110 xxxx xxx 11111 1 vvvvv vvvvv",
];

const SIMD_INDEXED: &[&str] = &[
    "0x101111 01 x vvvvv 0x00 x 0 vvvvv vvvvv", // mla, mls
    "0x101111 10 x vvvvv 0x00 x 0 vvvvv vvvvv",
    "0xx01111 01 x vvvvv xx10 x 0 vvvvv vvvvv", // widening
    "0xx01111 10 x vvvvv xx10 x 0 vvvvv vvvvv",
    "0x001111 01 x vvvvv xx11 x 0 vvvvv vvvvv", // sqdml
    "0x001111 10 x vvvvv xx11 x 0 vvvvv vvvvv",
    "0x001111 01 x vvvvv 1000 x 0 vvvvv vvvvv", // mul
    "0x001111 10 x vvvvv 1000 x 0 vvvvv vvvvv",
    "0xx01111 01 x vvvvv 110x x 0 vvvvv vvvvv", // sqdmulh, sqrdmulh
    "0xx01111 10 x vvvvv 110x x 0 vvvvv vvvvv",
    "0x101111 01 x vvvvv 11x1 x 0 vvvvv vvvvv", // sqrdmlah, sqrdmlsh
    "0x101111 10 x vvvvv 11x1 x 0 vvvvv vvvvv",
    "01011111 01 x vvvvv xx11 x 0 vvvvv vvvvv", // scalar
    "01011111 10 x vvvvv xx11 x 0 vvvvv vvvvv",
    "01011111 01 x vvvvv 110x x 0 vvvvv vvvvv",
    "01111111 10 x vvvvv 11x1 x 0 vvvvv vvvvv",
];

const SIMD_FP_INDEXED: &[&str] = &[
    "0x001111 10 x vvvvv 0x01 x 0 vvvvv vvvvv",
    "01001111 11 0 vvvvv 0x01 x 0 vvvvv vvvvv",
    "0x001111 00 x vvvvv 0x01 x 0 vvvvv vvvvv",
    "0xx01111 10 x vvvvv 1001 x 0 vvvvv vvvvv",
    "01x01111 11 0 vvvvv 1001 x 0 vvvvv vvvvv",
    "0xx01111 00 x vvvvv 1001 x 0 vvvvv vvvvv",
    "01011111 10 x vvvvv 0x01 x 0 vvvvv vvvvv",
    "01011111 11 0 vvvvv 0x01 x 0 vvvvv vvvvv",
    "01011111 00 x vvvvv 0x01 x 0 vvvvv vvvvv",
    "01x11111 10 x vvvvv 1001 x 0 vvvvv vvvvv",
    "01x11111 11 0 vvvvv 1001 x 0 vvvvv vvvvv",
    "01x11111 00 x vvvvv 1001 x 0 vvvvv vvvvv",
];

const CRYPTO: &[&str] = &[
    "01001110 00 10100 001xx 10 vvvvv vvvvv", // aes
    "01001110 00 10100 001xx 10 vvvvv vvvvv",
    "01011110 000 vvvvv 0 xxx 00 vvvvv vvvvv", // sha1, sha256
    "01011110 00 10100 0000x 10 vvvvv vvvvv",
    "01011110 00 10100 00010 10 vvvvv vvvvv",
    "11001110011 vvvvv 1000 xx vvvvv vvvvv",   // sha512, rax1
    "11001110011 vvvvv 1100 0x vvvvv vvvvv",   // sm3partw
    "11001110011 vvvvv 1100 10 vvvvv vvvvv",   // sm4ekey
    "11001110010 vvvvv 10 xxxx vvvvv vvvvv",   // sm3tt
    "110011100 0x vvvvv 0 vvvvv vvvvv vvvvv",  // eor3, bcax
    "110011100 10 vvvvv 0 vvvvv vvvvv vvvvv",  // sm3ss1
    "11001110100 vvvvv xxxxxx vvvvv vvvvv",    // xar
    "1100111011000000 1000 0x vvvvv vvvvv",    // sha512su0, sm4e
    "0x001110 00 1 vvvvv 1110 00 vvvvv vvvvv", // pmull
    "0x001110 11 1 vvvvv 1110 00 vvvvv vvvvv",
];

fn loads_and_stores() -> Vec<Class> {
    use Mode::{Aligned, Base, Index, Literal, Post, PostIndex, Pre, Signed, Unsigned};
    let leak = |s: String| -> &'static str { Box::leak(s.into_boxed_str()) };
    let mut integer = Vec::new();
    let mut vector = Vec::new();
    let mut forms = |size: &str, v: char, opc: &str, register: &str, log: u32| {
        let list = if v == '0' { &mut integer } else { &mut vector };
        let bytes = 1 << log;
        let head = format!("{size} 111 {v}");
        let mut add = |bits: String, mode| list.push(memory(leak(bits), mode, bytes));
        add(format!("{head} 01 {opc} oooooooooooo bbbbb {register}"), Unsigned(log));
        add(format!("{head} 00 {opc} 0 ooooooooo 00 bbbbb {register}"), Signed(0));
        add(format!("{head} 00 {opc} 0 ooooooooo 01 bbbbb {register}"), Post(0));
        add(format!("{head} 00 {opc} 0 ooooooooo 11 bbbbb {register}"), Pre(0));
        add(format!("{head} 00 {opc} 1 iiiii x1x x 10 bbbbb {register}"), Index(log));
        if v == '0' {
            add(format!("{head} 00 {opc} 0 ooooooooo 10 bbbbb {register}"), Signed(0)); // unprivileged
        }
    };
    for (log, size) in ["00", "01", "10", "11"].into_iter().enumerate() {
        for opc in ["00", "01", "10", "11"] {
            if opc < "10" || log < 2 || (log == 2 && opc == "10") {
                forms(size, '0', opc, "ddddd", log as u32);
            }
        }
        forms(size, '1', "00", "vvvvv", log as u32);
        forms(size, '1', "01", "vvvvv", log as u32);
    }
    forms("00", '1', "10", "vvvvv", 4);
    forms("00", '1', "11", "vvvvv", 4);
    integer.extend([
        memory("00 011 0 00 ooooooooooooooooooo ddddd", Literal, 4),
        memory("01 011 0 00 ooooooooooooooooooo ddddd", Literal, 8),
        memory("10 011 0 00 ooooooooooooooooooo ddddd", Literal, 4),
        plain("11 111 0 01 10 xxxxxxxxxxxx nnnnn xxxxx"), // prfm
        plain("11 011 0 00 xxxxxxxxxxxxxxxxxxx xxxxx"),
        plain("11 111 0 00 10 0 xxxxxxxxx 00 nnnnn xxxxx"),
    ]);
    vector.extend([
        memory("00 011 1 00 ooooooooooooooooooo vvvvv", Literal, 4),
        memory("01 011 1 00 ooooooooooooooooooo vvvvv", Literal, 8),
        memory("10 011 1 00 ooooooooooooooooooo vvvvv", Literal, 16),
    ]);

    let mut pairs = Vec::new();
    let pair = |list: &mut Vec<Pattern>, opc: &str, v: char, l: &str, log: u32, registers: [&str; 2]| {
        for (form, mode) in [("000", Signed(log)), ("001", Post(log)), ("010", Signed(log)), ("011", Pre(log))] {
            let [second, first] = registers;
            let bits = format!("{opc} 101 {v} {form} {l} ooooooo {second} bbbbb {first}");
            list.push(memory(leak(bits), mode, 2 << log));
        }
    };
    let general = ["eeeee", "ddddd"];
    pair(&mut pairs, "00", '0', "x", 2, general);
    pair(&mut pairs, "10", '0', "x", 3, general);
    pair(&mut pairs, "01", '0', "1", 2, general); // ldpsw; "000" is unallocated
    for (log, opc) in [(2, "00"), (3, "01"), (4, "10")] {
        pair(&mut vector, opc, '1', "0", log, ["vvvvv", "vvvvv"]);
        pair(&mut vector, opc, '1', "1", log, ["wwwww", "vvvvv"]);
    }

    let mut atomics = Vec::new();
    let mut ordered = Vec::new();
    for (log, size) in ["00", "01", "10", "11"].into_iter().enumerate() {
        let bytes = 1 << log;
        let mut add = |bits: String| atomics.push(memory(leak(bits), Aligned, bytes));
        add(format!("{size} 111 000 xx 1 nnnnn 0xxx 00 bbbbb ddddd"));
        add(format!("{size} 111 000 xx 1 nnnnn 1000 00 bbbbb ddddd"));
        add(format!("{size} 001000 1x1 eeeee x 11111 bbbbb ddddd")); // cas
        let mut add = |bits: String, mode| ordered.push(memory(leak(bits), mode, bytes));
        add(format!("{size} 111 000 101 11111 1100 00 bbbbb ddddd"), Aligned); // ldapr
        add(format!("{size} 001000 1x0 11111 x 11111 bbbbb ddddd"), Aligned); // stlr, ldar
        add(format!("{size} 001000 000 ddddd x 11111 bbbbb nnnnn"), Aligned); // stxr, alone
        add(format!("{size} 001000 010 11111 x 11111 bbbbb ddddd"), Aligned);
        for opc in ["00", "01", "10", "11"] {
            if opc < "10" || log < 2 || (log == 2 && opc == "10") {
                add(format!("{size} 011001 {opc} 0 ooooooooo 00 bbbbb ddddd"), Signed(0)); // ldapur, stlur
            }
        }
    }
    atomics.push(memory("00 001000 0x1 eeee0 x 11111 bbbbb dddd0", Aligned, 8)); // casp
    atomics.push(memory("01 001000 0x1 eeee0 x 11111 bbbbb dddd0", Aligned, 16));
    ordered.push(memory("10 001000 011 11111 x eeeee bbbbb ddddd", Aligned, 8)); // ldxp
    ordered.push(memory("11 001000 011 11111 x eeeee bbbbb ddddd", Aligned, 16));
    ordered.push(memory("10 001000 001 ddddd x nnnnn bbbbb nnnnn", Aligned, 8)); // stxp, alone
    ordered.push(memory(DC_ZVA, Base, 64));
    ordered.push(memory("1101 0101 0000 1011 0111 1010 001 bbbbb", Base, 1)); // dc cvac
    ordered.push(memory("1101 0101 0000 1011 0111 1011 001 bbbbb", Base, 1)); // dc cvau
    ordered.push(memory("1101 0101 0000 1011 0111 1110 001 bbbbb", Base, 1)); // dc civac

    let mut structures = Vec::new();
    for opcode in ["0000", "0010", "0100", "0110", "0111", "1000", "1010"] {
        structures.push(memory(leak(format!("0x 0011000 x 000000 {opcode} xx bbbbb vvvvv")), Base, 64));
        structures.push(memory(leak(format!("0x 0011001 x 0 iiiii {opcode} xx bbbbb vvvvv")), PostIndex, 64));
    }
    for tail in ["00x x xx", "01x x x0", "10x x 00", "10x 0 01"] {
        structures.push(memory(leak(format!("0x 0011010 x x 00000 {tail} bbbbb vvvvv")), Base, 32));
        structures.push(memory(leak(format!("0x 0011011 x x iiiii {tail} bbbbb vvvvv")), PostIndex, 32));
    }
    structures.push(memory("0x 0011010 1 x 00000 11x 0 xx bbbbb vvvvv", Base, 32));
    structures.push(memory("0x 0011011 1 x iiiii 11x 0 xx bbbbb vvvvv", PostIndex, 32));

    let class = |name, idioms: &[Idiom], patterns| Class { name, patterns, idioms: idioms.to_vec() };
    vec![
        class("memory_register", &[], integer),
        class("memory_pair", &[], pairs),
        class("memory_vector", &[], vector),
        class("memory_structure", &[], structures),
        class("memory_atomic", &[], atomics),
        class("memory_ordered", &[Idiom::Exclusive], ordered),
    ]
}
