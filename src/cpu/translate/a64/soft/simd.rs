//! AdvSIMD on integers and bits (Arm ARM C7.2): every instruction that is neither floating-point nor a load or store.
//!
//! [`execute`] answers `Undefined` as well for the floating-point instructions of the shared classes.

mod copy;
mod lanes;
mod misc;
mod same;
mod shift;
#[cfg(test)]
mod tests;
mod wide;

pub(in crate::cpu::translate::a64) use copy::expand_immediate;

use super::{Undefined, crypto};
use crate::cpu::translate::a64::decode::simd::{Class, Form, Word, classify};
use crate::cpu::translate::a64::state::State;

/// FPSR.QC: a saturating instruction saturated.
pub const QC: u32 = 1 << 27;

/// Executes one instruction; pc stays.
///
/// # Errors
/// The word is no instruction of this file; nothing has changed.
pub fn execute(word: u32, state: &mut State) -> Result<(), Undefined> {
    let w = Word(word);
    match classify(word).ok_or(Undefined)? {
        Class::Copy => copy::copy(w, state),
        Class::ScalarCopy => copy::scalar_copy(w, state),
        Class::Table => copy::table(w, state),
        Class::Permute => copy::permute(w, state),
        Class::Extract => copy::extract(w, state),
        Class::ModifiedImmediate => copy::immediate(w, state),
        Class::ThreeSame(form) => same::three_same(w, state, form),
        Class::ThreeSameExtra(form) => wide::extra(w, state, form),
        Class::ThreeDifferent(form) => wide::three_different(w, state, form),
        Class::Indexed(form) => wide::indexed(w, state, form),
        Class::TwoMisc(form) => misc::two_misc(w, state, form),
        Class::ScalarPairwise => misc::scalar_pairwise(w, state),
        Class::Across => misc::across(w, state),
        Class::ShiftImmediate(form) => shift::immediate(w, state, form),
        class => crypto::execute(class, w, state),
    }
}

/// A result, and whether it saturated.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    value: u128,
    saturated: bool,
}

impl From<u128> for Outcome {
    fn from(value: u128) -> Outcome {
        Outcome { value, saturated: false }
    }
}

impl Outcome {
    /// Writes Rd and FPSR.QC.
    fn write(self, w: Word, state: &mut State) -> Result<(), Undefined> {
        state.v[w.rd()] = self.value;
        if self.saturated {
            state.fpsr |= QC;
        }
        Ok(())
    }
}

/// `Undefined` unless `fits`.
fn require(fits: bool) -> Result<(), Undefined> {
    if fits { Ok(()) } else { Err(Undefined) }
}

/// The bits of a register that a form of `w` works on.
fn whole(w: Word, form: Form) -> u128 {
    if form == Form::Vector && !w.q() { u128::from(u64::MAX) } else { u128::MAX }
}
