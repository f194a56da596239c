//! `-e where=EXPR`: which calls are shown, by what they are about and how they end.
//!
//! An expression is compiled before the run, once for every call of the table: comparisons that the call alone decides are
//! decided then, and names become registers. What is left is looked at when the call begins; only comparisons with its
//! result wait for its end. A comparison with something that a call does not have is false.

mod compile;
mod parse;

use super::select::{AT_FDCWD, comm_of, path_of};
use super::{Call, Start};
use crate::abi::Errno;
use crate::kernel::Kernel;
use crate::mem::{GuestAddr, Space};
use crate::syscalls::{Scalar, Type};
use compile::{Leaf, Number, Pattern, Plan, Step, Test, Text};
use parse::Op;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Condition {
    /// For each architecture and each call of the table; numbers that Linux does not have at the end.
    plans: [Vec<Plan>; 2],
}

/// What is known of a call's comparisons when it begins, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    known: u64,
    holds: u64,
}

/// Whether a call is shown, as far as its beginning tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    No,
    Yes,
    /// Its end decides.
    Later(Seen),
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// `None`: it did not return.
    pub result: Option<Result<u64, Errno>>,
    pub duration_ns: u64,
}

/// What a comparison may look at.
#[derive(Clone, Copy)]
enum Facts<'a> {
    Call {
        space: &'a Space,
        kernel: Option<&'a Kernel>,
        call: &'a Call,
    },
    /// At the end of a call, when text has been looked at.
    Numbers(&'a Call),
    Start(&'a Start<'a>),
}

impl Facts<'_> {
    /// The first process of a run that begins.
    fn starter(self) -> i32 {
        match self {
            Facts::Start(start) => start.tid,
            Facts::Call { call, .. } | Facts::Numbers(call) => call.tid,
        }
    }
}

impl Condition {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it and where.
    pub fn compile(text: &str) -> Result<Condition, String> {
        let compiled = parse::parse(text).and_then(|tree| compile::plans(&tree));
        compiled
            .map(|plans| Condition { plans })
            .map_err(|m| format!("invalid where argument '{text}': {} at column {}", m.what, m.column))
    }

    /// Whether a call with this index may be shown at all.
    pub(super) fn admits(&self, index: Option<usize>) -> bool {
        self.plans.iter().any(|plans| !matches!(plan(plans, index), Plan::Never))
    }

    /// A call begins.
    pub(super) fn enter(&self, space: &Space, kernel: Option<&Kernel>, call: &Call) -> Verdict {
        match plan(&self.plans[call.arch.index()], call.index) {
            Plan::Never => Verdict::No,
            Plan::Always => Verdict::Yes,
            Plan::Test(test) => test.enter(Facts::Call { space, kernel, call }),
        }
    }

    /// The call is done whose beginning did not decide.
    pub(super) fn exit(&self, call: &Call, seen: Seen, end: End) -> bool {
        match plan(&self.plans[call.arch.index()], call.index) {
            Plan::Never => false,
            Plan::Always => true,
            Plan::Test(test) => test.exit(call, seen, end),
        }
    }

    /// Whether the execve(2) that a run begins with is shown.
    pub(super) fn admits_start(&self, index: usize, start: &Start<'_>) -> bool {
        match plan(&self.plans[start.arch.index()], Some(index)) {
            Plan::Never => false,
            Plan::Always => true,
            Plan::Test(test) => match test.enter(Facts::Start(start)) {
                Verdict::No => false,
                Verdict::Yes => true,
                Verdict::Later(seen) => {
                    let end = End { result: Some(Ok(0)), duration_ns: 0 };
                    let leaf = |i, leaf: &Leaf| match seen.known >> i & 1 {
                        0 => leaf.compares(Facts::Start(start), Some(end)),
                        _ => seen.holds >> i & 1 != 0,
                    };
                    test.decide(test.root, &mut |i, l| Some(leaf(i, l))).unwrap_or(false)
                }
            },
        }
    }
}

fn plan(plans: &[Plan], index: Option<usize>) -> &Plan {
    let last = plans.len().saturating_sub(1);
    plans.get(index.unwrap_or(last)).unwrap_or(&Plan::Never)
}

impl Test {
    fn enter(&self, facts: Facts<'_>) -> Verdict {
        let mut seen = Seen::default();
        // Most have a single comparison.
        if let ([leaf], Some(Step::Leaf(_))) = (&self.leaves[..], self.steps.get(self.root)) {
            return match leaf.at_enter(facts) {
                Some(true) => Verdict::Yes,
                Some(false) => Verdict::No,
                None => Verdict::Later(seen),
            };
        }
        let verdict = self.decide(self.root, &mut |i, leaf| {
            let holds = leaf.at_enter(facts)?;
            seen.known |= 1 << i;
            seen.holds |= u64::from(holds) << i;
            Some(holds)
        });
        match verdict {
            Some(true) => Verdict::Yes,
            Some(false) => Verdict::No,
            None => {
                // What was passed over may still be asked for at the end.
                for (i, leaf) in self.leaves.iter().enumerate() {
                    if seen.known >> i & 1 == 0
                        && let Some(holds) = leaf.at_enter(facts)
                    {
                        seen.known |= 1 << i;
                        seen.holds |= u64::from(holds) << i;
                    }
                }
                Verdict::Later(seen)
            }
        }
    }

    fn exit(&self, call: &Call, seen: Seen, end: End) -> bool {
        let verdict = self.decide(self.root, &mut |i, leaf| {
            let known = seen.known >> i & 1 != 0;
            Some(if known { seen.holds >> i & 1 != 0 } else { leaf.at_exit(call, end) })
        });
        verdict.unwrap_or(false)
    }

    /// What the expression from `step` on comes to; `None` when that is not known yet.
    fn decide(&self, step: usize, leaf: &mut impl FnMut(usize, &Leaf) -> Option<bool>) -> Option<bool> {
        match self.steps.get(step)? {
            Step::Leaf(i) => leaf(*i, self.leaves.get(*i)?),
            Step::Not(a) => self.decide(*a, leaf).map(|b| !b),
            Step::And(a, b) => match self.decide(*a, leaf) {
                Some(false) => Some(false),
                first => match self.decide(*b, leaf) {
                    Some(false) => Some(false),
                    second => Some(first? && second?),
                },
            },
            Step::Or(a, b) => match self.decide(*a, leaf) {
                Some(true) => Some(true),
                first => match self.decide(*b, leaf) {
                    Some(true) => Some(true),
                    second => Some(first? || second?),
                },
            },
        }
    }
}

impl Leaf {
    /// Whether it holds; `None` when only the end of the call can tell.
    fn at_enter(&self, facts: Facts<'_>) -> Option<bool> {
        match self {
            Leaf::Numbers(left, ..) | Leaf::NotZero(left) if left.is_late() => None,
            Leaf::Numbers(.., right) if right.is_late() => None,
            Leaf::Text(text, pattern) => Some(text.fits(facts, pattern)),
            numbers => Some(numbers.compares(facts, None)),
        }
    }

    fn at_exit(&self, call: &Call, end: End) -> bool {
        self.compares(Facts::Numbers(call), Some(end))
    }

    /// A comparison of numbers; text has been compared when the call began.
    fn compares(&self, facts: Facts<'_>, end: Option<End>) -> bool {
        match self {
            Leaf::Numbers(left, op, right) => {
                pair(left.value(facts, end), right.value(facts, end)).is_some_and(|(a, b)| compares(*op, a, b))
            }
            Leaf::NotZero(number) => number.value(facts, end).is_some_and(|n| n != 0),
            Leaf::Text(..) => false,
        }
    }
}

fn pair<T>(a: Option<T>, b: Option<T>) -> Option<(T, T)> {
    Some((a?, b?))
}

fn compares(op: Op, a: i128, b: i128) -> bool {
    match op {
        Op::Equal => a == b,
        Op::Unequal => a != b,
        Op::Less => a < b,
        Op::LessOrEqual => a <= b,
        Op::Greater => a > b,
        Op::GreaterOrEqual => a >= b,
        // Patterns are for text alone.
        Op::Matches | Op::MatchesNot => false,
    }
}

impl Number {
    /// Whether it is known only at the end of the call.
    fn is_late(&self) -> bool {
        match self {
            Number::Result | Number::Errno | Number::Duration => true,
            Number::Both(a, b) => a.is_late() || b.is_late(),
            _ => false,
        }
    }

    fn value(&self, facts: Facts<'_>, end: Option<End>) -> Option<i128> {
        let call = match facts {
            Facts::Call { call, .. } | Facts::Numbers(call) => Some(call),
            Facts::Start(_) => None,
        };
        let result = || end.and_then(|e| e.result);
        match self {
            Number::Value(n) => Some(*n),
            Number::Both(a, b) => pair(a.value(facts, end), b.value(facts, end)).map(|(a, b)| a & b),
            Number::Result => result().map(|r| r.map_or(-1, |v| i128::from(v as i64))),
            Number::Errno => result().map(|r| r.map_or_else(|e| i128::from(e.0), |_| 0)),
            Number::Duration => end.map(|e| i128::from(e.duration_ns)),
            Number::Pid => Some(i128::from(call.map_or_else(|| facts.starter(), |c| c.pid))),
            Number::Tid => Some(i128::from(call.map_or_else(|| facts.starter(), |c| c.tid))),
            Number::Pc => call.map(|c| i128::from(c.pc)),
            Number::Register(i) => call?.raw.args.get(*i).map(|v| i128::from(*v)),
            Number::Argument(i, ty) => Some(typed(*ty, *call?.raw.args.get(*i)?)),
            Number::Named(name) => {
                let args = call?.entry()?.form(call?.arch, &call?.raw.args).0;
                let i = args.iter().position(|a| a.name == *name)?;
                Some(typed(args[i].ty, *call?.raw.args.get(i)?))
            }
        }
    }
}

/// A register as a number of the argument's type.
fn typed(ty: Type, raw: u64) -> i128 {
    match ty {
        Type::Scalar(s) => match s {
            Scalar::Int | Scalar::Fd | Scalar::Dirfd | Scalar::Pid | Scalar::Sig => i128::from(raw as i32),
            Scalar::Long | Scalar::Off => i128::from(raw as i64),
            s if s.size() == 4 => i128::from(raw as u32),
            _ => i128::from(raw),
        },
        Type::Flags { wide: false, .. } | Type::Enum { wide: false, .. } => i128::from(raw as u32),
        _ => i128::from(raw),
    }
}

/// Longest text that is looked at, in bytes (PATH_MAX).
const LONGEST: usize = 4096;

impl Text {
    /// Whether one of the texts that this means is what the pattern asks for; or, with an inverted one, there are some
    /// and none of them is.
    fn fits(&self, facts: Facts<'_>, pattern: &Pattern) -> bool {
        let (mut any, mut found) = (false, false);
        self.each(facts, &mut |text| {
            any = true;
            found |= pattern.is(text);
        });
        if pattern.inverted { any && !found } else { found }
    }

    fn each(&self, facts: Facts<'_>, say: &mut dyn FnMut(&[u8])) {
        match (self, facts) {
            (Text::Literal(text), _) => say(text.as_bytes()),
            (Text::Comm, Facts::Call { kernel, call, .. }) => {
                if let Some(comm) = kernel.and_then(|k| comm_of(k, call.tid)) {
                    say(comm);
                }
            }
            (Text::Argument(i), Facts::Call { space, call, .. }) => {
                call.raw.args.get(*i).into_iter().for_each(|addr| string(space, *addr, say));
            }
            (Text::Path | Text::Argument(0), Facts::Start(start)) => say(start.path),
            (Text::Path, Facts::Call { space, kernel, call }) => {
                let args = call.entry().map_or(&[][..], |e| e.form(call.arch, &call.raw.args).0);
                for (arg, raw) in args.iter().zip(call.raw.args) {
                    match arg.ty {
                        Type::Path => string(space, raw, say),
                        Type::Scalar(Scalar::Fd | Scalar::Dirfd) => {
                            if let Some(path) = kernel.and_then(|k| path_of(k, call.tid, raw as i32)) {
                                say(&path);
                            }
                        }
                        _ => {}
                    }
                }
            }
            (Text::Comm | Text::Argument(_), Facts::Start(_)) | (_, Facts::Numbers(_)) => {}
        }
    }
}

fn string(space: &Space, addr: u64, say: &mut dyn FnMut(&[u8])) {
    if addr != 0
        && let Ok(text) = space.read_cstr(GuestAddr(addr), LONGEST)
    {
        say(&text);
    }
}

impl super::Options {
    /// Whether calls with this index may be shown.
    pub(super) fn wants(&self, index: Option<usize>) -> bool {
        self.filter.admits(index) && self.condition.as_ref().is_none_or(|c| c.admits(index))
    }

    /// Whether a call that begins is shown, by its name, what it touches, and `-e where=`.
    pub(super) fn begins(&self, space: &Space, kernel: Option<&Kernel>, call: &Call) -> Verdict {
        if !self.filter.admits(call.index) || !super::select::touches(self, space, kernel, call) {
            return Verdict::No;
        }
        self.condition.as_ref().map_or(Verdict::Yes, |c| c.enter(space, kernel, call))
    }

    /// Whether a call is shown that has ended, whose beginning said `seen`.
    pub(super) fn ends(&self, call: &Call, seen: Option<Seen>, end: End) -> bool {
        match (seen, &self.condition) {
            (Some(seen), Some(condition)) => condition.exit(call, seen, end),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Arch, RawCall};
    use crate::mem::Windows;
    use crate::syscalls::{by_name, lookup};

    fn call(arch: Arch, name: &str, args: [u64; 6]) -> Call {
        let nr = u64::from(by_name(arch, name).and_then(|e| e.number(arch)).expect("a call"));
        Call { tid: 7, pid: 5, arch, raw: RawCall { nr, args }, index: lookup(arch, nr), pc: 0x1000, sp: 0 }
    }

    /// Whether a call that ends so is shown, and whether that was known when it began.
    fn judge(text: &str, call: &Call, end: End) -> (bool, bool) {
        let windows = Windows::new(40).expect("windows");
        let space = Space::new(&windows).expect("a space");
        let condition = Condition::compile(text).expect("valid");
        match condition.enter(&space, None, call) {
            Verdict::No => (false, true),
            Verdict::Yes => (true, true),
            Verdict::Later(seen) => (condition.exit(call, seen, end), false),
        }
    }

    const DONE: End = End { result: Some(Ok(3)), duration_ns: 1500 };
    const FAILED: End = End { result: Some(Err(Errno::ENOENT)), duration_ns: 10 };

    #[test]
    fn arguments() {
        let read = call(Arch::X86_64, "read", [3, 0x2000, 100, 0, 0, 0]);
        assert_eq!(judge("fd == 3 && count >= 100", &read, DONE), (true, true));
        assert_eq!(judge("fd == 4 || count < 100", &read, DONE), (false, true));
        assert_eq!(judge("arg3 == 100 and arg2 == 0x2000", &read, DONE), (true, true));
        assert_eq!(judge("pid == 5 and tid == 7 and pc == 0x1000", &read, DONE), (true, true));
        // What a call does not have compares with nothing.
        assert_eq!(judge("flags != 0", &read, DONE), (false, true));
        assert_eq!(judge("!(flags != 0)", &read, DONE), (true, true));
        let closed = call(Arch::Aarch64, "close", [u64::from(u32::MAX), 0, 0, 0, 0, 0]);
        assert_eq!(judge("fd == -1", &closed, DONE), (true, true));
    }

    #[test]
    fn constants() {
        // O_DIRECTORY has another value on each architecture.
        for (arch, bit) in [(Arch::X86_64, 0o200_000), (Arch::Aarch64, 0o40_000)] {
            let open = call(arch, "openat", [-100i64 as u64, 0, bit, 0, 0, 0]);
            assert_eq!(judge("flags & O_DIRECTORY and dirfd == AT_FDCWD", &open, DONE), (true, true));
            assert_eq!(judge("flags & O_CREAT", &open, DONE), (false, true));
        }
        let kill = call(Arch::X86_64, "kill", [1, 15, 0, 0, 0, 0]);
        assert_eq!(judge("sig == SIGTERM and args.pid == 1", &kill, DONE), (true, true));
    }

    #[test]
    fn results() {
        let open = call(Arch::X86_64, "openat", [0; 6]);
        assert_eq!(judge("errno == ENOENT", &open, FAILED), (true, false));
        assert_eq!(judge("errno == ENOENT", &open, DONE), (false, false));
        assert_eq!(judge("result == -1 or result == 3", &open, DONE), (true, false));
        assert_eq!(judge("duration > 1us", &open, DONE), (true, false));
        assert_eq!(judge("name == \"read\" and duration > 1us", &open, DONE), (false, true));
        assert_eq!(judge("name =~ '^open' or errno", &open, DONE), (true, true));
        let gone = End { result: None, duration_ns: 5 };
        assert_eq!(judge("result != 0", &open, gone), (false, false));
    }

    /// Calls for which nothing can hold are not even told of.
    #[test]
    fn decided_before_the_run() {
        let admits = |text: &str, name: &str| {
            let condition = Condition::compile(text).expect("valid");
            condition.admits(call(Arch::X86_64, name, [0; 6]).index)
        };
        assert!(!admits("fd == 3", "getpid"));
        assert!(admits("fd == 3", "read"));
        assert!(!admits("name == \"write\" and errno", "read"));
        assert!(!admits("name =~ '^w' and errno", "read"));
        assert!(admits("!(fd == 3)", "getpid"));
        assert!(!admits("arch == \"aarch64\"", "open"));
    }

    #[test]
    fn mistakes() {
        let wrong = |text: &str| Condition::compile(text).expect_err("wrong");
        assert_eq!(wrong("fdd == 3"), "invalid where argument 'fdd == 3': unknown name 'fdd' at column 1");
        assert_eq!(
            wrong("path == 3"),
            "invalid where argument 'path == 3': a text cannot be compared with a number at column 9"
        );
        assert_eq!(wrong("fd =~ 'x'"), "invalid where argument 'fd =~ 'x'': 'fd' is not a text at column 1");
        assert!(wrong("path =~ '('").starts_with("invalid where argument 'path =~ '('': bad pattern"));
        assert!(wrong("path < 'a'").contains("texts are compared with ==, !=, =~ and !~"));
        assert!(wrong("errno == ENOSUCH").contains("unknown name 'ENOSUCH'"));
    }
}
