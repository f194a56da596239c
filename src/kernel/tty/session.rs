//! Controlling terminals and job control (credentials(7), tty_ioctl(4), `drivers/tty/tty_jobctrl.c` of Linux).
//!
//! Guests' sessions and process groups exist inside the machine only. To the host, all of them together are the one
//! process sevm: while that is in the background of its terminal, every group of the guest's is.

use super::*;
use crate::abi::consts::ioctl::*;
use crate::host::Place;
use crate::mem::GuestAddr;

/// A terminal that can be the controlling one of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tty {
    /// The one that sevm was started from.
    Host,
    /// A pseudoterminal of the machine.
    Pty(u32),
}

/// Who has a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The session; 0: none.
    pub session: Pid,
    /// Its foreground process group; 0: none.
    pub foreground: Pid,
}

impl Kernel {
    /// The first process begins in the foreground of the terminal that sevm was started from, if there is one.
    pub(crate) fn inherit_terminal(&mut self, pid: Pid) {
        let files = self.threads.get(&pid).map(|t| Rc::clone(&t.files));
        for (_, file) in
            files.iter().flat_map(|f| f.borrow().iter().map(|(n, f)| (n, Rc::clone(f))).collect::<Vec<_>>())
        {
            let stat = file.host_fd().and_then(|fd| self.host.stat(fd).ok()).unwrap_or_default();
            let (major, minor) = stat.device();
            if (136..144).contains(&major) {
                let number = (major - 136) * 256 + minor;
                if !self.terminals.host_numbers.contains(&number) {
                    self.terminals.host_numbers.push(number);
                }
            }
        }
        if !self.host.has_terminal() {
            return;
        }
        if let Some(p) = self.processes.get_mut(&pid) {
            p.terminal = Some(Tty::Host);
            self.terminals.host = Control { session: p.sid, foreground: p.pgid };
            self.terminals.host_inherited = true;
        }
    }

    /// Who has the terminal.
    pub fn control_of(&self, tty: Tty) -> Control {
        match tty {
            Tty::Host => self.terminals.host,
            Tty::Pty(number) => self.terminals.pty(number).map_or(Control::default(), |p| p.control.get()),
        }
    }

    fn set_control(&mut self, tty: Tty, control: Control) {
        match tty {
            Tty::Host => self.terminals.host = control,
            Tty::Pty(number) => {
                if let Some(pty) = self.terminals.pty(number) {
                    pty.control.set(control);
                }
            }
        }
    }

    /// Sends a signal of the kernel's own to every process of a group.
    pub fn signal_group(&mut self, group: Pid, signal: Signal) {
        let members: Vec<Pid> =
            self.processes.values().filter(|p| group > 0 && p.pgid == group).map(|p| p.pid).collect();
        for pid in members {
            // Of the signals that terminals send none can be refused.
            let _ = self.send_signal(pid, signal::SigInfo::kernel(signal));
        }
    }

    /// Makes the terminal the controlling one of a session leader, its group the foreground (`proc_set_tty`).
    pub(super) fn take_terminal(&mut self, pid: Pid, tty: Tty) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        p.terminal = Some(tty);
        let control = Control { session: p.sid, foreground: p.pgid };
        if tty == Tty::Host {
            self.terminals.host_inherited = false;
        }
        self.set_control(tty, control);
    }

    /// Takes the controlling terminal from all processes of a session.
    fn clear_session(&mut self, session: Pid) {
        for p in self.processes.values_mut().filter(|p| p.sid == session) {
            p.terminal = None;
        }
    }

    /// Hangs a pseudoterminal up: those that have it open get nothing any more, its session leader SIGHUP and SIGCONT.
    pub(super) fn hang_up(&mut self, pty: &Rc<Pty>) {
        let control = pty.control.get();
        let tty = Tty::Pty(pty.number);
        pty.hang_up();
        let of_session: Vec<Pid> =
            self.processes.values().filter(|p| p.sid == control.session).map(|p| p.pid).collect();
        for pid in of_session {
            if let Some(p) = self.processes.get_mut(&pid)
                && p.terminal == Some(tty)
            {
                p.terminal = None;
            }
            if pid == control.session {
                for signal in [Signal::SIGHUP, Signal::SIGCONT] {
                    let _ = self.send_signal(pid, signal::SigInfo::kernel(signal));
                }
            }
        }
        self.wake_all(pty.key());
    }

    /// A session leader gives its terminal up (TIOCNOTTY), or ends: the foreground group hears of it and nobody of the
    /// session has the terminal any more. Nothing happens for other processes but that they lose it themselves.
    pub(crate) fn leave_terminal(&mut self, pid: Pid, why: Leaving) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        let Some(tty) = p.terminal else { return };
        if p.sid != pid {
            if why == Leaving::Request {
                p.terminal = None;
            }
            return;
        }
        if why == Leaving::End && tty == Tty::Host && self.terminals.host_inherited {
            // Outside, its session goes on.
            return;
        }
        let group = self.control_of(tty).foreground;
        self.signal_group(group, Signal::SIGHUP);
        if why == Leaving::Request {
            self.signal_group(group, Signal::SIGCONT);
        }
        self.set_control(tty, Control::default());
        self.clear_session(pid);
    }
}

/// Why a process loses its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It asked for that.
    Request,
    /// It ends.
    End,
}

impl Ctx<'_> {
    /// Checks that the caller may use the terminal in the way that `signal` stands for: SIGTTIN for reading, SIGTTOU for
    /// changing or for writing with TOSTOP. A process in the background gets the signal, with its group.
    ///
    /// # Errors
    /// `EIO`; a restart code when the signal was sent.
    pub(crate) fn check_foreground(&mut self, tty: Tty, signal: Signal) -> Result<(), Stop> {
        let (group, own) = (self.process().pgid, self.process().terminal);
        let foreground = self.kernel.control_of(tty).foreground;
        if own != Some(tty) {
            return Ok(());
        }
        let outside = if tty == Tty::Host { self.kernel.host.terminal_place() } else { Place::Foreground };
        if (foreground == 0 || foreground == group) && outside == Place::Foreground {
            return Ok(());
        }
        let t = self.thread();
        if t.signals.mask.contains(signal) || t.actions.borrow().get(signal).is_ignore() {
            return if signal == Signal::SIGTTIN { Err(Errno::EIO.into()) } else { Ok(()) };
        }
        if outside == Place::Orphaned || self.kernel.is_orphaned_group(group, None) {
            return Err(Errno::EIO.into());
        }
        self.kernel.signal_group(group, signal);
        Err(Errno::ERESTARTSYS.into())
    }

    /// A session leader without a terminal that opens one which nobody has gets it.
    pub(crate) fn acquire_by_open(&mut self, tty: Tty, file: &file::File) {
        let pid = self.pid;
        let p = self.process();
        let wants = p.sid == pid && p.terminal.is_none() && file.can_read();
        if wants && self.kernel.control_of(tty).session == 0 {
            self.kernel.take_terminal(pid, tty);
        }
    }

    /// TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY and TIOCNOTTY of `tty`, opened as `file`; `side` says by which side.
    pub(crate) fn session_request(
        &mut self,
        tty: Tty,
        side: Side,
        file: &file::File,
        request: u32,
        arg: u64,
    ) -> SysResult {
        let (sid, own, addr) = (self.process().sid, self.process().terminal, GuestAddr(arg));
        let control = self.kernel.control_of(tty);
        match request {
            TIOCSCTTY => return self.set_controlling(tty, file, arg),
            TIOCNOTTY => {
                if own != Some(tty) || side == Side::Master {
                    return Err(Errno::ENOTTY.into());
                }
                let pid = self.pid;
                self.kernel.leave_terminal(pid, Leaving::Request);
            }
            TIOCSPGRP => {
                match self.check_foreground(tty, Signal::SIGTTOU) {
                    Err(Stop::Errno(Errno::EIO)) => return Err(Errno::ENOTTY.into()),
                    checked => checked?,
                }
                if own != Some(tty) || control.session != sid {
                    return Err(Errno::ENOTTY.into());
                }
                let group: i32 = self.mem().copy_in(addr)?;
                self.set_foreground(tty, group)?;
            }
            _ if side == Side::Slave && own != Some(tty) => return Err(Errno::ENOTTY.into()),
            TIOCGSID if control.session == 0 => return Err(Errno::ENOTTY.into()),
            TIOCGSID => self.mem().copy_out(addr, &control.session)?,
            _ => self.mem().copy_out(addr, &control.foreground)?,
        }
        Ok(0)
    }

    fn set_foreground(&mut self, tty: Tty, group: i32) -> Result<(), Errno> {
        if group < 0 {
            return Err(Errno::EINVAL);
        }
        let session = self.process().sid;
        let mut members = self.kernel.processes.values().filter(|p| p.pgid == group).peekable();
        if members.peek().is_none() {
            return Err(Errno::ESRCH);
        }
        if members.any(|p| p.sid != session) {
            return Err(Errno::EPERM);
        }
        self.kernel.set_control(tty, Control { session, foreground: group });
        Ok(())
    }

    fn set_controlling(&mut self, tty: Tty, file: &file::File, arg: u64) -> SysResult {
        let (pid, admin) = (self.pid, self.thread().credentials.has(crate::abi::consts::cap::CAP_SYS_ADMIN));
        let (sid, own) = (self.process().sid, self.process().terminal);
        let owner = self.kernel.control_of(tty).session;
        if sid == pid && owner == sid {
            return Ok(0);
        }
        if sid != pid || own.is_some() || owner != 0 && !(arg == 1 && admin) || !file.can_read() && !admin {
            return Err(Errno::EPERM.into());
        }
        if owner != 0 {
            self.kernel.clear_session(owner);
        }
        self.kernel.take_terminal(pid, tty);
        Ok(0)
    }
}

/// A side of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Of a pseudoterminal: the one that plays the user.
    Master,
    /// The one that programs use as their terminal.
    Slave,
}
