//! Signal numbers and sets; both architectures share them (include/uapi/asm-generic/signal.h).

/// A signal number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(pub u8);

/// What a signal does when nothing handles it (signal(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// Ends the process.
    Terminate,
    /// Ends the process and dumps core.
    Core,
    /// Nothing.
    Ignore,
    /// Stops the process.
    Stop,
    /// Continues it.
    Continue,
}

include!(concat!(env!("OUT_DIR"), "/signal.rs"));

impl Signal {
    /// The first real-time signal.
    pub const RTMIN: Signal = Signal(32);
    /// The last signal.
    pub const MAX: Signal = Signal(64);

    /// A signal from a number that a guest gave; `None` unless it is 1 to 64.
    pub fn new(number: i32) -> Option<Signal> {
        (1..=64).contains(&number).then_some(Signal(number as u8))
    }

    /// Its name as strace prints it: `SIGINT`, `SIGRTMIN`, `SIGRT_5`.
    pub fn name(self) -> String {
        match SIGNALS.iter().find(|(n, ..)| *n == self.0) {
            Some((_, name, ..)) => (*name).to_string(),
            None if self == Signal::RTMIN => "SIGRTMIN".to_string(),
            None => format!("SIGRT_{}", self.0 - Signal::RTMIN.0),
        }
    }

    /// The text that strsignal(3) gives.
    pub fn text(self) -> &'static str {
        SIGNALS.iter().find(|(n, ..)| *n == self.0).map_or("Real-time signal", |(.., text)| *text)
    }

    /// What happens when it is not handled.
    pub fn default_action(self) -> DefaultAction {
        SIGNALS.iter().find(|(n, ..)| *n == self.0).map_or(DefaultAction::Terminate, |(_, _, a, _)| *a)
    }

    /// Its bit in a set.
    pub fn bit(self) -> u64 {
        1 << (self.0 - 1)
    }
}

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// A set of signals, bit n-1 for signal n, as sigset_t has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigSet(pub u64);

impl SigSet {
    /// SIGKILL and SIGSTOP, which nothing can block or catch.
    pub const UNBLOCKABLE: SigSet = SigSet((1 << 8) | (1 << 18));

    /// Whether no signal is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The signals of this set that are not in `other`.
    pub fn without(self, other: SigSet) -> SigSet {
        SigSet(self.0 & !other.0)
    }

    /// The signals of both sets.
    pub fn union(self, other: SigSet) -> SigSet {
        SigSet(self.0 | other.0)
    }

    /// The signals that both sets have.
    pub fn intersection(self, other: SigSet) -> SigSet {
        SigSet(self.0 & other.0)
    }

    /// Whether `s` is in the set.
    pub fn contains(self, s: Signal) -> bool {
        self.0 & s.bit() != 0
    }

    /// Puts `s` in.
    pub fn insert(&mut self, s: Signal) {
        self.0 |= s.bit();
    }

    /// Takes `s` out.
    pub fn remove(&mut self, s: Signal) {
        self.0 &= !s.bit();
    }

    /// The members, ascending.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        (1..=64u8).map(Signal).filter(move |s| self.contains(*s))
    }
}
