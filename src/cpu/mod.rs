//! CPU backends: what runs guest instructions.
//!
//! A backend knows registers ([`crate::arch`]) and guest memory ([`crate::mem`]); it knows no system calls.

use crate::arch::cpuid::{Cpuid, Features, Model};
use crate::arch::{Arch, RegPort};
use crate::mem::{GuestAddr, Space};

pub mod lockstep;
#[cfg(target_arch = "x86_64")]
pub mod translate;
#[cfg(feature = "unicorn")]
pub mod unicorn;

/// Makes the CPU that `choice` names: `auto` for the fastest that works here, a name of [`backends`], or `lockstep:A,B` for
/// two of them that check one another. A backend that does not run `arch` stands for `auto`.
///
/// # Errors
/// No backend has that name, or it cannot work here.
pub fn open(choice: &str, arch: Arch) -> Result<Box<dyn Cpu>, crate::Error> {
    open_model(choice, arch, Model::Host)
}

/// The same; x86_64 programs see the features of `model` only.
///
/// # Errors
/// No backend has that name, or it cannot work here or lacks a feature of the model.
pub fn open_model(choice: &str, arch: Arch, model: Model) -> Result<Box<dyn Cpu>, crate::Error> {
    if let Some(names) = choice.strip_prefix("lockstep:") {
        return Ok(Box::new(lockstep::Lockstep::new(names, arch, model)?));
    }
    match choice {
        #[cfg(target_arch = "x86_64")]
        "translate" => translator(arch, model, translate::front::FlagUse::Live),
        // A host without what the translator needs has the other one.
        #[cfg(all(target_arch = "x86_64", feature = "unicorn"))]
        "auto" => open_model("translate", arch, model).or_else(|_| open_model("unicorn", arch, model)),
        #[cfg(all(target_arch = "x86_64", not(feature = "unicorn")))]
        "auto" => open_model("translate", arch, model),
        #[cfg(all(not(target_arch = "x86_64"), feature = "unicorn"))]
        "auto" => open_model("unicorn", arch, model),
        #[cfg(feature = "unicorn")]
        "unicorn" => Ok(Box::new(unicorn::Unicorn::new(arch, model)?)),
        #[cfg(all(not(target_arch = "x86_64"), not(feature = "unicorn")))]
        "auto" => Err(crate::Error::Usage(format!("this sevm was built without a CPU backend for {arch}"))),
        // A program of the other architecture may be started by one of this.
        name if backends().iter().any(|b| b.name == name && !b.archs.contains(&arch)) => {
            open_model("auto", arch, model)
        }
        _ => {
            let names: Vec<&str> = backends().iter().map(|b| b.name).collect();
            Err(crate::Error::Usage(format!("unknown CPU backend '{choice}' (auto, {})", names.join(", "))))
        }
    }
}

/// The same for a CPU whose state is compared at any instruction: flags that nobody will ask for are exact too.
///
/// # Errors
/// Those of [`open_model`].
pub fn open_exact(choice: &str, arch: Arch, model: Model) -> Result<Box<dyn Cpu>, crate::Error> {
    #[cfg(target_arch = "x86_64")]
    if choice == "translate" {
        return translator(arch, model, translate::front::FlagUse::Exact);
    }
    open_model(choice, arch, model)
}

/// The x86_64 processor that a backend shows, which offers these features.
///
/// # Errors
/// `--cpu-model` wants what it does not offer.
pub fn processor(backend: &str, model: Model, offered: Features) -> Result<Cpuid, crate::Error> {
    Cpuid::new(model, offered).map_err(|missing| {
        let missing = missing.join(", ");
        crate::Error::Usage(format!("--cpu-model {model} needs what the CPU backend '{backend}' lacks here: {missing}"))
    })
}

/// The translator for an architecture.
#[cfg(target_arch = "x86_64")]
fn translator(arch: Arch, model: Model, flags: translate::front::FlagUse) -> Result<Box<dyn Cpu>, crate::Error> {
    use translate::{Translate, a64::A64, x64::X64};
    match arch {
        Arch::Aarch64 => Ok(Box::new(Translate::new(A64::new(), flags)?)),
        Arch::X86_64 => Ok(Box::new(Translate::new(X64::new(model)?, flags)?)),
    }
}

/// What is known about a CPU backend without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name, as `--cpu` takes it.
    pub name: &'static str,
    /// The guest architectures that it runs.
    pub archs: &'static [Arch],
    /// What it is, in a line.
    pub summary: &'static str,
}

/// The backends that this sevm was built with, the fastest first.
pub fn backends() -> &'static [Backend] {
    &[
        #[cfg(target_arch = "x86_64")]
        Backend {
            name: "translate",
            archs: &Arch::ALL,
            summary: "sevm's own translator; x86_64 hosts with BMI2, AVX2 and FMA",
        },
        #[cfg(feature = "unicorn")]
        Backend { name: "unicorn", archs: &Arch::ALL, summary: "Unicorn 2.1.5 (QEMU's translator); works everywhere" },
    ]
}

/// What the guest tried to do when it faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A data read.
    Read,
    /// A data write (a read-modify-write counts as one).
    Write,
    /// An instruction fetch.
    Execute,
}

/// Why an access faulted; decides between SIGSEGV's and SIGBUS's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is mapped there (SEGV_MAPERR).
    Unmapped,
    /// An area is mapped, but not for this access (SEGV_ACCERR).
    Protection,
    /// A mapped file ends before the page (BUS_ADRERR).
    BeyondFile,
    /// Misaligned where the architecture demands alignment (BUS_ADRALN).
    Alignment,
    /// A non-canonical x86_64 address (SEGV with SI_KERNEL and address 0).
    NonCanonical,
}

/// Why [`Cpu::run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A system call instruction has retired; pc is behind it.
    Syscall,
    /// A memory access failed; pc is at the instruction, no register of it has changed.
    Fault {
        /// The lowest guest address that could not be accessed.
        addr: GuestAddr,
        /// What was tried.
        access: Access,
        /// Why it failed.
        kind: FaultKind,
    },
    /// An undefined or privileged instruction; pc is at it. `privileged` is x86_64's #GP (SIGSEGV), else SIGILL.
    Illegal {
        /// The instruction exists but not for user mode.
        privileged: bool,
    },
    /// A breakpoint instruction (`int3`: pc behind it; `brk`: pc at it), as Linux reports it.
    Breakpoint,
    /// A single step finished (x86_64 TF).
    SingleStep,
    /// Integer division by zero or overflow (x86_64 #DE); pc is at the instruction.
    Divide,
    /// An unmasked floating-point exception; `code` is the FPE_* si_code.
    FloatingPoint {
        /// FPE_FLTDIV and so on.
        code: i32,
    },
    /// The budget is used up, or [`STOP_REQUESTED`] was set; pc is at the next instruction.
    Budget,
}

/// Asks a running backend to come back soon with [`Exit::Budget`]. Usable from a signal handler: it only sets a flag,
/// which who asked takes back.
pub static STOP_REQUESTED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// What the guest's cycle counters show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// The host's monotonic clock.
    Host,
    /// `offset` plus the instructions retired: the deterministic clock.
    Retired {
        /// Nanoseconds to add (wrapping).
        offset: u64,
    },
}

/// A CPU that runs user-mode instructions of one architecture. The contract, which the conformance suite
/// (`tests/cpu.rs`) checks point by point:
///
/// 1. **Registers.** It holds the registers of one thread at a time. `load` replaces all of them, `save` yields all
///    of them; `save` after `load` with no run between gives the same value, every bit that the architecture defines.
/// 2. **Run.** `run` executes from the current pc in the given space until something in [`Exit`] happens, and reports
///    just that. Registers and pc are exact at every exit, as the variant says.
/// 3. **Memory.** All accesses go to the given [`Space`] and obey its protections at the time of the access, execute
///    permission included. An access that spans pages faults if either page refuses, and then has changed nothing.
/// 4. **Counting.** `retired` grows by exactly the number of instructions that completed; a faulting instruction
///    does not count, a system call instruction does, a string instruction with a repeat prefix counts once when it
///    completes.
/// 5. **Budget.** `run` comes back after exactly `budget` retired instructions unless another exit comes first.
///    Asynchronous requests (`STOP_REQUESTED`) are answered within a bounded number of instructions.
/// 6. **Code changes.** Bytes that become or were executable and change are executed in their new form: by the
///    guest's own stores (x86_64: at once; aarch64: after the architected cache maintenance) and by `invalidate`.
/// 7. **Spaces.** Runs in different spaces never see one another's memory, whatever order they come in.
/// 8. **No escape.** Nothing the guest executes can touch memory outside its space, panic or end the host process.
///    An error of the backend's own is an `Err`, never a guest fault.
pub trait Cpu: RegPort {
    /// The backend's name, as `--cpu` takes it.
    fn name(&self) -> &'static str;

    /// The architecture it runs.
    fn arch(&self) -> Arch;

    /// Runs at most `budget` instructions of the loaded thread in `space`.
    ///
    /// # Errors
    /// The backend itself failed.
    fn run(&mut self, space: &mut Space, budget: u64) -> Result<Exit, crate::Error>;

    /// Instructions retired since the backend was made.
    fn retired(&self) -> u64;

    /// Tells that the `len` bytes at `addr` of the space with id `space` have changed or lost their mapping other than through the guest's own
    /// stores: cached translations and page lookups for them are dropped.
    fn invalidate(&mut self, space: crate::mem::SpaceId, addr: GuestAddr, len: u64);

    /// Chooses what the cycle counters (`rdtsc`, `cntvct_el0`) show; both count nanoseconds (1 GHz).
    fn set_counter(&mut self, counter: Counter);

    /// Features for AT_HWCAP and AT_HWCAP2.
    fn hwcap(&self) -> (u64, u64);

    /// What `cpuid` shows, for x86_64.
    fn cpuid(&self) -> Option<Cpuid> {
        None
    }

    /// What the backend has counted about its own work, by name, for `--cpu-stats`; empty if it counts nothing.
    fn statistics(&self) -> Vec<(String, u64)> {
        Vec::new()
    }

    /// The translated code that is in memory now, for `--perf-map`; empty if the backend cannot tell.
    fn translations(&self) -> Vec<Translation> {
        Vec::new()
    }
}

/// A piece of host code that a backend has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Its host address.
    pub host: u64,
    /// Its length in bytes.
    pub len: u64,
    /// The guest address that it is a translation of.
    pub pc: GuestAddr,
    /// The file that the guest's code comes from, and where in it.
    pub file: Option<(std::rc::Rc<[u8]>, u64)>,
}
