//! Carries out what [`crate::inject`] decides: delays, signals, results and bytes that neither the program nor the kernel
//! has asked for.

use super::Machine;
use crate::arch::RawCall;
use crate::inject::{Action, Poke};
use crate::kernel::{Outcome, Tid};
use crate::mem::GuestAddr;
use crate::trace::Call;
use std::collections::BTreeMap;

/// A thread's call that is tampered with.
#[derive(Clone, Debug)]
pub(super) struct Tampered {
    /// What is done.
    pub action: Action,
    /// How far it is.
    pub stage: Stage,
    /// The call as the program makes it.
    pub raw: RawCall,
}

/// How far a call is that is tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its beginning is delayed.
    Before,
    /// The kernel has it.
    Within,
    /// It is done, and the program is delayed.
    After,
}

/// Threads in such calls.
pub(super) type InProgress = BTreeMap<Tid, Tampered>;

/// What comes next for a call.
pub(super) enum Tampering {
    /// It is made, perhaps with something done to it.
    Go(Option<Tampered>),
    /// The thread waits; `first` when the call has only just begun.
    Wait { first: bool },
    /// It was done before the thread waited: the program goes on.
    Over,
}

impl Machine {
    /// A call begins (`fresh`) or goes on after a wait.
    pub(super) fn begin_tampering(&mut self, call: &Call, fresh: bool) -> Tampering {
        let tampered = match fresh {
            true => {
                let (tamper, kernel) = (&mut self.tamper, &self.kernel);
                let Some(action) = tamper.as_mut().and_then(|t| t.begin(kernel, call)) else {
                    return Tampering::Go(None);
                };
                let raw = call.raw;
                self.poke(call, &action.poke_enter);
                if let Some(delay_ns) = action.delay_enter_ns {
                    self.tampered.insert(call.tid, Tampered { action, stage: Stage::Before, raw });
                    self.kernel.delay(call.tid, call.raw, call.index, delay_ns);
                    return Tampering::Wait { first: true };
                }
                Tampered { action, stage: Stage::Before, raw }
            }
            false => match self.tampered.remove(&call.tid) {
                Some(tampered) => tampered,
                None => return Tampering::Go(None),
            },
        };
        match tampered.stage {
            Stage::Within => Tampering::Go(Some(tampered)),
            stage => {
                if let (false, Some(thread)) = (fresh, self.kernel.threads.get_mut(&call.tid)) {
                    thread.end_call();
                }
                if stage == Stage::After {
                    return Tampering::Over;
                }
                if let Some(signal) = tampered.action.signal {
                    // The thread lives: it makes this call.
                    let _ = self.kernel.send_signal_thread(call.tid, crate::kernel::signal::SigInfo::kernel(signal));
                }
                Tampering::Go(Some(Tampered { stage: Stage::Within, ..tampered }))
            }
        }
    }

    /// The kernel has answered, or the thread waits in the kernel.
    pub(super) fn end_tampering(&mut self, call: &Call, tampered: &Tampered, outcome: Outcome) {
        match outcome {
            Outcome::Blocked => drop(self.tampered.insert(call.tid, tampered.clone())),
            Outcome::Done(_) => {
                self.poke(call, &tampered.action.poke_exit);
                self.kernel.call_mark = tampered.action.mark();
            }
            Outcome::NeedCpu(_) | Outcome::NoReturn => {}
        }
    }

    /// Writes bytes where arguments point; where there is nothing to write to, nothing is written, as with strace.
    fn poke(&mut self, call: &Call, pokes: &[Poke]) {
        let Some(thread) = self.kernel.threads.get(&call.tid) else { return };
        let mut space = thread.space.borrow_mut();
        for poke in pokes {
            let _ = space.write_partial(GuestAddr(call.raw.args[poke.arg]), &poke.data);
        }
    }
}
