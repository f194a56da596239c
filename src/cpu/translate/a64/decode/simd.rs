//! AdvSIMD and cryptographic data processing: the encoding class of a word and its fields (Arm ARM C4.1, "Data
//! Processing -- Scalar Floating-Point and Advanced SIMD"). What a class allows stands with its semantics.

/// A class of encodings, named as in the Arm ARM. The classes hold the floating-point instructions of their opcodes as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Advanced SIMD copy: DUP, INS, SMOV, UMOV.
    Copy,
    /// Advanced SIMD scalar copy: DUP (element).
    ScalarCopy,
    /// TBL, TBX.
    Table,
    /// ZIP, UZP, TRN.
    Permute,
    /// EXT.
    Extract,
    /// Three registers of the same type.
    ThreeSame(Form),
    /// Three registers of the same type, FEAT_RDM, FEAT_DotProd, FEAT_I8MM (and FCMLA, FCADD, BFDOT).
    ThreeSameExtra(Form),
    /// Three registers, not all of the same type.
    ThreeDifferent(Form),
    /// Two registers, miscellaneous.
    TwoMisc(Form),
    /// Scalar pairwise: ADDP.
    ScalarPairwise,
    /// Across lanes.
    Across,
    /// Vector by indexed element.
    Indexed(Form),
    /// Modified immediate.
    ModifiedImmediate,
    /// Shift by immediate.
    ShiftImmediate(Form),
    /// AESE, AESD, AESMC, AESIMC.
    Aes,
    /// SHA1 and SHA256 of three registers.
    Sha3Reg,
    /// SHA1 and SHA256 of two registers.
    Sha2Reg,
    /// SHA512, RAX1, SM3PARTW, SM4EKEY.
    Sha512ThreeReg,
    /// SHA512SU0, SM4E.
    Sha512TwoReg,
    /// SM3TT.
    ThreeRegImm2,
    /// EOR3, BCAX, SM3SS1.
    FourReg,
    /// XAR.
    Xar,
}

/// Whether an instruction works on one element or on all of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The lowest element only; the rest of the result is zero.
    Scalar,
    /// Every element of 64 or 128 bits.
    Vector,
}

/// How the bits of an element are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Two's complement.
    Signed,
    /// Plain binary.
    Unsigned,
}

/// An instruction word with the fields that the classes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u32);

impl Word {
    /// The `count` bits from bit `low` up.
    pub fn bits(self, low: u32, count: u32) -> u32 {
        self.0 >> low & ((1 << count) - 1)
    }

    /// Bit `n`.
    pub fn bit(self, n: u32) -> bool {
        self.0 >> n & 1 != 0
    }

    /// Q: 128 bits, not 64.
    pub fn q(self) -> bool {
        self.bit(30)
    }

    /// U as it is.
    pub fn u(self) -> bool {
        self.bit(29)
    }

    /// U where it says how elements are read.
    pub fn sign(self) -> Sign {
        if self.u() { Sign::Unsigned } else { Sign::Signed }
    }

    /// The size field: log2 of an element's bytes.
    pub fn size(self) -> u32 {
        self.bits(22, 2)
    }

    /// Rd.
    pub fn rd(self) -> usize {
        self.bits(0, 5) as usize
    }

    /// Rn.
    pub fn rn(self) -> usize {
        self.bits(5, 5) as usize
    }

    /// Rm.
    pub fn rm(self) -> usize {
        self.bits(16, 5) as usize
    }

    /// Ra of the classes with four registers.
    pub fn ra(self) -> usize {
        self.bits(10, 5) as usize
    }
}

/// The class of a word, `None` for what no class of this file holds. A word of a class can still be unallocated.
pub fn classify(word: u32) -> Option<Class> {
    let w = Word(word);
    match word >> 24 & 0x9f {
        // Vector, 0Qx0 1110.
        0x0e => vector(w),
        // Vector, 0Qx0 1111: immediates and indexed elements.
        0x0f if !w.bit(10) => Some(Class::Indexed(Form::Vector)),
        0x0f if w.bit(23) => None,
        0x0f if w.bits(19, 4) == 0 => Some(Class::ModifiedImmediate),
        0x0f => Some(Class::ShiftImmediate(Form::Vector)),
        // Scalar, 01x1 1110 and 01x1 1111.
        0x1e if w.q() => scalar(w),
        0x1f if !w.q() => None,
        0x1f if !w.bit(10) => Some(Class::Indexed(Form::Scalar)),
        0x1f if w.bit(23) || w.bits(19, 4) == 0 => None,
        0x1f => Some(Class::ShiftImmediate(Form::Scalar)),
        // 1100 1110: the later cryptographic extensions.
        0x8e if word >> 24 == 0xce => later_crypto(w),
        _ => None,
    }
}

fn vector(w: Word) -> Option<Class> {
    let two_reg = w.bits(17, 4);
    match (w.bit(21), w.bits(10, 2)) {
        (true, 0b00) => Some(Class::ThreeDifferent(Form::Vector)),
        (true, 0b01 | 0b11) => Some(Class::ThreeSame(Form::Vector)),
        (true, _) if two_reg == 0b0000 => Some(Class::TwoMisc(Form::Vector)),
        (true, _) if two_reg == 0b1000 => Some(Class::Across),
        (true, _) if two_reg == 0b0100 && w.0 >> 24 == 0x4e => Some(Class::Aes),
        (true, _) => None,
        (false, 0b01 | 0b11) if w.bit(15) => Some(Class::ThreeSameExtra(Form::Vector)),
        (false, 0b01 | 0b11) if w.bits(22, 2) == 0 => Some(Class::Copy),
        (false, 0b01 | 0b11) => None,
        (false, low) => match (w.u(), w.bits(22, 2), w.bit(15), low) {
            (false, 0, false, 0b00) => Some(Class::Table),
            (false, _, false, 0b10) => Some(Class::Permute),
            (true, 0, false, _) => Some(Class::Extract),
            _ => None,
        },
    }
}

fn scalar(w: Word) -> Option<Class> {
    let two_reg = w.bits(17, 4);
    match (w.bit(21), w.bits(10, 2)) {
        (true, 0b00) => Some(Class::ThreeDifferent(Form::Scalar)),
        (true, 0b01 | 0b11) => Some(Class::ThreeSame(Form::Scalar)),
        (true, _) if two_reg == 0b0000 => Some(Class::TwoMisc(Form::Scalar)),
        (true, _) if two_reg == 0b1000 => Some(Class::ScalarPairwise),
        (true, _) if two_reg == 0b0100 && !w.u() => Some(Class::Sha2Reg),
        (true, _) => None,
        (false, 0b01 | 0b11) if w.bit(15) => Some(Class::ThreeSameExtra(Form::Scalar)),
        (false, 0b01 | 0b11) if w.bits(22, 2) == 0 => Some(Class::ScalarCopy),
        (false, 0b00) if !w.u() && !w.bit(15) => Some(Class::Sha3Reg),
        (false, _) => None,
    }
}

fn later_crypto(w: Word) -> Option<Class> {
    match w.bits(21, 3) {
        0b010 if w.bits(14, 2) == 0b10 => Some(Class::ThreeRegImm2),
        0b011 if w.bit(15) && w.bits(12, 2) == 0 => Some(Class::Sha512ThreeReg),
        0b100 => Some(Class::Xar),
        0b110 if w.bits(12, 9) == 0b0_0000_1000 => Some(Class::Sha512TwoReg),
        0b000..=0b010 if !w.bit(15) => Some(Class::FourReg),
        _ => None,
    }
}
