//! Random instructions on two CPU backends: `cargo test --release --test differential [CLASS]`.
//!
//! Every class of encodings (`differential/encodings.rs`) is a test. Sequences of up to twenty instructions run on both
//! backends from the same registers and memory; registers, flags, memory, the exit and the count of instructions must be
//! the same. A difference is made small and printed with its seed.
//!
//! - `SEVM_DIFFERENTIAL_INSTRUCTIONS=N`: how many instructions in all (K, M, G: powers of 1000)
//! - `SEVM_DIFFERENTIAL_SEED=N`: another seed; `random` for one from the clock
//! - `SEVM_DIFFERENTIAL_BATCH=N`: only this batch of cases, as a report names it
//! - `SEVM_DIFFERENTIAL_BACKENDS=A,B`: which backends; A is taken to be right. `soft` is the translator's own reference of
//!   floating-point, AdvSIMD and cryptographic instructions; `qemu` is qemu-aarch64, which knows BF16 and I8MM
//! - `SEVM_DIFFERENTIAL_FAILURES=N`: how many different failures of a class are reported

#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/encodings.rs"]
mod encodings;
#[path = "differential/generate.rs"]
mod generate;
#[path = "differential/qemu.rs"]
mod qemu;
#[path = "differential/shrink.rs"]
mod shrink;
#[path = "differential/unicorn.rs"]
mod unicorn;

use std::collections::BTreeSet;
use std::time::Instant;

use compare::{PLACES, QEMU, SOFT, STRIDE, Side, compare};
use encodings::Class;
use generate::{CODE, Generator, Oracle, Random};
use libtest_mimic::{Arguments, Failed, Trial};
use sevm::arch::Arch;
use sevm::cpu::Exit;
use sevm::mem::Windows;

/// Sets of registers that each sequence runs with.
const ROUNDS: usize = 3;
/// Instructions of all classes together, in about a minute of one processor.
const DEFAULT_INSTRUCTIONS: u64 = 10_000_000;
const DEFAULT_SEED: u64 = 20_261_123;

/// What the environment asks for.
#[derive(Clone)]
struct Options {
    backends: [String; 2],
    instructions: u64,
    seed: u64,
    batch: Option<u64>,
    failures: usize,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(format!("SEVM_DIFFERENTIAL_{name}")).ok().filter(|v| !v.is_empty())
}

fn number(name: &str) -> Option<u64> {
    let text = variable(name)?;
    let (digits, unit) = match text.chars().last()? {
        'K' | 'k' => (&text[..text.len() - 1], 1000),
        'M' | 'm' => (&text[..text.len() - 1], 1_000_000),
        'G' | 'g' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (&text[..], 1),
    };
    Some(digits.parse::<u64>().unwrap_or_else(|_| panic!("{name}: '{text}' is no number")) * unit)
}

impl Options {
    fn new() -> Options {
        let seed = match variable("SEED").as_deref() {
            Some("random") => std::time::UNIX_EPOCH.elapsed().map_or(1, |t| t.as_nanos() as u64),
            _ => number("SEED").unwrap_or(DEFAULT_SEED),
        };
        let backends = match variable("BACKENDS") {
            Some(text) => {
                let (a, b) = text.split_once(',').expect("SEVM_DIFFERENTIAL_BACKENDS is A,B");
                [a.to_owned(), b.to_owned()]
            }
            None => {
                let other = |b: &&sevm::cpu::Backend| b.archs.contains(&Arch::Aarch64) && b.name != "unicorn";
                let second = sevm::cpu::backends().iter().find(other).map_or("unicorn", |b| b.name);
                ["unicorn".to_owned(), second.to_owned()]
            }
        };
        Options {
            backends,
            instructions: number("INSTRUCTIONS").unwrap_or(DEFAULT_INSTRUCTIONS),
            seed,
            batch: number("BATCH"),
            failures: number("FAILURES").unwrap_or(5) as usize,
        }
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let options = Options::new();
    let mut classes = encodings::classes();
    let soft = options.backends.iter().any(|name| name == SOFT);
    if soft {
        classes = classes.iter().filter_map(Class::soft).collect();
    }
    if options.backends.iter().any(|name| name == QEMU) {
        classes = classes.iter().filter_map(Class::qemu).collect();
    }
    let others = if soft { Vec::new() } else { classes.clone() };
    let share = options.instructions / classes.len() as u64;
    let trial = |(index, class): (usize, &Class)| {
        let (class, all, options) = (class.clone(), others.clone(), options.clone());
        let run = move || check(index as u64, &class, &all, share, &options).map_err(Failed::from);
        Trial::test(classes[index].name, run)
    };
    let trials = classes.iter().enumerate().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// Runs one class until its share of instructions has retired.
fn check(index: u64, class: &Class, all: &[Class], share: u64, options: &Options) -> Result<(), String> {
    let fillings = generate::fillings(&mut Random::new(options.seed));
    let windows = Windows::new(36).map_err(|e| e.to_string())?;
    let [a, b] = &options.backends;
    let mut sides = [Side::new(a, &windows, &fillings)?, Side::new(b, &windows, &fillings)?];
    let (mut retired, mut illegal, mut faults, mut runs) = (0, 0u64, 0u64, 0u64);
    let mut failures: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut reports = 0;
    let start = Instant::now();
    let mut batch = options.batch.unwrap_or(0);
    let oracle = match &options.backends {
        names if names.iter().any(|name| name == "unicorn") => Oracle::Unicorn,
        names if names.iter().any(|name| name == QEMU) => Oracle::Qemu,
        _ => Oracle::Other,
    };
    let mut generator = Generator::new(class, all, oracle);
    while retired < share {
        // Each batch can be made again by itself, but for what has been learned to be undefined.
        generator.random = Random::new(options.seed ^ index << 48 ^ batch << 20);
        let cases: Vec<_> = (0..PLACES as u64).map(|i| generator.case(CODE + i * STRIDE)).collect();
        sides.iter_mut().for_each(|side| side.place(cases.iter().map(|(case, _)| case)));
        for (first, addresses) in &cases {
            for round in 0..ROUNDS {
                let case = if round == 0 { first.clone() } else { generator.vary(first, *addresses) };
                let (wanted, different) = compare(&mut sides, &case, &fillings)?;
                retired += wanted.retired;
                runs += 1;
                match wanted.exit {
                    Exit::Illegal { .. } => {
                        illegal += 1;
                        let at = (wanted.regs.pc.wrapping_sub(case.regs.pc) / 4) as usize;
                        case.words.get(at).into_iter().for_each(|word| generator.learn_undefined(*word));
                    }
                    Exit::Fault { .. } => faults += 1,
                    _ => {}
                }
                let excused = oracle != Oracle::Other && unicorn::cannot_judge_all(&case);
                if excused || different.is_none() {
                    continue;
                }
                let report = shrink::report(&case, &mut sides, &fillings, &options.backends);
                if seen.insert(report.key) && failures.len() < options.failures {
                    let place = format!("class {}, seed {}, batch {batch}", class.name, options.seed);
                    failures.push(format!("{place}\n{}", report.text));
                }
                sides.iter_mut().for_each(|side| side.place(cases.iter().map(|(case, _)| case)));
                reports += 1;
                if seen.len() >= options.failures || reports >= 4 * options.failures {
                    return Err(failures.join("\n"));
                }
            }
        }
        if options.batch.is_some() {
            break;
        }
        batch += 1;
    }
    let rate = retired as f64 / start.elapsed().as_secs_f64() / 1e3;
    eprintln!(
        "{}: {retired} instructions in {runs} runs, {illegal} undefined, {faults} faults, {rate:.0} thousand a second",
        class.name
    );
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
