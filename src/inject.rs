//! Tampering with calls: `-e inject=`, `-e fault=` (strace(1), "Tampering"), and `--chaos`.
//!
//! What is done to a call is decided here; [`crate::machine`] does it, between the program and the kernel. No observer
//! takes part in it.

mod chaos;
mod faults;
mod shrink;

pub use chaos::{Chaos, Injected, Options as ChaosOptions, Place};
pub use shrink::smallest;

use crate::abi::{Errno, Signal};
use crate::arch::{Arch, RawCall};
use crate::kernel::{Kernel, Tid};
use crate::syscalls;
use crate::trace::{self, Call, Filter};
use std::collections::BTreeMap;

/// Which invocations of a call an injection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct When {
    first: u64,
    last: u64,
    step: u64,
}

impl Default for When {
    fn default() -> When {
        When { first: 1, last: u64::MAX, step: 1 }
    }
}

impl When {
    /// `FIRST[..LAST][+[STEP]]`, numbers from 1 to 65535.
    fn parse(text: &str) -> Option<When> {
        let number = |t: &str| decimal(t).filter(|n| (1..=0xffff).contains(n));
        let (range, step) = match text.split_once('+') {
            Some((range, "")) => (range, Some(1)),
            Some((range, step)) => (range, Some(number(step)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once("..") {
            Some((first, last)) => (number(first)?, Some(number(last)?)),
            None => (number(range)?, None),
        };
        let when = When {
            first,
            // Without a step and an end it is one invocation.
            last: last.unwrap_or(if step.is_some() { u64::MAX } else { first }),
            step: step.unwrap_or(1),
        };
        (when.last >= when.first).then_some(when)
    }

    fn is_for(&self, invocation: u64) -> bool {
        (self.first..=self.last).contains(&invocation) && (invocation - self.first).is_multiple_of(self.step)
    }
}

/// Bytes that are written where an argument points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poke {
    /// Index of the argument.
    pub arg: usize,
    /// The bytes.
    pub data: Vec<u8>,
}

/// What is done to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// The call is not made and has this result.
    pub result: Option<Result<u64, Errno>>,
    /// This signal is sent to the thread as it makes the call.
    pub signal: Option<Signal>,
    /// The call begins so many nanoseconds later.
    pub delay_enter_ns: Option<u64>,
    /// The program goes on so many nanoseconds after the call.
    pub delay_exit_ns: Option<u64>,
    /// Written before the call.
    pub poke_enter: Vec<Poke>,
    /// Written after it.
    pub poke_exit: Vec<Poke>,
    /// Argument registers, and what the kernel finds there instead.
    pub registers: Vec<(usize, u64)>,
}

impl Action {
    /// The call as the kernel gets it.
    pub fn sent(&self, mut raw: RawCall) -> RawCall {
        for (i, value) in &self.registers {
            if let Some(register) = raw.args.get_mut(*i) {
                *register = *value;
            }
        }
        raw
    }

    /// What a trace says of the call.
    pub fn mark(&self) -> Option<&'static str> {
        let poked = !self.poke_enter.is_empty() || !self.poke_exit.is_empty() || !self.registers.is_empty();
        let delayed = self.delay_enter_ns.is_some() || self.delay_exit_ns.is_some();
        match (self.result.is_some(), poked, delayed) {
            (false, false, false) => None,
            (true, false, false) => Some("INJECTED"),
            (false, true, false) => Some("INJECTED: args"),
            (true, true, false) => Some("INJECTED: args, retval"),
            (false, false, true) => Some("DELAYED"),
            // Each remark stands in parentheses of its own.
            (true, false, true) => Some("INJECTED) (DELAYED"),
            (false, true, true) => Some("INJECTED: args) (DELAYED"),
            (true, true, true) => Some("INJECTED: args, retval) (DELAYED"),
        }
    }
}

/// One expression: for which calls, when, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    calls: Filter,
    when: When,
    action: Action,
}

/// What becomes of a call for which no result is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unless {
    /// The call is made (`inject=`).
    Made,
    /// It fails with ENOSYS (`fault=`).
    Fails,
}

impl Injection {
    /// The injection of `SET[:error=ERRNO|:retval=VALUE][:signal=SIG][:syscall=CALL][:delay_enter=DELAY]
    /// [:delay_exit=DELAY][:poke_enter=@argN=HEX,...][:poke_exit=@argN=HEX,...][:when=WHEN]`. `span_ns` reads a delay.
    ///
    /// # Errors
    /// What is wrong with it, in strace's words.
    pub fn parse(text: &str, default: Unless, span_ns: impl Fn(&str) -> Option<u64>) -> Result<Injection, String> {
        let kind = if default == Unless::Fails { "fault" } else { "inject" };
        let mut tokens = text.split(':');
        let calls = Filter::from_set(tokens.next().unwrap_or_default()).map_err(|e| e.to_string())?;
        let parsed = Injection::options(tokens, default, span_ns);
        let (when, action) = parsed.ok_or_else(|| format!("invalid {kind} argument '{text}'"))?;
        Ok(Injection { calls, when, action })
    }

    fn options<'a>(
        tokens: impl Iterator<Item = &'a str>,
        default: Unless,
        span_ns: impl Fn(&str) -> Option<u64>,
    ) -> Option<(When, Action)> {
        let (mut when, mut substitute, mut action) = (None, false, Action::default());
        for token in tokens {
            let (key, value) = token.split_once('=')?;
            // `fault=` knows nothing but these two.
            if default == Unless::Fails && !matches!(key, "error" | "when") {
                return None;
            }
            match key {
                "when" => once(&mut when, When::parse(value)?)?,
                "error" => once(&mut action.result, Err(errno(value)?))?,
                "retval" => once(&mut action.result, Ok(number(value)?))?,
                "signal" => once(&mut action.signal, signal(value)?)?,
                "delay_enter" => once(&mut action.delay_enter_ns, span_ns(value)?)?,
                "delay_exit" => once(&mut action.delay_exit_ns, span_ns(value)?)?,
                "poke_enter" if action.poke_enter.is_empty() => action.poke_enter = pokes(value)?,
                "poke_exit" if action.poke_exit.is_empty() => action.poke_exit = pokes(value)?,
                // Such a call has no effect but its result, which the injected one replaces.
                "syscall" if !substitute && is_pure(value) => substitute = true,
                _ => return None,
            }
        }
        if default == Unless::Fails && action.result.is_none() {
            action.result = Some(Err(Errno::ENOSYS));
        }
        let does_something = action != Action::default() && (!substitute || action.result.is_some());
        does_something.then(|| (when.unwrap_or_default(), action))
    }

    /// The result that a program would take for an error, if this injects one as a value.
    pub fn inadvertent_error(&self) -> Option<(u64, u64)> {
        match self.action.result {
            Some(Ok(value)) if value > u64::MAX - 4095 => Some((value.wrapping_neg(), value)),
            _ => None,
        }
    }
}

/// Sets what must not be set twice.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A number as strtoll(3) reads one with base 0.
fn number(text: &str) -> Option<u64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        u64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if negative { value.wrapping_neg() } else { value })
}

/// An errno by name or number.
fn errno(text: &str) -> Option<Errno> {
    match decimal(text) {
        Some(n) => u16::try_from(n).ok().filter(|n| (1..=4095).contains(n)).map(Errno),
        None => Errno::from_name(text),
    }
}

fn signal(text: &str) -> Option<Signal> {
    match decimal(text) {
        Some(n) => i32::try_from(n).ok().and_then(Signal::new),
        None => trace::signal(text),
    }
}

/// `@argN=HEX,...`, each argument once.
fn pokes(text: &str) -> Option<Vec<Poke>> {
    let mut pokes: Vec<Poke> = Vec::new();
    for token in text.split(',') {
        let (arg, hex) = token.strip_prefix("@arg")?.split_once('=')?;
        let arg = usize::try_from(decimal(arg)?).ok().filter(|n| (1..=6).contains(n))? - 1;
        if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.is_ascii() || pokes.iter().any(|p| p.arg == arg) {
            return None;
        }
        let byte = |i| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
        let data = (0..hex.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
        pokes.push(Poke { arg, data });
    }
    Some(pokes)
}

fn is_pure(name: &str) -> bool {
    Arch::ALL.iter().any(|a| syscalls::by_name(*a, name).is_some_and(|e| e.classes.contains(&"pure")))
}

/// All injections of a run, and how often each thread has made each call.
pub struct Tamper {
    injections: Vec<Injection>,
    /// The injection for each call: where several name it, the last.
    by_call: Vec<Option<usize>>,
    counts: BTreeMap<(Tid, usize), u64>,
    /// Where only the first thread is tampered with, its id once it is known.
    only: Option<Option<Tid>>,
    chaos: Option<Chaos>,
}

impl Tamper {
    /// Tampers with the calls that are `traced`: of all threads or, unless `follow`, of the first.
    pub fn new(injections: Vec<Injection>, traced: &Filter, follow: bool) -> Tamper {
        let last = |i| {
            let covers = |injection: &Injection| injection.calls.admits(Some(i)) && traced.admits(Some(i));
            injections.iter().rposition(covers)
        };
        let by_call = (0..syscalls::ENTRIES.len()).map(last).collect();
        Tamper { injections, by_call, counts: BTreeMap::new(), only: (!follow).then_some(None), chaos: None }
    }

    /// Adds faults by chance, for calls that nothing else is done to.
    #[must_use]
    pub fn with_chaos(self, chaos: Option<Chaos>) -> Tamper {
        Tamper { chaos, ..self }
    }

    /// A thread makes a call: what is to be done to it.
    pub fn begin(&mut self, kernel: &Kernel, call: &Call) -> Option<Action> {
        let asked_for = self.enter(call.tid, call.index);
        let tampered_with = self.only.is_none_or(|only| only == Some(call.tid));
        asked_for.or_else(|| self.chaos.as_mut().filter(|_| tampered_with)?.enter(kernel, call))
    }

    /// What `-e inject=` asks for when a thread makes a call.
    fn enter(&mut self, tid: Tid, index: Option<usize>) -> Option<Action> {
        if let Some(only) = &mut self.only
            && *only.get_or_insert(tid) != tid
        {
            return None;
        }
        let index = index?;
        let injection = self.injections.get((*self.by_call.get(index)?)?)?;
        let count = self.counts.entry((tid, index)).or_default();
        *count += 1;
        injection.when.is_for(*count).then(|| injection.action.clone())
    }

    /// A thread is gone; its id may be another's later.
    pub fn forget(&mut self, tid: Tid) {
        let gone: Vec<_> = self.counts.range((tid, 0)..=(tid, usize::MAX)).map(|(k, _)| *k).collect();
        for key in gone {
            self.counts.remove(&key);
        }
        if let Some(chaos) = &mut self.chaos {
            chaos.forget(tid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Injection, String> {
        Injection::parse(text, Unless::Made, |t| decimal(t).map(|us| us * 1000))
    }

    fn invocations(when: &str) -> Vec<u64> {
        let when = When::parse(when).expect("valid");
        (1..10).filter(|n| when.is_for(*n)).collect()
    }

    #[test]
    fn when() {
        assert_eq!(invocations("3"), [3]);
        assert_eq!(invocations("3..5"), [3, 4, 5]);
        assert_eq!(invocations("7+"), [7, 8, 9]);
        assert_eq!(invocations("2+3"), [2, 5, 8]);
        assert_eq!(invocations("1..4+2"), [1, 3]);
        for wrong in ["0", "a", "", "3..2", "65536", "1+0", "1..", "..1", "+", "1-2"] {
            assert_eq!(When::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn expressions() {
        let action = parse("%file:error=ENOENT:signal=USR1:delay_exit=5:when=2").expect("valid").action;
        assert_eq!((action.result, action.signal), (Some(Err(Errno::ENOENT)), trace::signal("SIGUSR1")));
        assert_eq!(action.delay_exit_ns, Some(5000));
        let poke = parse("read:poke_exit=@arg2=4142,@arg1=00").expect("valid").action.poke_exit;
        assert_eq!(poke[0], Poke { arg: 1, data: b"AB".to_vec() });
        assert_eq!(parse("read:retval=-22").expect("valid").inadvertent_error(), Some((22, 22u64.wrapping_neg())));
        let fault = Injection::parse("read", Unless::Fails, |_| None).expect("valid");
        assert_eq!(fault.action.result, Some(Err(Errno::ENOSYS)));
    }

    /// What strace 6.1 refuses, in its words.
    #[test]
    fn mistakes() {
        for wrong in [
            "open",
            "open:foo=1",
            "open:error=EFOO",
            "open:error=0",
            "open:error=4096",
            "open:retval=x",
            "open:error=1:retval=2",
            "open:when=1",
            "open:signal=0",
            "open:signal=FOO",
            "open:delay_enter=x",
            "open:syscall=getpid",
            "open:error=1:syscall=open",
            "open:poke_enter=@arg9=00",
            "open:poke_enter=@arg1=0",
            "open:poke_enter=@arg1=00,@arg1=11",
        ] {
            assert_eq!(parse(wrong).expect_err(wrong), format!("invalid inject argument '{wrong}'"));
        }
        assert_eq!(parse("opne:error=1").expect_err("unknown call"), "invalid system call 'opne'");
    }

    #[test]
    fn counting() {
        let index = syscalls::lookup(Arch::X86_64, 0);
        let mut tamper = Tamper::new(vec![parse("read:error=EIO:when=2").expect("valid")], &Filter::all(), true);
        assert_eq!(tamper.enter(1, index), None);
        assert_eq!(tamper.enter(2, index), None, "every thread counts for itself");
        assert!(tamper.enter(1, index).is_some());
        assert_eq!(tamper.enter(1, index), None);
        tamper.forget(2);
        assert_eq!(tamper.enter(2, index), None, "a new thread of the same id begins anew");
        assert!(tamper.enter(2, index).is_some());
    }
}
