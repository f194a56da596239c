//! Every form, with every register in every place, is decoded by iced-x86 to what was meant.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic as M, OpKind, Register};

use super::*;

const ALL: [Gpr; 16] = {
    use Gpr::*;
    [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
};

const BASE: u64 = 0x40_0000;

/// Assembles one instruction and decodes it.
fn one(mnemonic: M, emit: impl FnOnce(&mut Asm)) -> Instruction {
    let mut asm = Asm::new(BASE);
    emit(&mut asm);
    let code = asm.finish().to_vec();
    let decoded = Decoder::with_ip(64, &code, BASE, DecoderOptions::NONE).decode();
    assert_eq!(decoded.mnemonic(), mnemonic, "{code:02x?}");
    assert_eq!(decoded.len(), code.len(), "{code:02x?}");
    decoded
}

fn full(reg: Register) -> Register {
    reg.full_register()
}

fn is(reg: Register, gpr: Gpr) -> bool {
    reg.is_gpr() && full(reg).number() == gpr as usize
}

/// All shapes of memory operands.
fn memories() -> Vec<Mem> {
    let mut all = Vec::new();
    for base in ALL {
        for disp in [0, 8, -128, 127, 128, -70_000, 0x1234_5678] {
            all.extend([Mem::host(base, disp), Mem::guest(base, disp)]);
        }
        for index in ALL.into_iter().filter(|i| *i != Gpr::Rsp) {
            all.extend([0, 1, 2, 3].map(|scale| Mem::guest(base, 16).indexed(index, scale)));
        }
    }
    all
}

fn check_memory(decoded: &Instruction, mem: Mem) {
    assert!(is(decoded.memory_base(), mem.base), "{decoded:?} {mem:?}");
    assert_eq!(decoded.memory_displacement64() as i64, i64::from(mem.disp));
    match mem.index {
        None => assert_eq!(decoded.memory_index(), Register::None),
        Some((index, scale)) => {
            assert!(is(decoded.memory_index(), index));
            assert_eq!(decoded.memory_index_scale(), 1 << scale);
        }
    }
    let segment = if mem.segment == Segment::Guest { Register::GS } else { Register::None };
    assert_eq!(decoded.segment_prefix(), segment);
}

#[test]
fn memory_operands() {
    for mem in memories() {
        check_memory(&one(M::Mov, |a| a.mov(Width::W64, Gpr::R9, mem)), mem);
        for (size, bytes) in [(Size::B1, 1), (Size::B2, 2), (Size::B4, 4), (Size::B8, 8)] {
            let decoded = one(M::Mov, |a| a.store(size, mem, Gpr::Rsi));
            check_memory(&decoded, mem);
            assert_eq!(decoded.memory_size().size(), bytes);
            assert!(is(decoded.op1_register(), Gpr::Rsi));
            check_memory(&one(M::Xadd, |a| a.atomic(Atomic::Xadd, size, mem, Gpr::Rdi)), mem);
            check_memory(&one(M::Cmpxchg, |a| a.atomic(Atomic::Cmpxchg, size, mem, Gpr::R8)), mem);
        }
        check_memory(&one(M::Vpaddd, |a| a.vex3(Vex::new(Map::M0f, Pp::P66, 0xfe), Xmm(9), Xmm(3), mem)), mem);
        check_memory(&one(M::Vpshufb, |a| a.vex3(Vex::new(Map::M0f38, Pp::P66, 0x00), Xmm(1), Xmm(12), mem)), mem);
        check_memory(&one(M::Crc32, |a| a.crc32(Size::B2, Gpr::Rcx, mem)), mem);
        check_memory(&one(M::Movbe, |a| a.load_be(Width::W32, Gpr::R12, mem)), mem);
        check_memory(&one(M::Pdep, |a| a.pdep(Width::W64, Gpr::Rdx, Gpr::R14, mem)), mem);
    }
}

#[test]
fn two_registers() {
    for a in ALL {
        for b in ALL {
            for width in [Width::W32, Width::W64] {
                let two = |m: M, emit: &dyn Fn(&mut Asm)| {
                    let decoded = one(m, emit);
                    assert!(is(decoded.op0_register(), a) && is(decoded.op1_register(), b), "{decoded:?}");
                    let bytes = if width == Width::W64 { 8 } else { 4 };
                    assert_eq!(decoded.op0_register().size(), bytes);
                };
                for (op, m) in [(Alu::Add, M::Add), (Alu::Adc, M::Adc), (Alu::Sbb, M::Sbb), (Alu::Xor, M::Xor)] {
                    two(m, &|s| s.alu(op, width, a, b));
                }
                two(M::Imul, &|s| s.imul(width, a, b));
                two(M::Cmovle, &|s| s.cmov(Cc::Le, width, a, b));
                two(M::Movsx, &|s| s.load_sx(Size::B1, width, a, b));
                two(M::Lzcnt, &|s| s.count(Count::Lzcnt, width, a, b));
                two(M::Tzcnt, &|s| s.count(Count::Tzcnt, width, a, b));
                two(M::Popcnt, &|s| s.count(Count::Popcnt, width, a, b));
                two(M::Rorx, &|s| s.rorx(width, a, b, 7));
                two(M::Shrd, &|s| s.shrd(width, a, b, 9));
                let three = one(M::Sarx, |s| s.shiftx(ShiftX::Sarx, width, a, b, Gpr::R11));
                assert!(is(three.op0_register(), a) && is(three.op1_register(), b));
                assert!(is(three.op2_register(), Gpr::R11));
                let three = one(M::Andn, |s| s.andn(width, a, b, Gpr::R13));
                assert!(is(three.op1_register(), b) && is(three.op2_register(), Gpr::R13));
                let three = one(M::Mulx, |s| s.mulx(width, a, b, Gpr::Rsp));
                assert!(is(three.op0_register(), a) && is(three.op1_register(), b));
            }
            let zx = one(M::Movzx, |s| s.load_zx(Size::B1, a, b));
            assert!(is(zx.op0_register(), a) && is(zx.op1_register(), b));
            assert_eq!(zx.op1_register().size(), 1);
            assert!(!matches!(zx.op1_register(), Register::AH | Register::CH | Register::DH | Register::BH));
        }
    }
}

#[test]
fn one_register() {
    for a in ALL {
        for value in [0, 1, 0x7fff_ffff, 0x8000_0000, u64::from(u32::MAX), u64::MAX, 1 << 63, 0x1234_5678_9abc_def0] {
            let decoded = one(M::Mov, |s| s.mov_imm(a, value));
            assert!(is(decoded.op0_register(), a));
            assert_eq!(decoded.immediate(1), value);
        }
        for value in [-129, -128, 0, 127, 128, i32::MIN] {
            let decoded = one(M::Sub, |s| s.alu_imm(Alu::Sub, Width::W64, a, value));
            assert!(is(decoded.op0_register(), a));
            assert_eq!(decoded.immediate(1) as i64, i64::from(value));
        }
        let set = one(M::Setb, |s| s.setcc(Cc::B, a));
        assert!(is(set.op0_register(), a) && set.op0_register().size() == 1);
        for (op, m) in [(Shift::Rol, M::Rol), (Shift::Ror, M::Ror), (Shift::Shl, M::Shl), (Shift::Sar, M::Sar)] {
            assert!(is(one(m, |s| s.shift_imm(op, Width::W32, a, 5)).op0_register(), a));
            assert!(is(one(m, |s| s.shift_cl(op, Width::W64, a)).op0_register(), a));
        }
        for (op, m) in [(Unary::Not, M::Not), (Unary::Neg, M::Neg), (Unary::Mul, M::Mul), (Unary::Idiv, M::Idiv)] {
            assert!(is(one(m, |s| s.unary(op, Width::W64, a)).op0_register(), a));
        }
        assert!(is(one(M::Bswap, |s| s.bswap(Width::W64, a)).op0_register(), a));
        assert!(is(one(M::Push, |s| s.push(a)).op0_register(), a));
        assert!(is(one(M::Pop, |s| s.pop(a)).op0_register(), a));
        assert!(is(one(M::Jmp, |s| s.jmp_rm(a)).op0_register(), a));
        assert!(is(one(M::Call, |s| s.call_rm(a)).op0_register(), a));
    }
}

#[test]
fn vectors() {
    let number = |r: Register| r.number() as u8;
    for (a, b, c) in (0..16).flat_map(|a| (0..16).flat_map(move |b| (0..16).map(move |c| (Xmm(a), Xmm(b), Xmm(c))))) {
        let d = one(M::Vaddpd, |s| s.vex3(Vex::new(Map::M0f, Pp::P66, 0x58), a, b, c));
        assert_eq!((number(d.op0_register()), number(d.op1_register()), number(d.op2_register())), (a.0, b.0, c.0));
        let d = one(M::Vfmadd231sd, |s| s.vex3(Vex::new(Map::M0f38, Pp::P66, 0xb9).w1(), a, b, c));
        assert_eq!((number(d.op0_register()), number(d.op1_register()), number(d.op2_register())), (a.0, b.0, c.0));
        let d = one(M::Vpaddq, |s| s.vex3(Vex::new(Map::M0f, Pp::P66, 0xd4).l1(), a, b, c));
        assert!(d.op0_register().is_ymm());
        let d = one(M::Vpsrldq, |s| s.vex_shift(Vex::new(Map::M0f, Pp::P66, 0x73), 3, a, b, 4));
        assert_eq!((number(d.op0_register()), number(d.op1_register())), (a.0, b.0));
        let d = one(M::Sha256rnds2, |s| s.sse(Map::M0f38, Pp::None, 0xcb, a, b));
        assert_eq!((number(d.op0_register()), number(d.op1_register())), (a.0, b.0));
    }
    for (x, g) in (0..16).flat_map(|x| ALL.map(|g| (Xmm(x), g))) {
        let d = one(M::Vmovq, |s| s.vex2_gpr(Vex::new(Map::M0f, Pp::P66, 0x6e).w1(), x, g));
        assert!(number(d.op0_register()) == x.0 && is(d.op1_register(), g));
        let d = one(M::Vpinsrb, |s| s.vex3i_gpr(Vex::new(Map::M0f3a, Pp::P66, 0x20), x, x, g, 3));
        assert!(number(d.op0_register()) == x.0 && is(d.op2_register(), g));
        let d = one(M::Vcvttsd2si, |s| s.vex_to_gpr(Vex::new(Map::M0f, Pp::Pf2, 0x2c).w1(), g, x));
        assert!(is(d.op0_register(), g) && number(d.op1_register()) == x.0);
    }
}

#[test]
fn jumps() {
    for cc in Cc::ALL {
        assert_eq!(cc.opposite().opposite(), cc);
        let mut asm = Asm::new(BASE);
        let (back, ahead) = (asm.label(), asm.label());
        asm.bind(back);
        asm.jcc(cc, ahead);
        asm.jmp(back);
        asm.bind(ahead);
        asm.jmp_to(BASE + 0x1000);
        let code = asm.finish().to_vec();
        let mut decoder = Decoder::with_ip(64, &code, BASE, DecoderOptions::NONE);
        let targets = [BASE + 11, BASE, BASE + 0x1000];
        for target in targets {
            let decoded = decoder.decode();
            assert_eq!(decoded.op0_kind(), OpKind::NearBranch64);
            assert_eq!(decoded.near_branch_target(), target);
        }
    }
}

#[test]
fn the_rest() {
    one(M::Lahf, Asm::lahf);
    one(M::Sahf, Asm::sahf);
    one(M::Cmc, Asm::cmc);
    one(M::Stc, Asm::stc);
    one(M::Clc, Asm::clc);
    one(M::Ret, Asm::ret);
    one(M::Ud2, Asm::ud2);
    one(M::Mfence, Asm::mfence);
    one(M::Lfence, Asm::lfence);
    one(M::Cqo, |a| a.sign_to_rdx(Width::W64));
    one(M::Cdq, |a| a.sign_to_rdx(Width::W32));
    one(M::Add, |a| a.add_al(0x7f));
    one(M::Ldmxcsr, |a| a.ldmxcsr(Mem::host(Gpr::Rbp, 300)));
    one(M::Stmxcsr, |a| a.stmxcsr(Mem::host(Gpr::Rbp, 300)));
    one(M::Cmpxchg16b, |a| a.cmpxchg_pair(Width::W64, Mem::guest(Gpr::Rdx, 0)));
    one(M::Xchg, |a| a.atomic(Atomic::Xchg, Size::B4, Mem::guest(Gpr::Rdx, 0), Gpr::Rcx));
    one(M::Or, |a| a.lock_alu(Alu::Or, Size::B1, Mem::guest(Gpr::Rdx, 0), Gpr::Rsi));
}
