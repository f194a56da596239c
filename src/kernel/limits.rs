//! Budgets of a whole run: instructions, time, memory, processes. The guest does not see them; a run that goes beyond
//! one ends with [`Error::Limit`].

use super::*;
use crate::Error;

/// What a run may use at most; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Instructions that all threads together retire.
    pub instructions: Option<u64>,
    /// Nanoseconds of the monotonic clock: the host's, or in a deterministic run the virtual one.
    pub time_ns: Option<u64>,
    /// Bytes of private writable memory that all processes together have mapped (`Committed_AS` of Linux), whether they
    /// use it or not.
    pub memory: Option<u64>,
    /// Processes that live at the same time. Threads do not count, zombies neither.
    pub processes: Option<u64>,
}

impl Limits {
    /// Whether there is none.
    pub fn is_unlimited(&self) -> bool {
        self.instructions.is_none() && self.time_ns.is_none() && self.memory.is_none() && self.processes.is_none()
    }
}

/// A limit of [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::instructions`].
    Instructions,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::processes`].
    Processes,
    /// [`Limits::time_ns`].
    Time,
}

impl Limit {
    /// The exit status of a run that went beyond it. That of time is timeout(1)'s.
    pub fn status(self) -> u8 {
        match self {
            Limit::Instructions => 121,
            Limit::Memory => 122,
            Limit::Processes => 123,
            Limit::Time => 124,
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Limit::Instructions => "instructions",
            Limit::Memory => "memory",
            Limit::Processes => "processes",
            Limit::Time => "time",
        })
    }
}

impl Kernel {
    /// Instructions that may still retire before the limit of them is reached.
    #[inline]
    pub fn instructions_left(&self) -> u64 {
        self.config.limits.instructions.map_or(u64::MAX, |most| most.saturating_sub(self.counters.instructions))
    }

    /// The moment of the monotonic clock at which the limit of time is reached.
    pub(super) fn end_of_time_ns(&self) -> Option<u64> {
        self.config.limits.time_ns.map(|most| self.started_ns.saturating_add(most))
    }

    /// Looks at the limits of instructions and time. Costs nothing where there are none.
    ///
    /// # Errors
    /// [`Error::Limit`].
    #[inline]
    pub fn check_budget(&mut self) -> Result<(), Error> {
        let Limits { instructions, time_ns, .. } = self.config.limits;
        if instructions.is_none() && time_ns.is_none() { Ok(()) } else { self.check_limited_budget() }
    }

    fn check_limited_budget(&mut self) -> Result<(), Error> {
        if let Some(most) = self.config.limits.instructions
            && self.counters.instructions >= most
        {
            return Err(exceeded(Limit::Instructions, format!("{most} instructions have run")));
        }
        if let (Some(most), Some(end)) = (self.config.limits.time_ns, self.end_of_time_ns())
            && self.monotonic_ns() >= end
        {
            let (whole, rest) = (most / time::SECOND_NS, most % time::SECOND_NS);
            let text = format!("{whole}.{rest:09}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            return Err(exceeded(Limit::Time, format!("{text} s have passed")));
        }
        Ok(())
    }

    /// Looks at the limits of memory and processes after the call with this index of the table, if it is one that can
    /// make either grow. (A stack that grows is seen at the next such call.)
    ///
    /// # Errors
    /// [`Error::Limit`].
    #[inline]
    pub fn check_size(&self, index: Option<usize>) -> Result<(), Error> {
        let Limits { memory, processes, .. } = self.config.limits;
        if memory.is_none() && processes.is_none() { Ok(()) } else { self.check_limited_size(index) }
    }

    fn check_limited_size(&self, index: Option<usize>) -> Result<(), Error> {
        let Limits { memory, processes, .. } = self.config.limits;
        let grows = |i: usize| ENTRIES[i].classes.iter().any(|class| matches!(*class, "memory" | "process"));
        if !index.is_some_and(grows) {
            return Ok(());
        }
        if let Some(most) = memory {
            let mapped = self.committed();
            if mapped > most {
                let what = format!("the programs have mapped {mapped} bytes to write to, and may {most}");
                return Err(exceeded(Limit::Memory, what));
            }
        }
        if let Some(most) = processes {
            let live = self.processes.values().filter(|p| p.exit.is_none()).count() as u64;
            if live > most {
                return Err(exceeded(Limit::Processes, format!("there are {live} processes, and may be {most}")));
            }
        }
        Ok(())
    }

    /// Bytes of private writable memory of all spaces, each counted once.
    fn committed(&self) -> u64 {
        let mut seen = std::collections::BTreeSet::new();
        let spaces = self.threads.values().map(|t| t.space.borrow());
        spaces.filter(|space| seen.insert(space.id())).map(|space| space.data_mapped()).sum()
    }
}

fn exceeded(limit: Limit, what: String) -> Error {
    Error::Limit { limit, what }
}
