//! Requests of ioctl(2) to a pseudoterminal (ioctl_tty(2)).

use super::discipline::Discipline;
use super::pty::SlaveOpen;
use super::session::Side;
use super::*;
use crate::abi::consts::ioctl::*;
use crate::abi::consts::{baud, c_cc as cc, cap, open, tcflow, tcflush};
use crate::abi::{Termio, Termios, Termios2, WinSize};
use crate::kernel::file::File;
use crate::mem::GuestAddr;
use crate::syscalls::sets;

/// Bits of `c_cflag` that tell the speed, and CLOCAL.
const CBAUD: u32 = 0o10017;
const CLOCAL: u32 = 0o4000;

/// Speeds by their codes (asm-generic/termbits.h).
const SPEEDS: [(u32, u32); 31] = [
    (baud::B0, 0),
    (baud::B50, 50),
    (baud::B75, 75),
    (baud::B110, 110),
    (baud::B134, 134),
    (baud::B150, 150),
    (baud::B200, 200),
    (baud::B300, 300),
    (baud::B600, 600),
    (baud::B1200, 1200),
    (baud::B1800, 1800),
    (baud::B2400, 2400),
    (baud::B4800, 4800),
    (baud::B9600, 9600),
    (baud::B19200, 19200),
    (baud::B38400, 38400),
    (baud::B57600, 57600),
    (baud::B115200, 115_200),
    (baud::B230400, 230_400),
    (baud::B460800, 460_800),
    (baud::B500000, 500_000),
    (baud::B576000, 576_000),
    (baud::B921600, 921_600),
    (baud::B1000000, 1_000_000),
    (baud::B1152000, 1_152_000),
    (baud::B1500000, 1_500_000),
    (baud::B2000000, 2_000_000),
    (baud::B2500000, 2_500_000),
    (baud::B3000000, 3_000_000),
    (baud::B3500000, 3_500_000),
    (baud::B4000000, 4_000_000),
];

/// A request to `pty`, made through `file`, which is one of its sides.
pub(super) fn request(ctx: &mut Ctx, pty: &Rc<Pty>, side: Side, file: &File, request: u32, arg: u64) -> SysResult {
    let addr = GuestAddr(arg);
    match request {
        TIOCGPGRP | TIOCSPGRP | TIOCGSID | TIOCSCTTY | TIOCNOTTY => {
            return ctx.session_request(Tty::Pty(pty.number), side, file, request, arg);
        }
        TCSETS | TCSETSW | TCSETSF | TCSETS2 | TCSETSW2 | TCSETSF2 | TCSETA | TCSETAW | TCSETAF => {
            return set_settings(ctx, pty, request, addr);
        }
        TCGETS => {
            let t = pty.discipline.borrow().termios;
            ctx.mem().copy_out(addr, &t.base)?;
        }
        TCGETS2 => {
            let t = pty.discipline.borrow().termios;
            ctx.mem().copy_out(addr, &t)?;
        }
        TCGETA => {
            let t = pty.discipline.borrow().termios.base;
            ctx.mem().copy_out(addr, &short(&t))?;
        }
        TIOCGLCKTRMIOS => {
            let t = pty.discipline.borrow().locked;
            ctx.mem().copy_out(addr, &t)?;
        }
        TIOCSLCKTRMIOS => {
            admin(ctx)?;
            let t: Termios = ctx.mem().copy_in(addr)?;
            pty.discipline.borrow_mut().locked = t;
        }
        TIOCGWINSZ => ctx.mem().copy_out(addr, &pty.size.get())?,
        TIOCSWINSZ => {
            let size: WinSize = ctx.mem().copy_in(addr)?;
            if pty.size.replace(size) != size {
                let group = pty.control.get().foreground;
                ctx.kernel.signal_group(group, Signal::SIGWINCH);
            }
        }
        FIONREAD => {
            let d = pty.discipline.borrow();
            let n = if side == Side::Slave { d.readable() } else { d.output.ready.len() } as i32;
            drop(d);
            ctx.mem().copy_out(addr, &n)?;
        }
        TIOCOUTQ => ctx.mem().copy_out(addr, &0i32)?,
        TCXONC | TCFLSH | TCSBRK | TCSBRKP | TIOCSBRK | TIOCCBRK | TIOCSETD => {
            ctx.check_foreground(Tty::Pty(pty.number), Signal::SIGTTOU)?;
            return change(ctx, pty, side, request, arg);
        }
        TIOCGETD => ctx.mem().copy_out(addr, &0i32)?,
        TIOCEXCL => pty.exclusive.set(true),
        TIOCNXCL => pty.exclusive.set(false),
        TIOCGEXCL => ctx.mem().copy_out(addr, &i32::from(pty.exclusive.get()))?,
        TIOCGDEV => ctx.mem().copy_out(addr, &(pty.stat().rdev as u32))?,
        TIOCGSOFTCAR => {
            let local = pty.discipline.borrow().termios.base.cflag & CLOCAL != 0;
            ctx.mem().copy_out(addr, &i32::from(local))?;
        }
        TIOCSSOFTCAR => {
            let local: i32 = ctx.mem().copy_in(addr)?;
            let mut d = pty.discipline.borrow_mut();
            let cflag = d.termios.base.cflag & !CLOCAL;
            d.termios.base.cflag = if local != 0 { cflag | CLOCAL } else { cflag };
        }
        TIOCVHANGUP => {
            admin(ctx)?;
            ctx.kernel.hang_up(pty);
        }
        TIOCSTI => return type_in(ctx, pty, addr),
        _ if side == Side::Master => return master_request(ctx, pty, request, arg),
        _ => return Err(Errno::ENOTTY.into()),
    }
    Ok(0)
}

fn admin(ctx: &mut Ctx) -> Result<(), Errno> {
    if ctx.thread().credentials.has(cap::CAP_SYS_ADMIN) { Ok(()) } else { Err(Errno::EPERM) }
}

/// TIOCSTI. Linux's default since 6.2 is that only the administrator may put words into a terminal's mouth.
fn type_in(ctx: &mut Ctx, pty: &Rc<Pty>, addr: GuestAddr) -> SysResult {
    admin(ctx).map_err(|_| Errno::EIO)?;
    let byte: u8 = ctx.mem().copy_in(addr)?;
    let now_ns = ctx.kernel.monotonic_ns();
    let mut d = pty.discipline.borrow_mut();
    d.receive(&[byte]);
    d.last_input_ns = now_ns;
    drop(d);
    ctx.kernel.settle(pty);
    Ok(0)
}

/// What only the master knows.
fn master_request(ctx: &mut Ctx, pty: &Rc<Pty>, request: u32, arg: u64) -> SysResult {
    let addr = GuestAddr(arg);
    match request {
        TIOCGPTN => ctx.mem().copy_out(addr, &pty.number)?,
        TIOCSPTLCK => {
            let locked: i32 = ctx.mem().copy_in(addr)?;
            pty.locked.set(locked != 0);
        }
        TIOCGPTLCK => ctx.mem().copy_out(addr, &i32::from(pty.locked.get()))?,
        TIOCPKT => {
            let on: i32 = ctx.mem().copy_in(addr)?;
            let mut d = pty.discipline.borrow_mut();
            d.packet = (on != 0).then(|| d.packet.unwrap_or(0));
        }
        TIOCGPKT => {
            let on = pty.discipline.borrow().packet.is_some();
            ctx.mem().copy_out(addr, &i32::from(on))?;
        }
        TIOCSIG => {
            let signal = Signal::new(arg as i32);
            let known = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP];
            let signal = signal.filter(|s| known.contains(s)).ok_or(Errno::EINVAL)?;
            let group = pty.control.get().foreground;
            ctx.kernel.signal_group(group, signal);
        }
        TIOCGPTPEER => {
            let flags = sets::OPEN.to_canonical(ctx.arch, arg) as u32;
            let path = format!("/dev/pts/{}", pty.number);
            let file = pty.open_slave(ctx, path.as_bytes(), SlaveOpen::Name, flags)?;
            return Ok(ctx.install(file, flags & open::O_CLOEXEC != 0)? as u64);
        }
        _ => return Err(Errno::ENOTTY.into()),
    }
    Ok(0)
}

/// Flow, flushes, breaks, line disciplines.
fn change(ctx: &mut Ctx, pty: &Rc<Pty>, side: Side, request: u32, arg: u64) -> SysResult {
    match request {
        TCXONC => {
            let mut d = pty.discipline.borrow_mut();
            match arg as u32 {
                tcflow::TCOOFF => d.suspend(),
                tcflow::TCOON => d.resume(),
                tcflow::TCIOFF => send(&mut d, cc::VSTOP),
                tcflow::TCION => send(&mut d, cc::VSTART),
                _ => return Err(Errno::EINVAL.into()),
            }
        }
        TCFLSH => {
            let mut d = pty.discipline.borrow_mut();
            let (input, output) = match arg as u32 {
                tcflush::TCIFLUSH => (true, false),
                tcflush::TCOFLUSH => (false, true),
                tcflush::TCIOFLUSH => (true, true),
                _ => return Err(Errno::EINVAL.into()),
            };
            match side {
                Side::Slave => {
                    if input {
                        d.flush_input();
                    }
                    if output {
                        d.flush_output();
                    }
                }
                Side::Master => {
                    if input {
                        d.flush_master();
                    }
                    if output {
                        d.flush_backlog();
                    }
                }
            }
        }
        TIOCSETD => {
            let line: i32 = ctx.mem().copy_in(GuestAddr(arg))?;
            if line != 0 {
                return Err(Errno::EINVAL.into());
            }
        }
        // Output is never under way, and a break reaches nobody.
        _ => {}
    }
    ctx.kernel.wake_all(pty.key());
    Ok(0)
}

/// Sends a flow control character to the other side.
fn send(d: &mut Discipline, key: u32) {
    let c = d.termios.base.cc[key as usize];
    if c != 0 {
        d.output.ready.push_back(c);
    }
}

/// TCSETS and its kin; those with F drop what was typed.
fn set_settings(ctx: &mut Ctx, pty: &Rc<Pty>, request: u32, addr: GuestAddr) -> SysResult {
    ctx.check_foreground(Tty::Pty(pty.number), Signal::SIGTTOU)?;
    let old = pty.discipline.borrow().termios;
    let new = match request {
        TCSETS2 | TCSETSW2 | TCSETSF2 => ctx.mem().copy_in::<Termios2>(addr)?,
        TCSETS | TCSETSW | TCSETSF => Termios2 { base: ctx.mem().copy_in::<Termios>(addr)?, ..old },
        _ => Termios2 { base: long(&old.base, &ctx.mem().copy_in::<Termio>(addr)?), ..old },
    };
    let coded = SPEEDS.iter().find(|(code, _)| *code == new.base.cflag & CBAUD).map(|(_, speed)| *speed);
    let new = match coded {
        Some(speed) => Termios2 { ispeed: speed, ospeed: speed, ..new },
        None => new,
    };
    let mut d = pty.discipline.borrow_mut();
    if matches!(request, TCSETSF | TCSETSF2 | TCSETAF) {
        d.flush_input();
    }
    d.set(new);
    drop(d);
    ctx.kernel.settle(pty);
    Ok(0)
}

fn short(t: &Termios) -> Termio {
    let mut out = Termio {
        iflag: t.iflag as u16,
        oflag: t.oflag as u16,
        cflag: t.cflag as u16,
        lflag: t.lflag as u16,
        line: t.line,
        ..Termio::default()
    };
    out.cc.copy_from_slice(&t.cc[..8]);
    out
}

fn long(old: &Termios, new: &Termio) -> Termios {
    let low = |old: u32, new: u16| old & 0xffff_0000 | u32::from(new);
    let mut out = Termios {
        iflag: low(old.iflag, new.iflag),
        oflag: low(old.oflag, new.oflag),
        cflag: low(old.cflag, new.cflag),
        lflag: low(old.lflag, new.lflag),
        line: new.line,
        cc: old.cc,
    };
    out.cc[..8].copy_from_slice(&new.cc);
    out
}
