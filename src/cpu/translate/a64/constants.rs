//! Constants that translated code refers to, at fixed distances from the state.

use std::collections::BTreeMap;

use super::state::State;

/// How many there may be. Programs need a few dozen.
pub const CAPACITY: usize = 1024;

/// More than a block can need: eight for each of its instructions.
const MOST_OF_BLOCK: usize = 512;

/// The state and the constants behind it, at an address that stays.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Frame {
    /// The state.
    pub state: State,
    /// The constants.
    pub values: [u128; CAPACITY],
}

impl Frame {
    /// A new frame, all zero.
    pub fn new() -> Box<Frame> {
        Box::new(Frame { state: State::new(), values: [0; CAPACITY] })
    }
}

/// The constants in use. The front end copies new ones to the [`Frame`] before code runs.
#[derive(Debug, Default)]
pub struct Constants {
    by_value: BTreeMap<u128, usize>,
    values: Vec<u128>,
}

impl Constants {
    /// Where a constant is, relative to `rbp`; `None` when there is no room for another.
    pub fn place(&mut self, value: u128) -> Option<i32> {
        let index = match self.by_value.get(&value) {
            Some(index) => *index,
            None if self.values.len() >= CAPACITY => return None,
            None => {
                self.values.push(value);
                self.by_value.insert(value, self.values.len() - 1);
                self.values.len() - 1
            }
        };
        Some((std::mem::offset_of!(Frame, values) + index * 16) as i32 - State::BIAS)
    }

    /// Whether there may be no room for those of another block.
    pub fn is_full(&self) -> bool {
        self.values.len() + MOST_OF_BLOCK > CAPACITY
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.by_value.clear();
        self.values.clear();
    }

    /// All values, in order.
    pub fn values(&self) -> &[u128] {
        &self.values
    }
}
