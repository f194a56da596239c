//! Parser of `syscall-tables/*.tbl`. Std only: `build.rs` includes this file, and the fuzz target and the tests run it
//! on other input. The grammar is in `syscall-tables/README.md`.

#![allow(missing_docs, reason = "names are those of the grammar, which the README describes")]

use std::fmt;

/// A mistake in a table, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

type Result<T> = std::result::Result<T, ParseError>;

fn err<T>(line: usize, message: impl Into<String>) -> Result<T> {
    Err(ParseError { line, message: message.into() })
}

/// Direction of the data behind a pointer, seen from the kernel's caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dir {
    In,
    Out,
    InOut,
}

/// How many elements an array argument has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Len {
    /// The value of another argument, times `mul`, divided by `div`.
    Arg { name: String, mul: u64, div: u64 },
    /// The integer another argument points to.
    Deref(String),
    /// The call's result.
    Ret,
    /// A constant.
    Const(u64),
}

/// The type of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A scalar by its name in [`SCALARS`].
    Scalar(String),
    /// Or-ed bits of a set of `flags.tbl`; `wide` for 64-bit arguments.
    Flags { set: String, wide: bool },
    /// One value of an enum of `flags.tbl`.
    Enum { set: String, wide: bool },
    /// A file name.
    Path,
    /// A NUL-terminated string.
    Str,
    /// A NULL-terminated array of strings.
    Strs,
    /// A pointer to `elem`, or to an array of it.
    Ptr { dir: Dir, elem: Elem, len: Option<Len> },
}

/// What a pointer points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elem {
    Bytes,
    Scalar(String),
    Flags { set: String, wide: bool },
    Enum { set: String, wide: bool },
    Struct(String),
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    pub name: String,
    pub ty: Type,
    /// NULL is accepted.
    pub nullable: bool,
    /// Printed only if the flags argument before it has one of these bits.
    pub cond: Vec<String>,
}

/// The type of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ret {
    Scalar(String),
    Flags(String),
    Enum(String),
}

/// Another form of a call, chosen by the value of its enum argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub line: usize,
    pub consts: Vec<String>,
    pub args: Vec<Arg>,
    pub ret: Ret,
}

/// How much of a call is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Full,
    Partial(String),
    /// The errno it gives, and a note.
    None(String, String),
}

/// A line of `linux.tbl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub line: usize,
    /// x86_64, aarch64.
    pub nr: [Option<u32>; 2],
    pub name: String,
    pub args: Vec<Arg>,
    pub ret: Ret,
    pub classes: Vec<String>,
    pub replay: String,
    /// Module and function below `kernel`.
    pub handler: Option<(String, String)>,
    pub status: Status,
    pub variants: Vec<Variant>,
}

/// A constant of a set, with its value on x86_64 and aarch64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Const {
    pub name: String,
    pub value: [Option<u64>; 2],
}

/// A set of `flags.tbl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub line: usize,
    pub name: String,
    /// An enum (one value), not or-ed bits.
    pub is_enum: bool,
    /// The low bits that are an enum of their own.
    pub mask: u64,
    /// Placeholder in the comment for unknown values.
    pub prefix: String,
    /// Bits that are a number, and how it is printed: `octal`, `decimal`, or what it is shifted by.
    pub tails: Vec<(u64, String)>,
    pub consts: Vec<Const>,
}

/// A line of `errno.tbl` or `signal.tbl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    pub name: String,
    pub value: u32,
    /// A signal's default action, or `internal`; empty for other errnos.
    pub kind: String,
    pub text: String,
}

/// Scalar type names, each with the Rust type of its field in the generated argument struct.
pub const SCALARS: &[(&str, &str)] = &[
    ("int", "i32"),
    ("fd", "i32"),
    ("dirfd", "i32"),
    ("pid", "i32"),
    ("sig", "i32"),
    ("uint", "u32"),
    ("uid", "u32"),
    ("gid", "u32"),
    ("mode", "u32"),
    ("dev", "u32"),
    ("hex32", "u32"),
    ("long", "i64"),
    ("off", "i64"),
    ("ulong", "u64"),
    ("size", "u64"),
    ("hex", "u64"),
    ("skip", "u64"),
    ("addr", "GuestAddr"),
];

/// Names a result type may have beside the scalars.
pub const RESULTS: &[&str] = &["zero", "time", "none"];

fn is_scalar(name: &str) -> bool {
    SCALARS.iter().any(|(n, _)| *n == name)
}

fn is_ident(s: &str) -> bool {
    !s.is_empty()
        && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !s.starts_with(|c: char| c.is_ascii_digit())
}

fn ident(line: usize, s: &str) -> Result<String> {
    if is_ident(s) { Ok(s.to_string()) } else { err(line, format!("'{s}' is not a name")) }
}

/// `NAME(inner)` with the given NAME.
fn wrapped<'a>(s: &'a str, name: &str) -> Option<&'a str> {
    s.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// Parses a decimal, 0x or 0o number; a leading minus gives the two's complement.
pub fn number(s: &str) -> Option<u64> {
    if let Some(rest) = s.strip_prefix('-') {
        return number(rest).map(u64::wrapping_neg);
    }
    if let Some(h) = s.strip_prefix("0x") {
        u64::from_str_radix(&h.replace('_', ""), 16).ok()
    } else if let Some(o) = s.strip_prefix("0o") {
        u64::from_str_radix(o, 8).ok()
    } else {
        s.parse().ok()
    }
}

fn parse_len(line: usize, s: &str) -> Result<Len> {
    if s == "ret" {
        return Ok(Len::Ret);
    }
    if let Some(n) = number(s) {
        return Ok(Len::Const(n));
    }
    if let Some(p) = s.strip_prefix('*') {
        return Ok(Len::Deref(ident(line, p)?));
    }
    for (op, mul) in [('*', true), ('/', false)] {
        if let Some((name, k)) = s.split_once(op) {
            let k = number(k.trim()).filter(|k| *k != 0);
            let Some(k) = k else { return err(line, format!("bad length '{s}'")) };
            let name = ident(line, name.trim())?;
            return Ok(Len::Arg { name, mul: if mul { k } else { 1 }, div: if mul { 1 } else { k } });
        }
    }
    Ok(Len::Arg { name: ident(line, s)?, mul: 1, div: 1 })
}

fn parse_elem(line: usize, s: &str) -> Result<Elem> {
    if s == "bytes" {
        Ok(Elem::Bytes)
    } else if let Some(set) = wrapped(s, "flags") {
        Ok(Elem::Flags { set: ident(line, set)?, wide: false })
    } else if let Some(set) = wrapped(s, "flags64") {
        Ok(Elem::Flags { set: ident(line, set)?, wide: true })
    } else if let Some(set) = wrapped(s, "enum") {
        Ok(Elem::Enum { set: ident(line, set)?, wide: false })
    } else if let Some(set) = wrapped(s, "enum64") {
        Ok(Elem::Enum { set: ident(line, set)?, wide: true })
    } else if is_scalar(s) {
        Ok(Elem::Scalar(s.to_string()))
    } else {
        Ok(Elem::Struct(ident(line, s)?))
    }
}

fn parse_type(line: usize, s: &str) -> Result<Type> {
    for (word, dir) in [("inout ", Dir::InOut), ("in ", Dir::In), ("out ", Dir::Out)] {
        if let Some(rest) = s.strip_prefix(word) {
            let rest = rest.trim();
            let (elem, len) = match rest.strip_suffix(']').and_then(|r| r.split_once('[')) {
                Some((elem, len)) => (elem, Some(parse_len(line, len.trim())?)),
                None => (rest, None),
            };
            let elem = parse_elem(line, elem)?;
            if elem == Elem::Bytes && len.is_none() {
                return err(line, "bytes needs a length");
            }
            return Ok(Type::Ptr { dir, elem, len });
        }
    }
    for (word, wide) in [("flags", false), ("flags64", true)] {
        if let Some(set) = wrapped(s, word) {
            return Ok(Type::Flags { set: ident(line, set)?, wide });
        }
    }
    for (word, wide) in [("enum", false), ("enum64", true)] {
        if let Some(set) = wrapped(s, word) {
            return Ok(Type::Enum { set: ident(line, set)?, wide });
        }
    }
    match s {
        "path" => Ok(Type::Path),
        "str" => Ok(Type::Str),
        "strs" => Ok(Type::Strs),
        _ if is_scalar(s) => Ok(Type::Scalar(s.to_string())),
        _ => err(line, format!("unknown type '{s}'")),
    }
}

fn parse_arg(line: usize, s: &str) -> Result<Arg> {
    let Some((name, rest)) = s.split_once(':') else { return err(line, format!("argument '{s}' has no type")) };
    let (ty, cond) = match rest.split_once(" if ") {
        Some((ty, cond)) => (ty.trim(), cond.split('|').map(|c| ident(line, c.trim())).collect::<Result<Vec<_>>>()?),
        None => (rest.trim(), Vec::new()),
    };
    let (ty, nullable) = match ty.strip_suffix('?') {
        Some(t) => (t.trim(), true),
        None => (ty, false),
    };
    Ok(Arg { name: ident(line, name.trim())?, ty: parse_type(line, ty)?, nullable, cond })
}

fn parse_ret(line: usize, s: &str) -> Result<Ret> {
    if let Some(set) = wrapped(s, "flags").or_else(|| wrapped(s, "flags64")) {
        Ok(Ret::Flags(ident(line, set)?))
    } else if let Some(set) = wrapped(s, "enum").or_else(|| wrapped(s, "enum64")) {
        Ok(Ret::Enum(ident(line, set)?))
    } else if is_scalar(s) || RESULTS.contains(&s) {
        Ok(Ret::Scalar(s.to_string()))
    } else {
        err(line, format!("unknown result type '{s}'"))
    }
}

/// Splits at top-level commas: not within brackets or parentheses.
fn split_args(s: &str) -> Vec<&str> {
    let (mut depth, mut start, mut out) = (0i32, 0, Vec::new());
    for (i, c) in s.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(s[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    if !s[start..].trim().is_empty() {
        out.push(s[start..].trim());
    }
    out
}

/// `head(args) -> ret`.
fn parse_signature(line: usize, s: &str) -> Result<(String, Vec<Arg>, Ret)> {
    let Some((left, ret)) = s.rsplit_once("->") else { return err(line, "no '->'") };
    let left = left.trim();
    let Some((head, args)) = left.strip_suffix(')').and_then(|l| l.split_once('(')) else {
        return err(line, "no argument list");
    };
    let args = split_args(args).into_iter().map(|a| parse_arg(line, a)).collect::<Result<Vec<_>>>()?;
    if args.len() > 6 {
        return err(line, "more than six arguments");
    }
    for (i, a) in args.iter().enumerate() {
        if args[..i].iter().any(|b| b.name == a.name) {
            return err(line, format!("two arguments are called '{}'", a.name));
        }
    }
    Ok((head.trim().to_string(), args, parse_ret(line, ret.trim())?))
}

fn quoted(line: usize, s: &str) -> Result<String> {
    let s = s.trim();
    if s.is_empty() {
        return Ok(String::new());
    }
    match s.strip_prefix('"').and_then(|s| s.strip_suffix('"')) {
        Some(t) if !t.contains('"') => Ok(t.to_string()),
        _ => err(line, format!("expected a quoted text, found '{s}'")),
    }
}

fn parse_status(line: usize, s: &str) -> Result<Status> {
    if s == "full" {
        return Ok(Status::Full);
    }
    if let Some(note) = s.strip_prefix("partial") {
        let note = quoted(line, note)?;
        return if note.is_empty() { err(line, "partial needs a note") } else { Ok(Status::Partial(note)) };
    }
    let Some(rest) = s.strip_prefix("none") else { return err(line, format!("unknown status '{s}'")) };
    let rest = rest.trim();
    let (errno, note) = match rest.find('"') {
        Some(at) => (rest[..at].trim(), quoted(line, &rest[at..])?),
        None => (rest, String::new()),
    };
    let errno = if errno.is_empty() { "ENOSYS" } else { errno };
    Ok(Status::None(ident(line, errno)?, note))
}

fn parse_number_column(line: usize, s: &str) -> Result<Option<u32>> {
    if s == "-" {
        return Ok(None);
    }
    match s.parse::<u32>() {
        Ok(n) if n < 1024 => Ok(Some(n)),
        _ => err(line, format!("bad call number '{s}'")),
    }
}

fn parse_variant(line: usize, s: &str, call: &Call) -> Result<Variant> {
    let (head, args, ret) = parse_signature(line, s)?;
    let Some((name, consts)) = head.split_once('.') else { return err(line, "a variant is NAME.CONST(...)") };
    if name != call.name {
        return err(line, format!("variant of '{name}' below '{}'", call.name));
    }
    if args.len() > call.args.len() || args.iter().zip(&call.args).any(|(a, b)| a.name != b.name) {
        return err(line, "a variant may retype or drop arguments, not rename them");
    }
    let consts = consts.split('|').map(|c| ident(line, c.trim())).collect::<Result<Vec<_>>>()?;
    Ok(Variant { line, consts, args, ret })
}

fn parse_call(line: usize, s: &str) -> Result<Call> {
    let columns: Vec<&str> = s.split(" | ").map(str::trim).collect();
    let [sig, classes, replay, handler, status] = columns[..] else {
        return err(line, format!("expected 5 columns, found {}", columns.len()));
    };
    let mut words = sig.splitn(2, char::is_whitespace);
    let x86 = parse_number_column(line, words.next().unwrap_or(""))?;
    let rest = words.next().unwrap_or("").trim_start();
    let (arm, sig) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let nr = [x86, parse_number_column(line, arm)?];
    if nr == [None, None] {
        return err(line, "a call without a number");
    }
    let (name, args, ret) = parse_signature(line, sig.trim())?;
    let name = ident(line, &name)?;
    let classes = match classes {
        "-" => Vec::new(),
        c => c
            .split_whitespace()
            .map(|c| match c.strip_prefix('%') {
                Some(c) => ident(line, c),
                None => err(line, format!("class '{c}' without %")),
            })
            .collect::<Result<Vec<_>>>()?,
    };
    if !["inject", "emulate", "pure", "-"].contains(&replay) {
        return err(line, format!("unknown replay kind '{replay}'"));
    }
    let handler = match handler {
        "-" => None,
        h => match h.split_once("::") {
            Some((m, f)) => Some((ident(line, m)?, ident(line, f)?)),
            None => return err(line, format!("handler '{h}' is not module::function")),
        },
    };
    let status = parse_status(line, status)?;
    if handler.is_some() == matches!(status, Status::None(..)) {
        return err(line, format!("{name}: a handler and the status 'none' exclude one another"));
    }
    Ok(Call { line, nr, name, args, ret, classes, replay: replay.to_string(), handler, status, variants: Vec::new() })
}

fn check_names(call: &Call) -> Result<()> {
    for (line, args) in std::iter::once((call.line, &call.args)).chain(call.variants.iter().map(|v| (v.line, &v.args)))
    {
        for a in args {
            let Type::Ptr { len: Some(Len::Arg { name, .. } | Len::Deref(name)), .. } = &a.ty else { continue };
            if !call.args.iter().any(|b| b.name == *name) {
                return err(line, format!("the length of '{}' names no argument: '{name}'", a.name));
            }
        }
    }
    Ok(())
}

/// Parses `linux.tbl`.
///
/// # Errors
/// The first line that breaks the grammar.
pub fn calls(text: &str) -> Result<Vec<Call>> {
    let mut out: Vec<Call> = Vec::new();
    for (i, raw) in text.lines().enumerate() {
        let (line, s) = (i + 1, raw.trim());
        if s.is_empty() || s.starts_with('#') {
            continue;
        }
        if let Some(v) = s.strip_prefix(':') {
            let Some(last) = out.last_mut() else { return err(line, "a variant before any call") };
            let variant = parse_variant(line, v.trim(), last)?;
            last.variants.push(variant);
        } else {
            let call = parse_call(line, s)?;
            for other in &out {
                for a in 0..2 {
                    if call.nr[a].is_some() && call.nr[a] == other.nr[a] {
                        return err(line, format!("number {:?} is also {}", call.nr[a], other.name));
                    }
                    if call.name == other.name && call.nr[a].is_some() && other.nr[a].is_some() {
                        return err(line, format!("{} has two numbers for one architecture", call.name));
                    }
                }
            }
            out.push(call);
        }
    }
    for c in &out {
        check_names(c)?;
    }
    Ok(out)
}

fn parse_const(line: usize, s: &str) -> Result<Const> {
    let mut words = s.split_whitespace();
    let name = ident(line, words.next().unwrap_or(""))?;
    let (mut value, mut seen) = ([None, None], false);
    for w in words {
        if w.starts_with('#') {
            break;
        }
        let (arch, v) = match w.split_once('=') {
            Some(("x86_64", v)) => (Some(0), v),
            Some(("aarch64", v)) => (Some(1), v),
            Some((a, _)) => return err(line, format!("unknown architecture '{a}'")),
            None => (None, w),
        };
        let v = match v {
            "-" => None,
            v => match number(v) {
                Some(n) => Some(n),
                None => return err(line, format!("bad value '{v}'")),
            },
        };
        match arch {
            Some(a) => value[a] = v,
            None => value = [v, v],
        }
        seen = true;
    }
    if seen { Ok(Const { name, value }) } else { err(line, format!("{name} has no value")) }
}

/// Parses `flags.tbl`.
///
/// # Errors
/// The first line that breaks the grammar.
pub fn sets(text: &str) -> Result<Vec<Set>> {
    let mut out: Vec<Set> = Vec::new();
    for (i, raw) in text.lines().enumerate() {
        let (line, s) = (i + 1, raw.trim());
        if s.is_empty() || s.starts_with('#') {
            continue;
        }
        if !raw.starts_with([' ', '\t']) {
            let mut words = s.split_whitespace();
            let is_enum = match words.next() {
                Some("set") => false,
                Some("enum") => true,
                _ => return err(line, "expected 'set NAME' or 'enum NAME'"),
            };
            let name = ident(line, words.next().unwrap_or(""))?;
            if out.iter().any(|o| o.name == name) {
                return err(line, format!("'{name}' is defined twice"));
            }
            out.push(Set {
                line,
                name,
                is_enum,
                mask: 0,
                prefix: String::new(),
                tails: Vec::new(),
                consts: Vec::new(),
            });
            continue;
        }
        let Some(set) = out.last_mut() else { return err(line, "a constant before any set") };
        if let Some(mask) = s.strip_prefix("mask ") {
            let Some(m) = number(mask.trim()) else { return err(line, format!("bad mask '{mask}'")) };
            set.mask = m;
        } else if let Some(prefix) = s.strip_prefix("prefix ") {
            set.prefix = prefix.trim().to_string();
        } else if let Some(tail) = s.strip_prefix("tail ") {
            let mut words = tail.split_whitespace();
            let (Some(mask), Some(how)) = (words.next().and_then(number), words.next()) else {
                return err(line, "expected 'tail MASK octal|decimal|NAME_OF_SHIFT'");
            };
            set.tails.push((mask, how.to_string()));
        } else {
            let c = parse_const(line, s)?;
            if set.consts.iter().any(|o| o.name == c.name) {
                return err(line, format!("'{}' stands twice in '{}'", c.name, set.name));
            }
            set.consts.push(c);
        }
    }
    Ok(out)
}

/// Parses `errno.tbl` or `signal.tbl`: `NAME NUMBER [KIND] "text"`.
///
/// # Errors
/// The first line that breaks the grammar.
pub fn named(text: &str) -> Result<Vec<Named>> {
    let mut out: Vec<Named> = Vec::new();
    for (i, raw) in text.lines().enumerate() {
        let (line, s) = (i + 1, raw.trim());
        if s.is_empty() || s.starts_with('#') {
            continue;
        }
        let (head, text) = match s.find('"') {
            Some(at) => (&s[..at], quoted(line, &s[at..])?),
            None => (s, String::new()),
        };
        let mut words = head.split_whitespace();
        let name = ident(line, words.next().unwrap_or(""))?;
        let Some(value) = words.next().and_then(|v| v.parse().ok()) else { return err(line, "bad number") };
        out.push(Named { line, name, value, kind: words.next().unwrap_or("").to_string(), text });
    }
    Ok(out)
}
