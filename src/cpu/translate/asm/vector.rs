//! VEX-encoded instructions, and the few legacy ones that VEX does not have.

use super::*;

impl Asm {
    pub(super) fn vex(&mut self, op: Vex, reg: u8, v: u8, x: u8, b: u8) {
        self.clobbered |= op.flags;
        let last = u8::from(op.w) << 7 | (!v & 15) << 3 | u8::from(op.l256) << 2 | op.pp as u8;
        let not_r = (reg >> 3 ^ 1) << 7;
        if x == 0 && b == 0 && !op.w && op.map == Map::M0f {
            self.bytes(&[0xc5, not_r | last]);
        } else {
            self.bytes(&[0xc4, not_r | (x ^ 1) << 6 | (b ^ 1) << 5 | op.map as u8, last]);
        }
        self.byte(op.opcode);
    }

    pub(super) fn vex_rm(&mut self, op: Vex, reg: u8, v: u8, rm: Rm) {
        self.segment(&rm);
        let (x, b) = extension(&rm);
        self.vex(op, reg, v, x, b);
        self.modrm(reg, &rm);
    }

    /// `op dst, a, b` on vector registers; for two-operand forms see [`Asm::vex2`].
    pub fn vex3(&mut self, op: Vex, dst: Xmm, a: Xmm, b: impl Into<Xm>) {
        self.vex_rm(op, dst.0, a.0, as_rm(b.into()));
    }

    /// `op dst, a, b, imm8`; also for the forms with a fourth register (`imm8 = reg << 4`).
    pub fn vex3i(&mut self, op: Vex, dst: Xmm, a: Xmm, b: impl Into<Xm>, imm: u8) {
        self.tail = 1;
        self.vex_rm(op, dst.0, a.0, as_rm(b.into()));
        self.byte(imm);
    }

    /// `op dst, src` (or `op [mem], src` for store forms, with the register first).
    pub fn vex2(&mut self, op: Vex, reg: Xmm, rm: impl Into<Xm>) {
        self.vex_rm(op, reg.0, 0, as_rm(rm.into()));
    }

    /// `op dst, src, imm8`.
    pub fn vex2i(&mut self, op: Vex, reg: Xmm, rm: impl Into<Xm>, imm: u8) {
        self.tail = 1;
        self.vex_rm(op, reg.0, 0, as_rm(rm.into()));
        self.byte(imm);
    }

    /// `op dst, src, imm8` where the instruction is chosen by `/digit` and `dst` stands in `vvvv` (shifts by constants).
    pub fn vex_shift(&mut self, op: Vex, digit: u8, dst: Xmm, src: Xmm, imm: u8) {
        self.tail = 1;
        self.vex_rm(op, digit, dst.0, as_rm(Xm::Reg(src)));
        self.byte(imm);
    }

    /// `op xmm, rm` with a general register or memory as the source (`vmovd`, `vcvtsi2sd` has [`Asm::vex3_gpr`]).
    pub fn vex2_gpr(&mut self, op: Vex, reg: Xmm, rm: impl Into<Rm>) {
        self.vex_rm(op, reg.0, 0, rm.into());
    }

    /// `op dst, a, rm` with a general register or memory as the last source.
    pub fn vex3_gpr(&mut self, op: Vex, dst: Xmm, a: Xmm, rm: impl Into<Rm>) {
        self.vex_rm(op, dst.0, a.0, rm.into());
    }

    /// The same with an immediate byte (`vpinsr*`).
    pub fn vex3i_gpr(&mut self, op: Vex, dst: Xmm, a: Xmm, rm: impl Into<Rm>, imm: u8) {
        self.tail = 1;
        self.vex_rm(op, dst.0, a.0, rm.into());
        self.byte(imm);
    }

    /// `op gpr, xmm|mem` (`vcvttsd2si`, `vpmovmskb`, `vmovmskps`).
    pub fn vex_to_gpr(&mut self, op: Vex, dst: Gpr, src: impl Into<Xm>) {
        self.vex_rm(op, dst as u8, 0, as_rm(src.into()));
    }

    /// `op rm, xmm, imm8` with the vector register in `reg` (`vpextr*`).
    pub fn vex2i_gpr(&mut self, op: Vex, reg: Xmm, rm: impl Into<Rm>, imm: u8) {
        self.tail = 1;
        self.vex_rm(op, reg.0, 0, rm.into());
        self.byte(imm);
    }

    pub(super) fn vex_general(&mut self, op: Vex, width: Width, reg: Gpr, v: Gpr, rm: Rm) {
        let op = Vex { w: width == Width::W64, ..op };
        self.vex_rm(op, reg as u8, v as u8, rm);
    }

    /// `shlx|shrx|sarx dst, src, count`: no flags.
    pub fn shiftx(&mut self, op: ShiftX, width: Width, dst: Gpr, src: impl Into<Rm>, count: Gpr) {
        let pp = match op {
            ShiftX::Shlx => Pp::P66,
            ShiftX::Shrx => Pp::Pf2,
            ShiftX::Sarx => Pp::Pf3,
        };
        self.vex_general(Vex::new(Map::M0f38, pp, 0xf7), width, dst, count, src.into());
    }

    /// `rorx dst, src, count`: no flags.
    pub fn rorx(&mut self, width: Width, dst: Gpr, src: impl Into<Rm>, count: u8) {
        self.tail = 1;
        self.vex_general(Vex::new(Map::M0f3a, Pp::Pf2, 0xf0), width, dst, Gpr::Rax, src.into());
        self.byte(count);
    }

    /// `pdep dst, src, mask`: no flags.
    pub fn pdep(&mut self, width: Width, dst: Gpr, src: Gpr, mask: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf2, 0xf5), width, dst, src, mask.into());
    }

    /// `pext dst, src, mask`: no flags.
    pub fn pext(&mut self, width: Width, dst: Gpr, src: Gpr, mask: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf3, 0xf5), width, dst, src, mask.into());
    }

    /// `mulx high, low, src`: `rdx` times `src`, no flags.
    pub fn mulx(&mut self, width: Width, high: Gpr, low: Gpr, src: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf2, 0xf6), width, high, low, src.into());
    }

    /// `andn dst, a, b`: `!a & b`; changes flags.
    pub fn andn(&mut self, width: Width, dst: Gpr, a: Gpr, b: impl Into<Rm>) {
        self.clobbered = true;
        self.vex_general(Vex::new(Map::M0f38, Pp::None, 0xf2), width, dst, a, b.into());
    }

    /// Legacy SSE forms that VEX does not have (`sha256rnds2` and such): `[pp] 0F.. opcode reg, rm`.
    pub fn sse(&mut self, map: Map, pp: Pp, opcode: u8, reg: Xmm, rm: impl Into<Xm>) {
        let rm = as_rm(rm.into());
        let prefix = match pp {
            Pp::None => None,
            Pp::P66 => Some(0x66),
            Pp::Pf3 => F3,
            Pp::Pf2 => Some(0xf2),
        };
        match map {
            Map::M0f => self.op(prefix, Width::W32, &[0x0f, opcode], reg.0, rm),
            Map::M0f38 => self.op(prefix, Width::W32, &[0x0f, 0x38, opcode], reg.0, rm),
            Map::M0f3a => self.op(prefix, Width::W32, &[0x0f, 0x3a, opcode], reg.0, rm),
        }
    }

    /// The immediate byte of a legacy form.
    pub fn imm8(&mut self, imm: u8) {
        self.byte(imm);
    }
}
