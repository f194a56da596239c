//! Runs cases on two sides and compares all that they leave behind.

use sevm::arch::Regs;
use sevm::cpu::{Access, Cpu, Exit};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, Space, Windows};

use super::isa::{Case, Isa, Oracle, Outcome, Runner};
use super::random::{CODE, CODE_SIZE, READ_ONLY, SCRATCH, SCRATCH_SIZE};

/// More instructions than any case can run.
const BUDGET: u64 = 1000;

/// What runs cases.
pub enum Side<I: Isa> {
    /// A backend with an address space of its own.
    Backend {
        /// The backend.
        cpu: Box<dyn Cpu>,
        /// Its address space.
        space: Space,
    },
    /// Something else.
    Runner(Box<dyn Runner<I>>),
}

impl<I: Isa> Side<I> {
    pub fn new(name: &str, windows: &Windows, fillings: &[u8]) -> Result<Side<I>, String> {
        if let Some(runner) = I::runner(name, fillings) {
            return Ok(Side::Runner(runner?));
        }
        let cpu = I::open(name).map_err(|e| e.to_string())?;
        let mut space = Space::new(windows).map_err(|e| e.to_string())?;
        for (addr, len, prot) in [
            (CODE, CODE_SIZE, Prot::READ | Prot::EXEC),
            (SCRATCH, SCRATCH_SIZE, Prot::READ | Prot::WRITE),
            (READ_ONLY, PAGE_SIZE, Prot::READ),
        ] {
            space.map(&MapRequest::anonymous_at(GuestAddr(addr), len, prot)).map_err(|e| format!("{e:?}"))?;
        }
        let tail = &fillings[fillings.len() - PAGE_SIZE as usize..];
        space.poke(GuestAddr(READ_ONLY), tail).map_err(|e| format!("{e:?}"))?;
        Ok(Side::Backend { cpu, space })
    }

    /// Writes code, each sequence with system calls behind it: a jump of a case that has been cut short ends there, too.
    pub fn place<'a>(&mut self, cases: impl Iterator<Item = &'a Case<I>>) {
        let Side::Backend { space, .. } = self else { return };
        let mut code: Vec<u8> = Vec::new();
        for case in cases {
            let start = (case.address(0) - CODE) as usize;
            let end = start + I::STRIDE as usize;
            code.resize(start, 0);
            code.extend(case.words.iter().flat_map(|w| I::bytes(w)));
            while code.len() + I::CALL.len() <= end {
                code.extend(I::CALL);
            }
        }
        space.poke(GuestAddr(CODE), &code).expect("the code is mapped");
    }

    /// Runs a case that has been placed, in slices of so many instructions if wanted.
    pub fn run(&mut self, case: &Case<I>, fillings: &[u8], slice: Option<u64>) -> Result<Outcome<I>, String> {
        let memory = &fillings[case.filling * 16..][..SCRATCH_SIZE as usize];
        let (cpu, space) = match self {
            Side::Backend { cpu, space } => (cpu, space),
            Side::Runner(runner) => return runner.run(case, memory),
        };
        space.write(GuestAddr(SCRATCH), memory).expect("the scratch area is mapped");
        cpu.load(&I::wrap(&case.regs));
        let before = cpu.retired();
        let exit = loop {
            let left = BUDGET - (cpu.retired() - before).min(BUDGET);
            let exit = cpu.run(space, slice.unwrap_or(BUDGET).min(left)).map_err(|e| e.to_string())?;
            if exit != Exit::Budget || cpu.retired() - before >= BUDGET {
                break exit;
            }
        };
        let mut regs = Regs::new(I::ARCH);
        cpu.save(&mut regs);
        let regs = I::unwrap(regs).ok_or("registers of another architecture")?;
        let mut memory = vec![0; SCRATCH_SIZE as usize];
        space.read(GuestAddr(SCRATCH), &mut memory).expect("the scratch area is mapped");
        let retired = cpu.retired() - before;
        Ok(Outcome { exit, retired, regs, memory })
    }
}

/// Runs a case on both; tells what came out of the first, and in what the second differs.
pub fn compare<I: Isa>(
    sides: &mut [Side<I>; 2],
    case: &Case<I>,
    fillings: &[u8],
    oracle: Oracle,
) -> Result<(Outcome<I>, Option<String>), String> {
    let [a, b] = sides;
    let mut wanted = a.run(case, fillings, None)?;
    let found = b.run(case, fillings, case.slice)?;
    if let Side::Runner(runner) = a {
        runner.complete(&mut wanted, &found, case);
    }
    I::settle(&mut wanted, &found, case, oracle);
    let different = difference(&wanted, &found);
    Ok((wanted, different))
}

/// Tells in what two outcomes differ, `None` if in nothing.
fn difference<I: Isa>(a: &Outcome<I>, b: &Outcome<I>) -> Option<String> {
    // A store that faults may have stored the part that does not (Unicorn's module documentation).
    let torn = match a.exit {
        Exit::Fault { addr, access: Access::Write, .. } => {
            let at = addr.0.saturating_sub(SCRATCH) as usize;
            at.saturating_sub(64)..at.saturating_add(64)
        }
        _ => 0..0,
    };
    if a == b {
        return None;
    }
    let mut text = String::new();
    let mut say = |what: String, a: String, b: String| {
        if a != b {
            text += &format!("    {what:8} {a} / {b}\n");
        }
    };
    say("exit".into(), format!("{:x?}", a.exit), format!("{:x?}", b.exit));
    say("retired".into(), a.retired.to_string(), b.retired.to_string());
    I::pairs(&a.regs, &b.regs).into_iter().for_each(|(what, a, b)| say(what, a, b));
    if a.memory != b.memory {
        let differs = |i: &usize| a.memory[*i] != b.memory[*i] && !torn.contains(i);
        for at in (0..a.memory.len()).filter(differs).take(16) {
            let (x, y) = (format!("{:#04x}", a.memory[at]), format!("{:#04x}", b.memory[at]));
            say(format!("[{:#x}]", SCRATCH + at as u64), x, y);
        }
    }
    (!text.is_empty()).then_some(text)
}
