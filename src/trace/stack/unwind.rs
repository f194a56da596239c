//! From a frame to the one that called it.

use super::object::{Object, Slice};
use crate::arch::Regs;
use crate::mem::{GuestAddr, Space};
use gimli::{
    BaseAddresses, CfaRule, DebugFrame, EhFrame, Encoding, EvaluationResult, Expression, Format, Location, Register,
    RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, Value,
};

/// DWARF's numbers of the registers that a frame needs (the psABI of each architecture).
#[derive(Clone, Copy)]
struct Numbers {
    stack_pointer: u16,
    frame_pointer: u16,
    return_address: u16,
    count: u16,
}

const X86_64: Numbers = Numbers { stack_pointer: 7, frame_pointer: 6, return_address: 16, count: 17 };
const AARCH64: Numbers = Numbers { stack_pointer: 31, frame_pointer: 29, return_address: 30, count: 32 };

/// DWARF's order of x86_64's registers in that of [`crate::arch::x86_64::Regs`].
const X86_64_ORDER: [usize; 16] = [0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];

/// The registers of a frame, by DWARF's numbers.
pub(super) struct Registers {
    values: [u64; 33],
    pc: u64,
    numbers: Numbers,
    /// The frame was interrupted by a signal: its program counter is not behind a call.
    exact: bool,
}

impl Registers {
    /// Those of a thread.
    pub(super) fn of(regs: &Regs) -> Registers {
        let mut values = [0; 33];
        match regs {
            Regs::X86_64(r) => {
                for (number, index) in X86_64_ORDER.into_iter().enumerate() {
                    values[number] = r.gpr[index];
                }
                Registers { values, pc: r.rip, numbers: X86_64, exact: true }
            }
            Regs::Aarch64(r) => {
                values[..31].copy_from_slice(&r.x);
                values[31] = r.sp;
                Registers { values, pc: r.pc, numbers: AARCH64, exact: true }
            }
        }
    }

    pub(super) fn pc(&self) -> u64 {
        self.pc
    }

    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    fn get(&self, register: Register) -> u64 {
        self.values.get(usize::from(register.0)).copied().unwrap_or(0)
    }

    /// Goes to the caller; whether there is one.
    pub(super) fn step(&mut self, space: &Space, object: Option<&Object>, vaddr: u64, bias: u64) -> bool {
        let (before, from) = (self.values[usize::from(self.numbers.stack_pointer)], self.pc);
        let done = object.and_then(|o| self.by_information(space, o, vaddr, bias));
        let done = done.unwrap_or_else(|| self.by_frame_pointer(space));
        // A stack that does not get shorter has no end; a function that keeps its return address in a register
        // and saves nothing has no frame.
        let after = self.values[usize::from(self.numbers.stack_pointer)];
        done && self.pc != 0 && (after > before || after == before && self.pc != from)
    }

    /// `None`: there is no call frame information for the address.
    fn by_information(&mut self, space: &Space, object: &Object, vaddr: u64, bias: u64) -> Option<bool> {
        let bases = BaseAddresses::default()
            .set_eh_frame(object.bases.eh_frame)
            .set_text(object.bases.text)
            .set_got(object.bases.got);
        if let Some(bytes) = &object.eh_frame {
            let mut section = EhFrame::from(bytes.clone());
            section.set_address_size(8);
            if let Some(done) = self.by_section(space, &section, &bases, vaddr, bias) {
                return Some(done);
            }
        }
        let mut section = DebugFrame::from(object.debug_frame.clone()?);
        section.set_address_size(8);
        self.by_section(space, &section, &bases, vaddr, bias)
    }

    fn by_section<S: UnwindSection<Slice>>(
        &mut self,
        space: &Space,
        section: &S,
        bases: &BaseAddresses,
        vaddr: u64,
        bias: u64,
    ) -> Option<bool> {
        let entry = section.fde_for_address(bases, vaddr, S::cie_from_offset).ok()?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(section, bases, &mut context, vaddr).ok()?;
        let encoding = Encoding { address_size: 8, format: Format::Dwarf32, version: 4 };
        let scope = Scope { space, bias, encoding };
        let expression = |e: &gimli::UnwindExpression<usize>| e.get(section).ok();
        Some(self.apply(row, &scope, expression, entry.is_signal_trampoline()).unwrap_or(false))
    }

    /// Carries out a row of the table; `None` when something cannot be read.
    fn apply(
        &mut self,
        row: &UnwindTableRow<usize>,
        scope: &Scope<'_>,
        expression: impl Fn(&gimli::UnwindExpression<usize>) -> Option<Expression<Slice>>,
        signal: bool,
    ) -> Option<bool> {
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => self.get(*register).wrapping_add_signed(*offset),
            CfaRule::Expression(e) => self.evaluate(expression(e)?, scope, None)?,
        };
        let mut next = self.values;
        next[usize::from(self.numbers.stack_pointer)] = cfa;
        let mut return_address = None;
        for number in 0..self.numbers.count {
            let Some(rule) = row.register(Register(number)) else { continue };
            let value = match rule {
                RegisterRule::Offset(offset) => scope.word(cfa.wrapping_add_signed(offset))?,
                RegisterRule::ValOffset(offset) => cfa.wrapping_add_signed(offset),
                RegisterRule::Register(other) => self.get(other),
                RegisterRule::Expression(e) => scope.word(self.evaluate(expression(&e)?, scope, Some(cfa))?)?,
                RegisterRule::ValExpression(e) => self.evaluate(expression(&e)?, scope, Some(cfa))?,
                // Others keep what they have; in the outermost frame there is nowhere to return to.
                _ => continue,
            };
            if number == self.numbers.return_address {
                return_address = Some(value);
            }
            if let Some(slot) = next.get_mut(usize::from(number)) {
                *slot = value;
            }
        }
        // A leaf function of aarch64 has its return address still in the link register.
        let link = self.numbers.return_address == AARCH64.return_address
            && matches!(row.register(Register(self.numbers.return_address)), None | Some(RegisterRule::SameValue));
        let pc = return_address.or_else(|| link.then(|| self.get(Register(self.numbers.return_address))))?;
        self.values = next;
        self.pc = pc;
        self.exact = signal;
        Some(true)
    }

    /// The frame pointer points to the caller's, and behind that lies the return address.
    fn by_frame_pointer(&mut self, space: &Space) -> bool {
        let frame = self.values[usize::from(self.numbers.frame_pointer)];
        let word = |at: u64| {
            let mut b = [0; 8];
            space.read(GuestAddr(at), &mut b).is_ok().then(|| u64::from_le_bytes(b))
        };
        if frame == 0 || !frame.is_multiple_of(8) || frame < self.values[usize::from(self.numbers.stack_pointer)] {
            return false;
        }
        let (Some(saved), Some(pc)) = (word(frame), frame.checked_add(8).and_then(word)) else { return false };
        self.values[usize::from(self.numbers.frame_pointer)] = saved;
        self.values[usize::from(self.numbers.stack_pointer)] = frame.wrapping_add(16);
        self.pc = pc;
        self.exact = false;
        true
    }

    /// The value of an expression, on a stack that begins with `first`.
    fn evaluate(&self, expression: Expression<Slice>, scope: &Scope<'_>, first: Option<u64>) -> Option<u64> {
        const STEPS: usize = 1000;
        let mut evaluation = expression.evaluation(scope.encoding);
        evaluation.set_max_iterations(STEPS as u32);
        if let Some(first) = first {
            evaluation.set_initial_value(first);
        }
        let mut result = evaluation.evaluate().ok()?;
        for _ in 0..STEPS {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    evaluation.resume_with_register(Value::Generic(self.get(register))).ok()?
                }
                EvaluationResult::RequiresMemory { address, size, .. } => {
                    let bits = 8 * u32::from(size.min(8));
                    let mask = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
                    evaluation.resume_with_memory(Value::Generic(scope.word(address)? & mask)).ok()?
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(address.wrapping_add(scope.bias)).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.result().first()?.location {
            Location::Address { address } => Some(address),
            Location::Value { value: Value::Generic(v) } => Some(v),
            _ => None,
        }
    }
}

/// What expressions may look at.
struct Scope<'a> {
    space: &'a Space,
    bias: u64,
    encoding: Encoding,
}

impl Scope<'_> {
    fn word(&self, at: u64) -> Option<u64> {
        let mut b = [0; 8];
        self.space.read(GuestAddr(at), &mut b).is_ok().then(|| u64::from_le_bytes(b))
    }
}
