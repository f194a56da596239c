//! Random instructions on two CPU backends: `cargo test --release --test differential [CLASS]`.
//!
//! Every class of encodings (`differential/a64/encodings.rs`; `x64_...` in `differential/x64/classes.rs`) is a test.
//! Sequences of up to twenty instructions run on both
//! backends from the same registers and memory; registers, flags, memory, the exit and the count of instructions must be
//! the same. A difference is made small and printed with its seed.
//!
//! - `SEVM_DIFFERENTIAL_INSTRUCTIONS=N`: how many instructions in all (K, M, G: powers of 1000)
//! - `SEVM_DIFFERENTIAL_SEED=N`: another seed; `random` for one from the clock
//! - `SEVM_DIFFERENTIAL_BATCH=N`: only this batch of cases, as a report names it
//! - `SEVM_DIFFERENTIAL_BACKENDS=A,B`: which backends; A is taken to be right. `soft` is the translator's own reference of
//!   floating-point, AdvSIMD and cryptographic instructions; `qemu` is qemu-aarch64, which knows BF16 and I8MM;
//!   `native`, for x86_64, is the processor that the test runs on
//! - `SEVM_DIFFERENTIAL_FAILURES=N`: how many different failures of a class are reported

#[path = "differential/a64/mod.rs"]
mod a64;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/helper.rs"]
mod helper;
#[path = "differential/isa.rs"]
mod isa;
#[path = "differential/random.rs"]
mod random;
#[path = "differential/shrink.rs"]
mod shrink;
#[path = "differential/x64/mod.rs"]
mod x64;

use std::collections::BTreeSet;
use std::time::Instant;

use compare::{Side, compare};
use isa::{Generate, Isa, Oracle};
use libtest_mimic::{Arguments, Failed, Trial};
use random::{CODE, CODE_SIZE, Random};
use sevm::arch::Arch;
use sevm::cpu::{self, Exit};
use sevm::mem::Windows;

/// Sets of registers that each sequence runs with.
const ROUNDS: usize = 3;
/// Instructions of all classes together, in about a minute of one processor.
const DEFAULT_INSTRUCTIONS: u64 = 10_000_000;
const DEFAULT_SEED: u64 = 20_261_123;

/// What the environment asks for.
#[derive(Clone)]
struct Options {
    backends: Option<[String; 2]>,
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
        let backends = variable("BACKENDS").map(|text| {
            let (a, b) = text.split_once(',').expect("SEVM_DIFFERENTIAL_BACKENDS is A,B");
            [a.to_owned(), b.to_owned()]
        });
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
    let mut trials = a64_trials(&options);
    trials.extend(x64_trials(&options));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The two sides of an architecture.
fn sides(options: &Options, arch: Arch) -> [String; 2] {
    if let Some(names) = &options.backends {
        return names.clone();
    }
    let runs = |b: &&cpu::Backend| b.archs.contains(&arch) && b.name != "unicorn";
    let second = cpu::backends().iter().find(runs).map_or("unicorn", |b| b.name);
    let first = if arch == Arch::X86_64 && cfg!(target_arch = "x86_64") { x64::NATIVE } else { "unicorn" };
    [first.to_owned(), second.to_owned()]
}

fn a64_trials(options: &Options) -> Vec<Trial> {
    let names = sides(options, Arch::Aarch64);
    let mut classes = a64::encodings::classes();
    let soft = names.iter().any(|name| name == a64::SOFT);
    if names.iter().any(|name| name == x64::NATIVE) {
        return Vec::new();
    }
    if soft {
        classes = classes.iter().filter_map(a64::encodings::Class::soft).collect();
    }
    if names.iter().any(|name| name == a64::QEMU) {
        classes = classes.iter().filter_map(a64::encodings::Class::qemu).collect();
    }
    let others = if soft { Vec::new() } else { classes.clone() };
    let share = options.instructions / classes.len().max(1) as u64;
    let oracle = Oracle::of(&names);
    let trial = |(index, class): (usize, &a64::encodings::Class)| {
        let (class, all, options, names) = (class.clone(), others.clone(), options.clone(), names.clone());
        let run = move || {
            let generator = a64::generate::Generator::new(&class, &all, oracle);
            let which = Which { index: index as u64, name: class.name, share };
            check(&which, generator, &names, &options).map_err(Failed::from)
        };
        Trial::test(classes[index].name, run)
    };
    classes.iter().enumerate().map(trial).collect()
}

fn x64_trials(options: &Options) -> Vec<Trial> {
    let names = sides(options, Arch::X86_64);
    if names.iter().any(|name| name == a64::SOFT || name == a64::QEMU) {
        return Vec::new();
    }
    // What the processor has, the backends have too or do not show.
    let shown = names.iter().filter(|name| *name != x64::NATIVE).filter_map(|name| cpu::open(name, Arch::X86_64).ok());
    let Some(offered) = shown.filter_map(|cpu| cpu.cpuid()).map(|c| c.features()).reduce(|a, b| a & b) else {
        return Vec::new();
    };
    let mut classes = x64::classes::classes(offered);
    let oracle = Oracle::of(&names);
    if oracle == Oracle::Unicorn {
        classes = x64::unicorn::classes(classes);
    }
    let share = options.instructions / 4 / classes.len().max(1) as u64;
    let trial = |(index, class): (usize, &x64::classes::Class)| {
        let (class, all, options, names) = (class.clone(), classes.clone(), options.clone(), names.clone());
        let run = move || {
            let generator = x64::generate::Generator::new(&class, &all, oracle);
            let which = Which { index: 64 + index as u64, name: class.name, share };
            check(&which, generator, &names, &options).map_err(Failed::from)
        };
        Trial::test(classes[index].name, run)
    };
    classes.iter().enumerate().map(trial).collect()
}

/// A class as a test.
struct Which {
    index: u64,
    name: &'static str,
    /// How many instructions shall retire.
    share: u64,
}

/// Runs one class until its share of instructions has retired.
fn check<I: Isa>(
    which: &Which,
    mut generator: impl Generate<I>,
    names: &[String; 2],
    options: &Options,
) -> Result<(), String> {
    let fillings = random::fillings(&mut Random::new(options.seed));
    let windows = Windows::new(36).map_err(|e| e.to_string())?;
    let [a, b] = names;
    let mut sides = [Side::new(a, &windows, &fillings)?, Side::new(b, &windows, &fillings)?];
    let (mut retired, mut illegal, mut faults, mut runs) = (0, 0u64, 0u64, 0u64);
    let mut failures: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut reports = 0;
    let start = Instant::now();
    let mut batch = options.batch.unwrap_or(0);
    let oracle = Oracle::of(names);
    while retired < which.share {
        // Each batch can be made again by itself, but for what has been learned to be undefined.
        generator.reseed(options.seed ^ which.index << 48 ^ batch << 20);
        let places = CODE_SIZE / I::STRIDE;
        let cases: Vec<_> = (0..places).map(|i| generator.case(CODE + i * I::STRIDE)).collect();
        sides.iter_mut().for_each(|side| side.place(cases.iter().map(|(case, _)| case)));
        for (first, addresses) in &cases {
            for round in 0..ROUNDS {
                let case = if round == 0 { first.clone() } else { generator.vary(first, *addresses) };
                let (wanted, different) = compare(&mut sides, &case, &fillings, oracle)?;
                retired += wanted.retired;
                runs += 1;
                match wanted.exit {
                    Exit::Illegal { .. } => {
                        illegal += 1;
                        let word = case.word_at(I::wrap(&wanted.regs).pc());
                        word.into_iter().for_each(|word| generator.learn_undefined(word));
                    }
                    Exit::Fault { .. } => faults += 1,
                    _ => {}
                }
                if different.is_none() || I::excused(&case, wanted.exit, oracle) {
                    continue;
                }
                let report = shrink::report(&case, &mut sides, &fillings, names, oracle);
                if seen.insert(report.key) && failures.len() < options.failures {
                    let place = format!("class {}, seed {}, batch {batch}", which.name, options.seed);
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
    let name = which.name;
    eprintln!(
        "{name}: {retired} instructions in {runs} runs, {illegal} undefined, {faults} faults, {rate:.0} thousand a second"
    );
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
