//! `--chaos`: seeded faults that Linux could really give ([`super::faults`]).
//!
//! Whether something happens to a call, and what, follows from the seed, the thread and how many such calls the thread has
//! made: the same run gives the same faults, and leaving one out does not change the others before it.

use super::faults::{Fault, Restart, TABLE, kind};
use super::{Action, decimal};
use crate::abi::{Errno, Signal, consts::sigaction::SA_RESTART};
use crate::kernel::file::{File, FileKind};
use crate::kernel::net::Socket;
use crate::kernel::{Kernel, Tid};
use crate::syscalls::{ENTRIES, Scalar, Type};
use crate::trace::{Call, Filter};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;

/// Which call of which thread: threads count from 1 in the order of their first calls, and so do the calls of a thread
/// to which something may happen.
pub type Place = (u32, u64);

/// What `--chaos` asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// Share of calls to which something happens, from 0 to 1.
    pub rate: f64,
    /// Calls to which something may happen.
    pub calls: Filter,
    /// The set as it was written.
    pub set: String,
    /// Where something happens, if that is not left to chance.
    pub only: Option<BTreeSet<Place>>,
    /// How many seeds are tried, one after the other.
    pub runs: u64,
}

/// Without `rate=`.
const RATE: f64 = 0.02;

impl Options {
    /// Options of `seed=N[,rate=P][,runs=N][,only=T.N+...][,set=SET]`; the set comes last, for it may hold commas. `None` for the
    /// seed where none is given: the caller then takes one by chance.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, chance: impl FnOnce() -> u64) -> Result<Options, String> {
        let wrong = || format!("invalid chaos argument '{text}'");
        let (head, set) = match text.split_once("set=") {
            Some((head, set)) if head.is_empty() || head.ends_with(',') => (head.trim_end_matches(','), set),
            _ => (text, "all"),
        };
        let calls = Filter::from_set(set).map_err(|e| e.to_string())?;
        let (mut seed, mut rate, mut only, mut runs) = (None, None, None, None);
        for token in head.split(',').filter(|t| !t.is_empty()) {
            let (key, value) = token.split_once('=').ok_or_else(wrong)?;
            let set = match key {
                "seed" if value == "random" => seed.is_none().then_some(true),
                "seed" => decimal(value).map(|n| seed.replace(n).is_none()),
                "rate" => share(value).map(|p| rate.replace(p).is_none()),
                "runs" => decimal(value).filter(|n| *n > 0).map(|n| runs.replace(n).is_none()),
                "only" => places(value).map(|p| only.replace(p).is_none()),
                _ => None,
            };
            if set != Some(true) {
                return Err(wrong());
            }
        }
        let seed = seed.unwrap_or_else(chance);
        let (rate, set, runs) = (rate.unwrap_or(RATE), set.to_string(), runs.unwrap_or(1));
        Ok(Options { seed, rate, calls, set, only, runs })
    }

    /// The argument that gives one of these runs again.
    pub fn argument(&self) -> String {
        let mut text = format!("seed={}", self.seed);
        // Writing to a string cannot fail.
        if let Some(only) = &self.only {
            let list: Vec<String> = only.iter().map(|(t, n)| format!("{t}.{n}")).collect();
            let _ = write!(text, ",only={}", list.join("+"));
        } else if self.rate != RATE {
            let _ = write!(text, ",rate={}", self.rate);
        }
        if self.set != "all" {
            let _ = write!(text, ",set={}", self.set);
        }
        text
    }
}

/// A share: from 0 to 1, or a percentage.
fn share(text: &str) -> Option<f64> {
    let (number, of) = text.strip_suffix('%').map_or((text, 1.0), |t| (t, 100.0));
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let share = plain.then(|| number.parse::<f64>().ok())?? / of;
    (0.0..=1.0).contains(&share).then_some(share)
}

/// `T.N+T.N...`; nothing at all for no place.
fn places(text: &str) -> Option<BTreeSet<Place>> {
    let place = |t: &str| {
        let (thread, call) = t.split_once('.')?;
        Some((u32::try_from(decimal(thread)?).ok()?, decimal(call)?))
    };
    text.split('+').filter(|t| !t.is_empty()).map(place).collect()
}

/// Something that was done to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// Where.
    pub place: Place,
    /// The call's name.
    pub call: &'static str,
    /// What, in words.
    pub what: String,
}

/// Faults of a run.
pub struct Chaos {
    options: Options,
    /// Rows of the table by index in [`ENTRIES`].
    rows: Vec<Option<usize>>,
    threads: BTreeMap<Tid, Place>,
    last_thread: u32,
    injected: Rc<RefCell<Vec<Injected>>>,
}

/// What may happen to a call, with all that it takes.
enum Choice {
    Fails(Errno),
    Gives(u64),
    Shorter { arg: usize, to: u64 },
    Delayed(u64),
}

impl Chaos {
    /// Faults as the options say.
    pub fn new(options: Options) -> Chaos {
        let row = |i: usize| {
            let name = ENTRIES[i].name;
            TABLE.iter().position(|r| r.calls.contains(&name)).filter(|_| options.calls.admits(Some(i)))
        };
        let rows = (0..ENTRIES.len()).map(row).collect();
        Chaos { options, rows, threads: BTreeMap::new(), last_thread: 0, injected: Rc::default() }
    }

    /// What has been done so far: it can be read after the run.
    pub fn injected(&self) -> Rc<RefCell<Vec<Injected>>> {
        Rc::clone(&self.injected)
    }

    /// A thread makes a call: what is to be done to it.
    pub(super) fn enter(&mut self, kernel: &Kernel, call: &Call) -> Option<Action> {
        let row = (*self.rows.get(call.index?)?)?;
        let place = self.threads.entry(call.tid).or_insert_with(|| {
            self.last_thread += 1;
            (self.last_thread, 0)
        });
        place.1 += 1;
        let place = *place;
        let mut random = Random::at(self.options.seed, place);
        let hit = random.unit() < self.options.rate;
        if !self.options.only.as_ref().map_or(hit, |only| only.contains(&place)) {
            return None;
        }
        let mut choices: Vec<Choice> =
            TABLE[row].faults.iter().filter_map(|f| possible(f, kernel, call, &mut random)).collect();
        // From a microsecond to some ten milliseconds, short ones as likely as long ones.
        choices.push(Choice::Delayed(1000 << random.below(14)));
        let chosen = choices.swap_remove(random.below(choices.len() as u64) as usize);
        let (action, what) = chosen.action();
        self.injected.borrow_mut().push(Injected { place, call: ENTRIES[call.index?].name, what });
        Some(action)
    }

    /// A thread is gone; its id may be another's later.
    pub(super) fn forget(&mut self, tid: Tid) {
        self.threads.remove(&tid);
    }
}

impl Choice {
    fn action(self) -> (Action, String) {
        let action = Action::default();
        match self {
            Choice::Fails(errno) => {
                let name = errno.name().map_or_else(|| errno.0.to_string(), String::from);
                (Action { result: Some(Err(errno)), ..action }, name)
            }
            Choice::Gives(value) => (Action { result: Some(Ok(value)), ..action }, format!("returns {value}")),
            Choice::Shorter { arg, to } => {
                (Action { registers: vec![(arg, to)], ..action }, format!("argument {} becomes {to}", arg + 1))
            }
            Choice::Delayed(ns) => {
                (Action { delay_enter_ns: Some(ns), ..action }, format!("delayed by {} us", ns / 1000))
            }
        }
    }
}

/// Whether a fault may really happen to this call now, and how.
fn possible(fault: &Fault, kernel: &Kernel, call: &Call, random: &mut Random) -> Option<Choice> {
    // Drawn in any case, so that what is possible here does not change what comes of it elsewhere.
    let drawn = random.next();
    let args = &call.raw.args;
    match *fault {
        Fault::Error(errno, kinds) => is_on(kernel, call, kinds).then_some(Choice::Fails(errno)),
        Fault::Interrupted(restart, kinds) => {
            let interrupted = is_on(kernel, call, kinds) && is_interrupted(kernel, call.tid, restart);
            interrupted.then_some(Choice::Fails(Errno::EINTR))
        }
        Fault::InterruptedSleep { left } => {
            let interrupted = args[left] == 0 && is_interrupted(kernel, call.tid, Restart::Never);
            interrupted.then_some(Choice::Fails(Errno::EINTR))
        }
        Fault::Short { count, at_least } => {
            // Of a pipe's bytes, so many are written at once or not at all.
            let file = file_of(kernel, call);
            let whole = file.as_ref().is_some_and(|k| *k == kind::FIFO) && is_write(call) && args[count] <= PIPE_BUF;
            let may = at_least > 1 || is_on(kernel, call, kind::SHORT);
            (may && !whole && args[count] > at_least)
                .then(|| Choice::Shorter { arg: count, to: at_least + drawn % (args[count] - at_least) })
        }
        Fault::Spurious => matches!(args[1] & 0x7f, FUTEX_WAIT | FUTEX_WAIT_BITSET).then_some(Choice::Gives(0)),
        Fault::Unmoved => (args[0] != 0).then_some(Choice::Shorter { arg: 0, to: 0 }),
    }
}

/// Bytes that are written to a pipe at once (pipe(7)).
const PIPE_BUF: u64 = 4096;
/// futex(2).
const FUTEX_WAIT: u64 = 0;
const FUTEX_WAIT_BITSET: u64 = 9;

fn is_write(call: &Call) -> bool {
    call.entry().is_some_and(|e| e.name.contains("write"))
}

/// Whether the call's descriptor is of one of these kinds; a call without one is of any kind.
fn is_on(kernel: &Kernel, call: &Call, kinds: u8) -> bool {
    kinds == kind::ANY || file_of(kernel, call).is_some_and(|k| kinds & k != 0)
}

/// The kind of the file behind the first argument.
fn file_of(kernel: &Kernel, call: &Call) -> Option<u8> {
    if !matches!(call.entry()?.args.first()?.ty, Type::Scalar(Scalar::Fd)) {
        return None;
    }
    let files = kernel.threads.get(&call.tid)?.files.try_borrow().ok()?;
    let file = files.get(call.raw.args[0] as i32).ok()?;
    kind_of(&file)
}

fn kind_of(file: &File) -> Option<u8> {
    Some(match file.kind() {
        FileKind::Regular => kind::REGULAR,
        FileKind::Fifo => kind::FIFO,
        FileKind::Character => kind::TERMINAL,
        FileKind::Socket if file.downcast::<Socket>().is_some_and(Socket::is_stream) => kind::STREAM,
        FileKind::Socket => kind::DATAGRAM,
        FileKind::Directory | FileKind::Block | FileKind::Symlink | FileKind::Anonymous => return None,
    })
}

/// Whether a signal could interrupt a call of the thread: it has a handler for one that it does not block.
fn is_interrupted(kernel: &Kernel, tid: Tid, restart: Restart) -> bool {
    let Some(thread) = kernel.threads.get(&tid) else { return false };
    let Ok(actions) = thread.actions.try_borrow() else { return false };
    (1..=64).filter_map(Signal::new).any(|signal| {
        let action = actions.get(signal);
        let handled = !action.is_default() && !action.is_ignore();
        handled && !thread.signals.mask.contains(signal) && (restart == Restart::Never || !action.has(SA_RESTART))
    })
}

/// Random numbers from a seed and a place (splitmix64).
struct Random(u64);

impl Random {
    fn at(seed: u64, (thread, call): Place) -> Random {
        let mut random = Random(seed);
        let mixed = random.next() ^ u64::from(thread).wrapping_mul(0x9e6c_63d0_876a_68ee);
        random = Random(mixed);
        Random(random.next() ^ call.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// From 0 up to but not 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Below `n`, which is not 0.
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        Options::parse(text, || 99)
    }

    #[test]
    fn options() {
        let o = parse("seed=5,rate=10%,set=read,write").expect("valid");
        assert_eq!((o.seed, o.rate, o.set.as_str()), (5, 0.1, "read,write"));
        assert_eq!(o.argument(), "seed=5,rate=0.1,set=read,write");
        assert_eq!(parse("").map(|o| o.argument()), Ok("seed=99".into()));
        let o = parse("seed=5,only=1.7+2.9").expect("valid");
        assert_eq!(o.only, Some(BTreeSet::from([(1, 7), (2, 9)])));
        assert_eq!(o.argument(), "seed=5,only=1.7+2.9");
        assert_eq!(parse("seed=1,only=").map(|o| o.only), Ok(Some(BTreeSet::new())));
        assert_eq!(parse("set=%file").map(|o| o.argument()), Ok("seed=99,set=%file".into()));
        for wrong in ["seed=x", "seed=1,seed=2", "rate=2", "rate=-1", "rate=nan", "foo=1", "seed", "only=1", "only=a.b"]
        {
            assert_eq!(parse(wrong), Err(format!("invalid chaos argument '{wrong}'")));
        }
        assert_eq!(parse("set=nosuch"), Err("invalid system call 'nosuch'".into()));
    }

    /// Places differ from one another, and the same place is always the same.
    #[test]
    fn randomness() {
        let first = |place| Random::at(7, place).next();
        assert_eq!(first((1, 1)), first((1, 1)));
        let all: BTreeSet<u64> = (1..50).flat_map(|t| (1..50).map(move |n| first((t, n)))).collect();
        assert_eq!(all.len(), 49 * 49);
        let hits = (1..10_000).filter(|n| Random::at(3, (1, *n)).unit() < 0.1).count();
        assert!((800..1200).contains(&hits), "{hits}");
    }
}
