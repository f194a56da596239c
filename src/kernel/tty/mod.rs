//! Terminals: sessions and their controlling terminals, and pseudoterminals of the machine's own (pty(7), tty_ioctl(4)).
//!
//! A pseudoterminal that a guest opens lives inside the machine: its line discipline (`discipline`) makes signals for
//! the guest's process groups, which the host's could not. The terminal that sevm itself was started from stays a file
//! of the host; here is only who of the guests has it (`session`).

mod discipline;
mod ioctl;
mod output;
mod pty;
mod session;

pub use pty::{MasterEnd, Pty, SlaveEnd, SlaveOpen};
pub use session::{Control, Tty};
pub(crate) use session::{Leaving, Side};

use super::*;
use std::cell::RefCell;
use std::rc::Rc;

/// Most pseudoterminals at a time (/proc/sys/kernel/pty/max).
pub const PTY_MAX: u32 = 4096;

/// All terminals of the machine.
#[derive(Debug, Default)]
pub struct Terminals {
    /// Who has the terminal that sevm was started from.
    host: Control,
    /// The first process was born into its session, as a program that a shell starts is: its end hangs nothing up.
    host_inherited: bool,
    /// Numbers of the host's pseudoterminals that sevm was started with; the machine's own get others.
    pub(super) host_numbers: Vec<u32>,
    /// Pseudoterminals by number.
    ptys: BTreeMap<u32, Rc<Pty>>,
    /// Pseudoterminals of which a side has been closed where the kernel was not at hand.
    closed: Rc<RefCell<Vec<u32>>>,
}

impl Terminals {
    /// The pseudoterminal with this number.
    pub fn pty(&self, number: u32) -> Option<&Rc<Pty>> {
        self.ptys.get(&number)
    }

    /// The numbers of the pseudoterminals that have a master, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        self.ptys.values().filter(|p| p.has_master()).map(|p| p.number).collect()
    }
}

/// vhangup(2). The terminal that sevm was started from is the host's, and not to be hung up: `EPERM`.
pub fn vhangup(ctx: &mut Ctx, _: &crate::syscalls::args::Vhangup) -> SysResult {
    if !ctx.thread().credentials.has(crate::abi::consts::cap::CAP_SYS_TTY_CONFIG) {
        return Err(Errno::EPERM.into());
    }
    match ctx.process().terminal {
        Some(Tty::Host) => Err(Errno::EPERM.into()),
        Some(Tty::Pty(number)) => {
            if let Some(pty) = ctx.kernel.terminals.pty(number).cloned() {
                ctx.kernel.hang_up(&pty);
            }
            Ok(0)
        }
        None => Ok(0),
    }
}

impl Kernel {
    /// Makes a pseudoterminal for a master of this user.
    ///
    /// # Errors
    /// `ENOSPC`: there are too many.
    pub fn open_pty(&mut self, uid: u32) -> Result<Rc<Pty>, Errno> {
        let free = |n: &u32| !self.terminals.ptys.contains_key(n) && !self.terminals.host_numbers.contains(n);
        let number = (0..PTY_MAX).find(free).ok_or(Errno::ENOSPC)?;
        let (object, now) = (self.new_object(), self.file_time());
        let closed = Rc::clone(&self.terminals.closed);
        let pty = Rc::new(Pty::new(number, object, uid, now, self.wakeups.clone(), closed));
        self.terminals.ptys.insert(number, Rc::clone(&pty));
        Ok(pty)
    }

    /// Does what the closing of a pseudoterminal's side brings: a hangup, the end of its number.
    #[inline]
    pub fn settle_terminals(&mut self) {
        if !self.terminals.closed.borrow().is_empty() {
            self.settle_closed();
        }
    }

    fn settle_closed(&mut self) {
        loop {
            let closed = std::mem::take(&mut *self.terminals.closed.borrow_mut());
            if closed.is_empty() {
                return;
            }
            for number in closed {
                let Some(pty) = self.terminals.ptys.get(&number).cloned() else { continue };
                if !pty.has_master() {
                    self.hang_up(&pty);
                    if pty.slaves() == 0 {
                        self.terminals.ptys.remove(&number);
                    }
                }
                self.wake_all(pty.key());
            }
        }
    }

    /// Sends the signals that keys have made to the foreground group, and wakes who waits for the terminal.
    fn settle(&mut self, pty: &Pty) {
        let signals = std::mem::take(&mut pty.discipline.borrow_mut().signals);
        let group = pty.control.get().foreground;
        for signal in signals {
            self.signal_group(group, signal);
        }
        self.wake_all(pty.key());
    }

    /// The wall clock as files carry it.
    pub(crate) fn file_time(&mut self) -> crate::host::FileTime {
        let ns = self.time.now_ns(&mut *self.host, crate::host::HostClock::Realtime);
        crate::host::FileTime { sec: (ns / time::SECOND_NS) as i64, nsec: (ns % time::SECOND_NS) as u32 }
    }
}
