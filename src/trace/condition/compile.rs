//! From a tree of names to comparisons of registers, once for each call of the table.

use super::parse::{Mistake, Op, Term, Tree, Value};
use crate::abi::Errno;
use crate::arch::Arch;
use crate::syscalls::{Arg, ENTRIES, Entry, Scalar, Type, sets};
use crate::trace::signal;
use regex_lite::Regex;
use std::rc::Rc;

/// What has to be looked at for a call.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Nothing: it is never shown.
    Never,
    /// Nothing: it is always shown.
    Always,
    /// These comparisons.
    Test(Rc<Test>),
}

/// The comparisons that are left for a call.
#[derive(Debug)]
pub(super) struct Test {
    /// The last one of `steps`.
    pub root: usize,
    pub steps: Vec<Step>,
    pub leaves: Vec<Leaf>,
}

/// A node of the tree, by indexes.
#[derive(Debug)]
pub(super) enum Step {
    Leaf(usize),
    Not(usize),
    And(usize, usize),
    Or(usize, usize),
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    Numbers(Number, Op, Number),
    NotZero(Number),
    Text(Text, Pattern),
}

/// Something that is a number.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Value(i128),
    Pid,
    Tid,
    Pc,
    Result,
    Errno,
    Duration,
    /// A whole argument register.
    Register(usize),
    /// An argument by the table's type.
    Argument(usize, Type),
    /// An argument of a call that has several forms, by its name.
    Named(&'static str),
    Both(Box<Number>, Box<Number>),
}

/// Something that is text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Literal(&'static str),
    Comm,
    /// The paths among the arguments, and those behind its descriptors.
    Path,
    /// What an argument points to.
    Argument(usize),
}

/// What a text is compared with.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    kind: Kind,
    /// Whether it shall differ.
    pub inverted: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Exactly(String),
    Regex(Rc<Regex>),
}

impl Pattern {
    /// Whether it is the text, or matches it: `inverted` is not looked at.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        match &self.kind {
            Kind::Exactly(wanted) => text == wanted.as_bytes(),
            Kind::Regex(regex) => regex.is_match(&String::from_utf8_lossy(text)),
        }
    }
}

/// The tree with everything checked that does not depend on a call.
enum Rule {
    Not(Box<Rule>),
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
    Numbers(Value, Op, Value),
    NotZero(Value),
    Text(Value, Pattern),
}

/// Comparisons at most: a bit for each is kept between the beginning and the end of a call.
const LEAVES: usize = 64;

/// The plans for each architecture and each call of the table, with one for unknown numbers at the end.
pub(super) fn plans(tree: &Tree) -> Result<[Vec<Plan>; 2], Mistake> {
    let rule = check(tree, &mut 0)?;
    let for_arch = |arch| ENTRIES.iter().map(Some).chain([None]).map(|entry| plan(&rule, arch, entry)).collect();
    Ok(Arch::ALL.map(for_arch))
}

/// What a value can be in some call.
#[derive(Clone, Copy, Default)]
struct Kinds {
    number: bool,
    text: bool,
}

const NUMBER: Kinds = Kinds { number: true, text: false };
const TEXT: Kinds = Kinds { number: false, text: true };

/// What names mean in every call; arguments of the same name are reached with `args.` before it.
const FIELDS: &[(&str, Kinds)] = &[
    ("name", TEXT),
    ("arch", TEXT),
    ("comm", TEXT),
    ("path", TEXT),
    ("nr", NUMBER),
    ("pid", NUMBER),
    ("tid", NUMBER),
    ("pc", NUMBER),
    ("result", NUMBER),
    ("errno", NUMBER),
    ("duration", NUMBER),
    ("arg1", NUMBER),
    ("arg2", NUMBER),
    ("arg3", NUMBER),
    ("arg4", NUMBER),
    ("arg5", NUMBER),
    ("arg6", NUMBER),
];

fn is_field(name: &str) -> bool {
    FIELDS.iter().any(|(field, _)| *field == name)
}

/// Every argument of every form of a call.
fn all_args(entry: &'static Entry) -> impl Iterator<Item = &'static Arg> {
    entry.args.iter().chain(entry.variants.iter().flat_map(|v| v.args))
}

fn is_text(ty: Type) -> bool {
    matches!(ty, Type::Path | Type::Str)
}

/// What an argument is called, if `name` is meant to be one.
fn argument_name(name: &str) -> Option<&str> {
    match name.strip_prefix("args.") {
        Some(argument) => Some(argument),
        None => (!is_field(name)).then_some(name),
    }
}

fn kinds(value: &Value) -> Result<Kinds, Mistake> {
    let name = match &value.term {
        Term::Number(_) => return Ok(NUMBER),
        Term::Text(_) => return Ok(TEXT),
        Term::Both(a, b) => {
            for side in [a, b] {
                if !kinds(side)?.number {
                    return Err(Mistake { what: format!("{} is not a number", shown(side)), column: side.column });
                }
            }
            return Ok(NUMBER);
        }
        Term::Name(name) => name,
    };
    if let Some((_, kinds)) = FIELDS.iter().find(|(field, _)| field == name) {
        return Ok(*kinds);
    }
    let mut found = Kinds::default();
    if let Some(argument) = argument_name(name) {
        for arg in ENTRIES.iter().flat_map(all_args).filter(|a| a.name == argument) {
            found.number |= !is_text(arg.ty);
            found.text |= is_text(arg.ty);
        }
    }
    if found.number || found.text {
        return Ok(found);
    }
    let is_constant = Arch::ALL.iter().any(|arch| constant(name, *arch, None).is_some());
    is_constant
        .then_some(NUMBER)
        .ok_or_else(|| Mistake { what: format!("unknown name '{name}'"), column: value.column })
}

fn shown(value: &Value) -> String {
    match &value.term {
        Term::Number(n) => format!("'{n}'"),
        Term::Text(s) => format!("\"{s}\""),
        Term::Name(s) => format!("'{s}'"),
        Term::Both(..) => "this".to_string(),
    }
}

fn check(tree: &Tree, leaves: &mut usize) -> Result<Rule, Mistake> {
    Ok(match tree {
        Tree::Not(a) => Rule::Not(Box::new(check(a, leaves)?)),
        Tree::And(a, b) => Rule::And(Box::new(check(a, leaves)?), Box::new(check(b, leaves)?)),
        Tree::Or(a, b) => Rule::Or(Box::new(check(a, leaves)?), Box::new(check(b, leaves)?)),
        Tree::Holds(value) | Tree::Compare(value, ..) => {
            *leaves += 1;
            if *leaves > LEAVES {
                return Err(Mistake { what: format!("more than {LEAVES} comparisons"), column: value.column });
            }
            match tree {
                Tree::Compare(left, op, right) => check_pair(left, *op, right)?,
                _ if kinds(value)?.number => Rule::NotZero(value.clone()),
                _ => {
                    let what = format!("{} is a text and has to be compared with one", shown(value));
                    return Err(Mistake { what, column: value.column });
                }
            }
        }
    })
}

fn check_pair(left: &Value, op: Op, right: &Value) -> Result<Rule, Mistake> {
    let wrong = |what: String, at: &Value| Err(Mistake { what, column: at.column });
    let (of_left, of_right) = (kinds(left)?, kinds(right)?);
    let inverted = matches!(op, Op::Unequal | Op::MatchesNot);
    if matches!(op, Op::Matches | Op::MatchesNot) {
        if !of_left.text {
            return wrong(format!("{} is not a text", shown(left)), left);
        }
        let Term::Text(pattern) = &right.term else { return wrong("a pattern is a string".to_string(), right) };
        return match Regex::new(pattern) {
            Ok(regex) => Ok(Rule::Text(left.clone(), Pattern { kind: Kind::Regex(Rc::new(regex)), inverted })),
            Err(e) => wrong(format!("bad pattern: {e}"), right),
        };
    }
    let (subject, literal) = match (&left.term, &right.term) {
        (_, Term::Text(text)) => (Some(left), text.as_str()),
        (Term::Text(text), _) => (Some(right), text.as_str()),
        _ => (None, ""),
    };
    if let Some(subject) = subject {
        let other_kinds = if std::ptr::eq(subject, left) { of_left } else { of_right };
        if !matches!(op, Op::Equal | Op::Unequal) {
            return wrong("texts are compared with ==, !=, =~ and !~".to_string(), left);
        }
        if !other_kinds.text {
            return wrong(format!("{} is not a text", shown(subject)), subject);
        }
        let kind = Kind::Exactly(literal.to_string());
        return Ok(Rule::Text(subject.clone(), Pattern { kind, inverted }));
    }
    match (of_left.number, of_right.number) {
        (true, true) => Ok(Rule::Numbers(left.clone(), op, right.clone())),
        (false, true) => wrong("a text cannot be compared with a number".to_string(), right),
        (true, false) => wrong("a number cannot be compared with a text".to_string(), right),
        (false, false) => wrong("a text is compared with a string".to_string(), right),
    }
}

/// What an expression comes to for one call.
enum Folded {
    Is(bool),
    Step(usize),
}

struct Compiler {
    arch: Arch,
    entry: Option<&'static Entry>,
    steps: Vec<Step>,
    leaves: Vec<Leaf>,
}

fn plan(rule: &Rule, arch: Arch, entry: Option<&'static Entry>) -> Plan {
    if entry.is_some_and(|e| e.number(arch).is_none()) {
        return Plan::Never;
    }
    let mut compiler = Compiler { arch, entry, steps: Vec::new(), leaves: Vec::new() };
    match compiler.fold(rule) {
        Folded::Is(false) => Plan::Never,
        Folded::Is(true) => Plan::Always,
        Folded::Step(root) => Plan::Test(Rc::new(Test { root, steps: compiler.steps, leaves: compiler.leaves })),
    }
}

impl Compiler {
    fn fold(&mut self, rule: &Rule) -> Folded {
        use Folded::{Is, Step as At};
        match rule {
            Rule::Not(a) => match self.fold(a) {
                Is(b) => Is(!b),
                At(a) => self.step(Step::Not(a)),
            },
            Rule::And(a, b) => match (self.fold(a), self.fold(b)) {
                (Is(false), _) | (_, Is(false)) => Is(false),
                (Is(true), other) | (other, Is(true)) => other,
                (At(a), At(b)) => self.step(Step::And(a, b)),
            },
            Rule::Or(a, b) => match (self.fold(a), self.fold(b)) {
                (Is(true), _) | (_, Is(true)) => Is(true),
                (Is(false), other) | (other, Is(false)) => other,
                (At(a), At(b)) => self.step(Step::Or(a, b)),
            },
            Rule::Numbers(a, op, b) => {
                let (hint_a, hint_b) = (self.hint(a), self.hint(b));
                match (self.number(a, hint_b), self.number(b, hint_a)) {
                    (Some(Number::Value(a)), Some(Number::Value(b))) => Is(super::compares(*op, a, b)),
                    (Some(a), Some(b)) => self.leaf(Leaf::Numbers(a, *op, b)),
                    _ => Is(false),
                }
            }
            Rule::NotZero(value) => match self.number(value, None) {
                Some(Number::Value(n)) => Is(n != 0),
                Some(number) => self.leaf(Leaf::NotZero(number)),
                None => Is(false),
            },
            Rule::Text(value, pattern) => match self.text(value) {
                Some(Text::Literal(text)) => Is(pattern.is(text.as_bytes()) != pattern.inverted),
                Some(text) => self.leaf(Leaf::Text(text, pattern.clone())),
                None => Is(false),
            },
        }
    }

    fn step(&mut self, step: Step) -> Folded {
        self.steps.push(step);
        Folded::Step(self.steps.len() - 1)
    }

    fn leaf(&mut self, leaf: Leaf) -> Folded {
        self.leaves.push(leaf);
        self.step(Step::Leaf(self.leaves.len() - 1))
    }

    /// The argument with this name, in the call's plain form or in another.
    fn argument(&self, name: &str) -> Option<&'static Arg> {
        all_args(self.entry?).find(|a| a.name == name && !matches!(a.ty, Type::Scalar(Scalar::Skip)))
    }

    /// The type whose constants may stand beside this value.
    fn hint(&self, value: &Value) -> Option<Hint> {
        match &value.term {
            Term::Name(name) if name == "errno" => Some(Hint::Errno),
            Term::Name(name) => Some(Hint::Type(self.argument(argument_name(name)?)?.ty)),
            Term::Both(a, b) => self.hint(a).or_else(|| self.hint(b)),
            Term::Number(_) | Term::Text(_) => None,
        }
    }

    fn number(&self, value: &Value, hint: Option<Hint>) -> Option<Number> {
        let name = match &value.term {
            Term::Number(n) => return Some(Number::Value(*n)),
            Term::Text(_) => return None,
            Term::Both(a, b) => {
                let of_pair = hint.or_else(|| self.hint(a)).or_else(|| self.hint(b));
                let (a, b) = (self.number(a, of_pair)?, self.number(b, of_pair)?);
                return Some(match (a, b) {
                    (Number::Value(a), Number::Value(b)) => Number::Value(a & b),
                    (a, b) => Number::Both(Box::new(a), Box::new(b)),
                });
            }
            Term::Name(name) => name.as_str(),
        };
        Some(match name {
            "nr" => Number::Value(i128::from(self.entry?.number(self.arch)?)),
            "pid" => Number::Pid,
            "tid" => Number::Tid,
            "pc" => Number::Pc,
            "result" => Number::Result,
            "errno" => Number::Errno,
            "duration" => Number::Duration,
            _ if is_field(name) => Number::Register(usize::from(*name.strip_prefix("arg")?.as_bytes().first()? - b'1')),
            _ => match self.argument(argument_name(name)?) {
                Some(arg) if is_text(arg.ty) => return None,
                Some(arg) => match self.entry?.variants {
                    [] => {
                        let at = self.entry?.args.iter().position(|a| a.name == arg.name)?;
                        Number::Argument(at, arg.ty)
                    }
                    _ => Number::Named(arg.name),
                },
                None => Number::Value(constant(name, self.arch, hint)?),
            },
        })
    }

    fn text(&self, value: &Value) -> Option<Text> {
        let Term::Name(name) = &value.term else { return None };
        Some(match name.as_str() {
            "name" => Text::Literal(self.entry?.name),
            "arch" => Text::Literal(self.arch.name()),
            "comm" => Text::Comm,
            "path" => {
                // A call without any such argument has none.
                let has = |a: &Arg| matches!(a.ty, Type::Path | Type::Scalar(Scalar::Fd | Scalar::Dirfd));
                all_args(self.entry?).any(has).then_some(Text::Path)?
            }
            name => {
                let argument = argument_name(name)?;
                let at = self.entry?.args.iter().position(|a| a.name == argument && is_text(a.ty))?;
                Text::Argument(at)
            }
        })
    }
}

/// What a constant may be one of.
#[derive(Clone, Copy)]
enum Hint {
    Errno,
    Type(Type),
}

/// The value of a constant: of the set that the value beside it is from or, where that has none of this name, of any.
fn constant(name: &str, arch: Arch, hint: Option<Hint>) -> Option<i128> {
    let errno = || Errno::from_name(name).map(|e| i128::from(e.0));
    let number = || signal(name).map(|s| i128::from(s.0));
    let own = match hint {
        Some(Hint::Errno) => errno(),
        Some(Hint::Type(Type::Scalar(Scalar::Sig))) => number(),
        Some(Hint::Type(Type::Flags { set, .. } | Type::Enum { set, .. })) => set.value_of(arch, name).map(i128::from),
        _ => None,
    };
    let anywhere = || sets::ALL.iter().find_map(|set| set.value_of(arch, name)).map(i128::from);
    let at_cwd = || (name == "AT_FDCWD").then_some(i128::from(super::AT_FDCWD));
    own.or_else(at_cwd).or_else(errno).or_else(number).or_else(anywhere)
}
