//! Two backends at once: `--cpu lockstep:A,B` runs every instruction on both and stops at the first difference.
//!
//! A runs on the guest's memory, and the kernel sees its registers only, so that every system call happens once. B follows
//! on a twin: a copy of the space in which all memory is private. A run of A is one of B with the same number of
//! instructions; then registers, flags, the exit and memory must be alike. Before a run, what the kernel has changed since is
//! copied to the twin; when areas have changed, the twin is made anew.
//!
//! A second copy keeps the memory as it was before the run. When something differs, both backends run from there again,
//! with smaller budgets, until the first instruction after which they differ is found. Where they differ only when the
//! run is in one piece (a fault of chaining, say), the report says so and shows the whole run's ends.
//!
//! Limits: what other processes or the host do to shared memory *during* a run is seen by A only. Clocks count
//! instructions from the host's time at the start, since two reads of a true clock differ. Every run costs a comparison of
//! the pages that the program has written, so that programs with much memory and many calls are slow. Each guest
//! process takes three windows: lower `--address-bits` if they run out.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::{Access, Counter, Cpu, Exit, STOP_REQUESTED};
use crate::Error;
use crate::arch::cpuid::{Cpuid, Model};
use crate::arch::{Arch, RawCall, RegPort, Regs, aarch64, x86_64};
use crate::mem::{GuestAddr, Prot, Space, SpaceId};

/// Processes whose twins are kept at a time.
const MOST_TWINS: usize = 12;

/// The longest piece of a run, so that a difference is noticed soon after it arises.
const PIECE: u64 = 200_000;

/// Differences of memory that a report shows.
const SHOWN: usize = 8;

/// Two backends of one architecture.
pub struct Lockstep {
    a: Box<dyn Cpu>,
    b: Box<dyn Cpu>,
    twins: BTreeMap<SpaceId, Twin>,
    /// Grows with every run, for choosing the twin that is dropped.
    runs: u64,
}

/// The copies of one space.
struct Twin {
    /// Where B runs.
    space: Space,
    /// The memory before the run.
    before: Space,
    /// The areas that they were made of.
    layout: Layout,
    /// When it ran last.
    used: u64,
}

/// Start, end, protection of every area, and whether it is shared.
type Layout = Vec<(GuestAddr, GuestAddr, Prot, bool)>;

fn layout(space: &Space) -> Layout {
    space.areas().map(|area| (area.start, area.end, area.prot, area.shared)).collect()
}

fn failed(reason: String) -> Error {
    Error::Cpu { backend: "lockstep", reason }
}

/// What is compared after a run.
#[derive(Clone, Debug, PartialEq)]
struct End {
    exit: Exit,
    retired: u64,
    regs: Regs,
}

/// Runs `cpu` for exactly `budget` instructions or to another exit, whatever asks it to stop early.
fn run_whole(cpu: &mut dyn Cpu, space: &mut Space, budget: u64) -> Result<End, Error> {
    let before = cpu.retired();
    let mut stop_wanted = false;
    let exit = loop {
        stop_wanted |= STOP_REQUESTED.swap(false, Ordering::Relaxed);
        let done = cpu.retired() - before;
        if done >= budget {
            break Exit::Budget;
        }
        let exit = cpu.run(space, budget - done)?;
        if exit != Exit::Budget {
            break exit;
        }
    };
    if stop_wanted {
        STOP_REQUESTED.store(true, Ordering::Relaxed);
    }
    Ok(End { exit, retired: cpu.retired() - before, regs: saved(cpu) })
}

fn saved(cpu: &dyn Cpu) -> Regs {
    let mut regs = Regs::new(cpu.arch());
    cpu.save(&mut regs);
    regs
}

impl Lockstep {
    /// Opens both backends of `choice`, which is two names with a comma between.
    ///
    /// # Errors
    /// `choice` is no such thing, or one of them cannot work here.
    pub fn new(choice: &str, arch: Arch, model: Model) -> Result<Lockstep, Error> {
        let names = choice.split_once(',').filter(|(a, b)| !a.contains(':') && !b.contains([':', ',']));
        let Some((a, b)) = names else {
            return Err(Error::Usage(format!("'lockstep:{choice}' does not name two CPU backends (lockstep:A,B)")));
        };
        let names = (a, b);
        let (mut a, mut b) = (super::open_exact(a, arch, model)?, super::open_exact(b, arch, model)?);
        if let (Some(of_a), Some(of_b)) = (a.cpuid(), b.cpuid())
            && of_a != of_b
        {
            // A program must see the same of both.
            let common = Model::Within(of_a.features() & of_b.features());
            (a, b) = (super::open_exact(names.0, arch, common)?, super::open_exact(names.1, arch, common)?);
        }
        let mut lockstep = Lockstep { a, b, twins: BTreeMap::new(), runs: 0 };
        lockstep.set_counter(Counter::Host);
        Ok(lockstep)
    }

    /// Makes the twin of a space like it, and its second copy too.
    fn prepare(&mut self, space: &mut Space) -> Result<(), Error> {
        let id = space.id();
        let changes = space.take_changes();
        for (addr, len) in &changes {
            self.a.invalidate(id, *addr, *len);
        }
        self.runs += 1;
        let layout = layout(space);
        // Not every new area is a change to a CPU, which may have kept nothing of what was there.
        if changes.is_empty()
            && let Some(twin) = self.twins.get_mut(&id).filter(|twin| twin.layout == layout)
        {
            twin.used = self.runs;
            for page in space.differing_pages(&twin.space) {
                twin.space.copy_page(space, page);
            }
            for page in space.differing_pages(&twin.before) {
                twin.before.copy_page(space, page);
            }
            return Ok(());
        }
        self.twins.remove(&id);
        if self.twins.len() >= MOST_TWINS
            && let Some(oldest) = self.twins.iter().min_by_key(|(_, twin)| twin.used).map(|(id, _)| *id)
        {
            self.twins.remove(&oldest);
        }
        let twin = Twin { space: space.twin()?, before: space.twin()?, layout, used: self.runs };
        self.twins.insert(id, twin);
        Ok(())
    }

    /// Runs one piece on both.
    fn piece(&mut self, space: &mut Space, budget: u64) -> Result<Exit, Error> {
        self.prepare(space)?;
        let start = saved(&*self.a);
        let before = self.a.retired();
        let exit = self.a.run(space, budget)?;
        let a = End { exit, retired: self.a.retired() - before, regs: saved(&*self.a) };
        let Some(twin) = self.twins.get_mut(&space.id()) else { return Err(failed("a twin is missing".into())) };
        // One more, so that an instruction which ends the run on A has its turn.
        let share = if exit == Exit::Budget { a.retired } else { a.retired + 1 };
        let b = run_whole(&mut *self.b, &mut twin.space, share)?;
        if a == b {
            let pages = space.differing_pages(&twin.space);
            let torn = |page: &GuestAddr| {
                matches!(exit, Exit::Fault { addr, access: Access::Write, .. }
                if addr.page().0.abs_diff(page.0) <= crate::mem::PAGE_SIZE)
            };
            if pages.iter().all(torn) {
                return Ok(exit);
            }
        }
        let memory = memory_differences(space, &twin.space);
        Err(failed(self.explain(space.id(), &start, &a, &b, &memory)))
    }

    /// Finds the first instruction after which the backends differ, and describes it.
    fn explain(&mut self, id: SpaceId, start: &Regs, a: &End, b: &End, memory: &str) -> String {
        let names = format!("{} / {}", self.a.name(), self.b.name());
        let whole = format!("from {:#x}, {} instructions:\n{}{memory}", start.pc(), a.retired, differences(a, b));
        let (mut good, mut bad) = (0, a.retired.max(b.retired) + 1);
        let mut found = None;
        while bad - good > 1 || found.is_none() {
            let middle = if found.is_none() { bad } else { good + (bad - good) / 2 };
            match self.again(id, start, middle) {
                Ok(Some(difference)) => {
                    found = Some(difference);
                    bad = middle;
                }
                Ok(None) if found.is_none() => {
                    return format!("{names} differ, but not when they run again with other budgets;\n{whole}");
                }
                Ok(None) => good = middle,
                Err(error) => return format!("{names} differ ({error});\n{whole}"),
            }
        }
        let place = self.pc_after(id, start, good);
        let code = self.twins.get(&id).map_or_else(String::new, |twin| words(&twin.before, start.arch(), place));
        format!(
            "{names} differ after instruction {bad} of a run from {:#x}, at {place:#x}\n{code}{}",
            start.pc(),
            found.unwrap_or_default()
        )
    }

    /// Runs both again from the start of the run; tells how they differ after `budget` instructions.
    fn again(&mut self, id: SpaceId, start: &Regs, budget: u64) -> Result<Option<String>, Error> {
        let Some(twin) = self.twins.get(&id) else { return Ok(None) };
        let mut spaces = [twin.before.twin()?, twin.before.twin()?];
        let mut ends = Vec::new();
        for (cpu, space) in [&mut self.a, &mut self.b].into_iter().zip(&mut spaces) {
            cpu.load(start);
            ends.push(run_whole(&mut **cpu, space, budget)?);
        }
        let memory = memory_differences(&spaces[0], &spaces[1]);
        let (a, b) = (&ends[0], &ends[1]);
        Ok((a != b || !memory.is_empty()).then(|| differences(a, b) + &memory))
    }

    /// Where the run is after `budget` instructions.
    fn pc_after(&mut self, id: SpaceId, start: &Regs, budget: u64) -> u64 {
        let Some(mut space) = self.twins.get(&id).and_then(|twin| twin.before.twin().ok()) else { return start.pc() };
        self.a.load(start);
        run_whole(&mut *self.a, &mut space, budget).map_or(start.pc(), |end| end.regs.pc())
    }
}

/// The bytes of the code around a place, in hexadecimal: words on aarch64.
fn words(space: &Space, arch: Arch, pc: u64) -> String {
    let (from, len) = match arch {
        Arch::Aarch64 => (pc.saturating_sub(32), 48),
        Arch::X86_64 => (pc, 16),
    };
    let mut bytes = vec![0; len];
    let read = space.read_partial(GuestAddr(from), &mut bytes);
    match arch {
        Arch::X86_64 => format!("  {from:#x}: {:02x?}\n", &bytes[..read]),
        Arch::Aarch64 => bytes[..read]
            .chunks_exact(4)
            .zip((from..).step_by(4))
            .map(|(word, at)| {
                let word = word.iter().rev().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
                format!("  {} {at:#x}: {word}\n", if at == pc { '>' } else { ' ' })
            })
            .collect(),
    }
}

/// In what two ends of a run differ, a line each.
fn differences(a: &End, b: &End) -> String {
    let mut text = String::new();
    let mut say = |name: String, a: String, b: String| {
        if a != b {
            text += &format!("  {name:8} {a} / {b}\n");
        }
    };
    say("exit".into(), format!("{:x?}", a.exit), format!("{:x?}", b.exit));
    say("retired".into(), a.retired.to_string(), b.retired.to_string());
    for ((name, x), (_, y)) in named(&a.regs).into_iter().zip(named(&b.regs)) {
        say(name, format!("{x:#x}"), format!("{y:#x}"));
    }
    text
}

/// All registers by name.
fn named(regs: &Regs) -> Vec<(String, u128)> {
    let list = |prefix: &'static str, values: Vec<u128>| {
        values.into_iter().enumerate().map(move |(i, v)| (format!("{prefix}{i}"), v)).collect::<Vec<_>>()
    };
    let wide = |values: &[u64]| values.iter().map(|v| u128::from(*v)).collect::<Vec<_>>();
    let rest = |values: &[(&str, u64)]| values.iter().map(|(n, v)| (n.to_string(), u128::from(*v))).collect();
    match regs {
        Regs::Aarch64(r) => {
            let aarch64::Regs { x, sp, pc, pstate, tpidr, v, fpcr, fpsr } = &**r;
            let others: Vec<_> = rest(&[
                ("sp", *sp),
                ("pc", *pc),
                ("nzcv", *pstate),
                ("tpidr", *tpidr),
                ("fpcr", u64::from(*fpcr)),
                ("fpsr", u64::from(*fpsr)),
            ]);
            [list("x", wide(x)), others, list("v", v.to_vec())].concat()
        }
        Regs::X86_64(r) => {
            let x86_64::Regs { gpr, rip, rflags, fs_base, gs_base, fpu } = &**r;
            let others: Vec<_> = rest(&[
                ("rip", *rip),
                ("rflags", *rflags),
                ("fs_base", *fs_base),
                ("gs_base", *gs_base),
                ("fcw", u64::from(fpu.fcw)),
                ("fsw", u64::from(fpu.fsw)),
                ("ftw", u64::from(fpu.ftw)),
                ("mxcsr", u64::from(fpu.mxcsr)),
            ]);
            [list("r", wide(gpr)), others, list("st", fpu.st.to_vec()), list("xmm", fpu.xmm.to_vec())].concat()
        }
    }
}

/// In what the memory of two spaces differs, a line for each of the first pieces of eight bytes.
fn memory_differences(a: &Space, b: &Space) -> String {
    let mut lines = Vec::new();
    for page in a.differing_pages(b) {
        for at in (page.0..page.0 + crate::mem::PAGE_SIZE).step_by(8) {
            let (x, y) = (a.copy_in::<u64>(GuestAddr(at)), b.copy_in::<u64>(GuestAddr(at)));
            if let (Ok(x), Ok(y)) = (x, y)
                && x != y
            {
                lines.push(format!("  [{at:#x}] {x:#018x} / {y:#018x}\n"));
            }
            if lines.len() >= SHOWN {
                return lines.concat();
            }
        }
    }
    lines.concat()
}

impl Cpu for Lockstep {
    fn name(&self) -> &'static str {
        "lockstep"
    }

    fn arch(&self) -> Arch {
        self.a.arch()
    }

    fn run(&mut self, space: &mut Space, budget: u64) -> Result<Exit, Error> {
        let end = self.retired().saturating_add(budget);
        loop {
            let left = end - self.retired();
            let exit = self.piece(space, left.min(PIECE))?;
            if exit != Exit::Budget || self.retired() >= end || STOP_REQUESTED.load(Ordering::Relaxed) {
                return Ok(exit);
            }
        }
    }

    fn retired(&self) -> u64 {
        self.a.retired()
    }

    fn invalidate(&mut self, space: SpaceId, addr: GuestAddr, len: u64) {
        self.a.invalidate(space, addr, len);
        self.twins.remove(&space);
    }

    fn set_counter(&mut self, counter: Counter) {
        let counter = match counter {
            Counter::Retired { .. } => counter,
            Counter::Host => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                let now = (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64);
                Counter::Retired { offset: now.wrapping_sub(self.a.retired()) }
            }
        };
        self.a.set_counter(counter);
        // What the two have retired differs after a report only; until then their clocks agree.
        self.b.set_counter(counter);
    }

    fn statistics(&self) -> Vec<(String, u64)> {
        let of = |cpu: &dyn Cpu| {
            let name = cpu.name();
            cpu.statistics().into_iter().map(move |(what, n)| (format!("{name}: {what}"), n))
        };
        of(&*self.a).chain(of(&*self.b)).chain([("runs compared".into(), self.runs)]).collect()
    }

    fn hwcap(&self) -> (u64, u64) {
        let ((a, a2), (b, b2)) = (self.a.hwcap(), self.b.hwcap());
        (a & b, a2 & b2)
    }

    fn cpuid(&self) -> Option<Cpuid> {
        self.a.cpuid()
    }
}

impl RegPort for Lockstep {
    fn syscall(&self) -> RawCall {
        self.a.syscall()
    }

    fn set_result(&mut self, value: u64) {
        self.a.set_result(value);
        self.b.set_result(value);
    }

    fn pc(&self) -> u64 {
        self.a.pc()
    }

    fn sp(&self) -> u64 {
        self.a.sp()
    }

    fn save(&self, regs: &mut Regs) {
        self.a.save(regs);
    }

    fn load(&mut self, regs: &Regs) {
        self.a.load(regs);
        self.b.load(regs);
    }
}
