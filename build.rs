//! Turns `syscall-tables/*.tbl` into Rust: errnos, signals, constants, signatures, argument structs and the dispatch.
//! Std only. A table that breaks its grammar, a set that does not exist or a handler without its function stops the
//! build with the place.

#[path = "src/syscalls/parse.rs"]
#[allow(dead_code, reason = "shared with the library, which uses the rest")]
mod parse;

use parse::{Arg, Call, Dir, Elem, Len, Ret, Set, Status, Type};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=syscall-tables");
    println!("cargo:rerun-if-changed=src/syscalls/parse.rs");
    println!("cargo:rerun-if-changed=build.rs");
    let dir = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("syscall-tables");
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_else(|e| fail(name, &e.to_string()));
    let calls = parse::calls(&read("linux.tbl")).unwrap_or_else(|e| fail("linux.tbl", &e.to_string()));
    let sets = parse::sets(&read("flags.tbl")).unwrap_or_else(|e| fail("flags.tbl", &e.to_string()));
    let errnos = parse::named(&read("errno.tbl")).unwrap_or_else(|e| fail("errno.tbl", &e.to_string()));
    let signals = parse::named(&read("signal.tbl")).unwrap_or_else(|e| fail("signal.tbl", &e.to_string()));

    let out = std::env::var("OUT_DIR").expect("set by cargo");
    let write = |name: &str, text: String| {
        std::fs::write(Path::new(&out).join(name), text).unwrap_or_else(|e| fail(name, &e.to_string()));
    };
    write("errno.rs", errno_rs(&errnos));
    write("signal.rs", signal_rs(&signals));
    write("consts.rs", consts_rs(&sets));
    write("sets.rs", sets_rs(&sets));
    write("entries.rs", entries_rs(&calls, &sets));
    write("args.rs", args_rs(&calls));
    write("dispatch.rs", dispatch_rs(&calls));
}

fn fail(file: &str, message: &str) -> ! {
    panic!("syscall-tables/{file}: {message}")
}

fn errno_rs(errnos: &[parse::Named]) -> String {
    let mut s = String::from("impl Errno {\n");
    for e in errnos {
        let _ = writeln!(s, "    /// {}.\n    pub const {}: Errno = Errno({});", e.text, e.name, e.value);
    }
    s.push_str("}\n\n/// Name and text by number; the first name of a number wins.\npub(super) static ERRNOS: &[(u16, &str, &str)] = &[\n");
    for e in errnos {
        let _ = writeln!(s, "    ({}, {:?}, {:?}),", e.value, e.name, e.text);
    }
    s.push_str("];\n");
    s
}

fn signal_rs(signals: &[parse::Named]) -> String {
    let mut s = String::from("impl Signal {\n");
    for e in signals {
        let _ = writeln!(s, "    /// {}.\n    pub const {}: Signal = Signal({});", e.text, e.name, e.value);
    }
    s.push_str("}\n\npub(super) static SIGNALS: &[(u8, &str, DefaultAction, &str)] = &[\n");
    for e in signals {
        let action = match e.kind.as_str() {
            "term" => "Terminate",
            "core" => "Core",
            "ign" => "Ignore",
            "stop" => "Stop",
            "cont" => "Continue",
            k => fail("signal.tbl", &format!("line {}: unknown action '{k}'", e.line)),
        };
        let _ = writeln!(s, "    ({}, {:?}, DefaultAction::{action}, {:?}),", e.value, e.name, e.text);
    }
    s.push_str("];\n");
    s
}

/// A Rust type that holds every value of the set.
fn const_type(set: &Set) -> &'static str {
    let wide = set.consts.iter().flat_map(|c| c.value).flatten().any(|v| u32::try_from(v).is_err());
    if wide { "u64" } else { "u32" }
}

fn consts_rs(sets: &[Set]) -> String {
    let mut s = String::new();
    for set in sets {
        let _ = writeln!(s, "/// Constants of `{}`.\npub mod {} {{", set.name, escape(&set.name));
        let ty = const_type(set);
        for c in &set.consts {
            let Some(v) = c.value[0].or(c.value[1]) else { continue };
            let _ = writeln!(s, "    #[allow(missing_docs)]\n    pub const {}: {ty} = {v:#x};", c.name);
        }
        s.push_str("}\n");
    }
    s
}

fn option(v: Option<u64>) -> String {
    v.map_or("None".into(), |v| format!("Some({v:#x})"))
}

fn tail((mask, how): &(u64, String)) -> String {
    let how = match how.as_str() {
        "octal" => "TailKind::Octal".to_string(),
        "decimal" => "TailKind::Decimal".to_string(),
        shift => format!("TailKind::Shifted({shift:?})"),
    };
    format!("Tail {{ mask: {mask:#x}, kind: {how} }}, ")
}

fn sets_rs(sets: &[Set]) -> String {
    let (mut s, mut names) = (String::new(), String::new());
    for set in sets {
        let _ = writeln!(
            s,
            "/// `{}` of flags.tbl.\npub static {}: Set = Set {{ name: {:?}, is_enum: {}, mask: {:#x}, prefix: {:?}, tails: &[{}], consts: &[",
            set.name,
            upper(&set.name),
            set.name,
            set.is_enum,
            set.mask,
            set.prefix,
            set.tails.iter().map(tail).collect::<String>()
        );
        for c in &set.consts {
            let (at, len) = (names.len(), c.name.len());
            names.push_str(&c.name);
            let (first, second) = (option(c.value[0]), option(c.value[1]));
            let _ = writeln!(
                s,
                "    Const {{ name: Name {{ at: {at}, len: {len} }}, value: [{first}, {second}] }}, // {}",
                c.name
            );
        }
        s.push_str("] };\n");
    }
    let _ = writeln!(s, "/// The names of all constants.\npub(super) static NAMES: &str = {names:?};");
    s.push_str("/// Every set.\npub static ALL: &[&Set] = &[\n");
    for set in sets {
        let _ = writeln!(s, "    &{},", upper(&set.name));
    }
    s.push_str("];\n");
    s
}

fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

fn escape(name: &str) -> String {
    const KEYWORDS: &[&str] = &["type", "in", "ref", "move", "mod", "use", "where", "match", "loop", "box", "priv"];
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_string() }
}

fn camel(name: &str) -> String {
    name.split('_')
        .filter(|p| !p.is_empty())
        .map(|p| p[..1].to_ascii_uppercase() + &p[1..])
        .collect::<Vec<_>>()
        .join("")
}

struct Emit<'a> {
    sets: BTreeMap<&'a str, &'a Set>,
    structs: BTreeMap<String, String>,
}

impl Emit<'_> {
    fn set(&self, line: usize, name: &str) -> String {
        if !self.sets.contains_key(name) {
            fail("linux.tbl", &format!("line {line}: no set '{name}' in flags.tbl"));
        }
        format!("&sets::{}", upper(name))
    }

    fn elem(&mut self, line: usize, e: &Elem) -> String {
        match e {
            Elem::Bytes => "Elem::Bytes".into(),
            Elem::Scalar(s) => format!("Elem::Scalar(Scalar::{})", camel(s)),
            Elem::Flags { set, wide } => format!("Elem::Flags {{ set: {}, wide: {wide} }}", self.set(line, set)),
            Elem::Enum { set, wide } => format!("Elem::Enum {{ set: {}, wide: {wide} }}", self.set(line, set)),
            Elem::Struct(s) => {
                self.structs.insert(camel(s), s.clone());
                format!("Elem::Struct(Struct::{})", camel(s))
            }
        }
    }

    fn ty(&mut self, line: usize, names: &[Arg], t: &Type) -> String {
        match t {
            Type::Scalar(s) => format!("Type::Scalar(Scalar::{})", camel(s)),
            Type::Flags { set, wide } => format!("Type::Flags {{ set: {}, wide: {wide} }}", self.set(line, set)),
            Type::Enum { set, wide } => format!("Type::Enum {{ set: {}, wide: {wide} }}", self.set(line, set)),
            Type::Path => "Type::Path".into(),
            Type::Str => "Type::Str".into(),
            Type::Strs => "Type::Strs".into(),
            Type::Ptr { dir, elem, len } => {
                let dir = match dir {
                    Dir::In => "In",
                    Dir::Out => "Out",
                    Dir::InOut => "InOut",
                };
                let at = |n: &str| names.iter().position(|a| a.name == n).unwrap_or(0);
                let len = match len {
                    None => "None".to_string(),
                    Some(Len::Ret) => "Some(Len::Ret)".into(),
                    Some(Len::Const(n)) => format!("Some(Len::Const({n}))"),
                    Some(Len::Deref(n)) => format!("Some(Len::Deref {{ arg: {} }})", at(n)),
                    Some(Len::Arg { name, mul, div }) => {
                        format!("Some(Len::Arg {{ arg: {}, mul: {mul}, div: {div} }})", at(name))
                    }
                };
                format!("Type::Ptr {{ dir: Dir::{dir}, elem: {}, len: {len} }}", self.elem(line, elem))
            }
        }
    }

    /// The bits of a condition on each architecture, looked up in the nearest flags argument before it.
    fn cond(&self, line: usize, before: &[Arg], cond: &[String]) -> String {
        if cond.is_empty() {
            return "[0, 0]".into();
        }
        let set = before.iter().rev().find_map(|a| match &a.ty {
            Type::Flags { set, .. } => self.sets.get(set.as_str()),
            _ => None,
        });
        let Some(set) = set else { fail("linux.tbl", &format!("line {line}: a condition without flags before it")) };
        let mut bits = [0u64; 2];
        for name in cond {
            let Some(c) = set.consts.iter().find(|c| c.name == *name) else {
                fail("linux.tbl", &format!("line {line}: '{name}' is not in '{}'", set.name))
            };
            for (b, v) in bits.iter_mut().zip(c.value) {
                *b |= v.unwrap_or(0);
            }
        }
        format!("[{:#x}, {:#x}]", bits[0], bits[1])
    }

    fn args(&mut self, line: usize, names: &[Arg], args: &[Arg]) -> String {
        let mut s = String::from("&[");
        for (i, a) in args.iter().enumerate() {
            let ty = self.ty(line, names, &a.ty);
            let cond = self.cond(line, &args[..i], &a.cond);
            let _ = write!(s, "Arg {{ name: {:?}, ty: {ty}, nullable: {}, cond: {cond} }}, ", a.name, a.nullable);
        }
        s.push(']');
        s
    }

    fn ret(&self, line: usize, r: &Ret) -> String {
        match r {
            Ret::Scalar(s) => match s.as_str() {
                "zero" => "Ret::Zero".into(),
                "none" => "Ret::None".into(),
                "time" => "Ret::Time".into(),
                s => format!("Ret::Scalar(Scalar::{})", camel(s)),
            },
            Ret::Flags(s) => format!("Ret::Flags({})", self.set(line, s)),
            Ret::Enum(s) => format!("Ret::Enum({})", self.set(line, s)),
        }
    }

    fn variants(&mut self, c: &Call) -> (usize, String) {
        if c.variants.is_empty() {
            return (0, "&[]".into());
        }
        let selector = c.args.iter().position(|a| matches!(a.ty, Type::Enum { .. }));
        let selector = selector.or_else(|| c.args.iter().position(|a| matches!(a.ty, Type::Flags { .. })));
        let Some(selector) = selector else {
            fail("linux.tbl", &format!("line {}: variants of a call without an enum argument", c.line))
        };
        let (Type::Enum { set, .. } | Type::Flags { set, .. }) = &c.args[selector].ty else { unreachable!() };
        let set = self.sets.get(set.as_str()).copied();
        let mut s = String::from("&[");
        for v in &c.variants {
            let mut values = String::from("&[");
            for name in &v.consts {
                let found = set.and_then(|s| s.consts.iter().find(|k| k.name == *name));
                let Some(k) = found else { fail("linux.tbl", &format!("line {}: no constant '{name}'", v.line)) };
                let _ = write!(values, "[{}, {}], ", option(k.value[0]), option(k.value[1]));
            }
            values.push(']');
            let args = self.args(v.line, &c.args, &v.args);
            let _ = write!(s, "Variant {{ values: {values}, args: {args}, ret: {} }}, ", self.ret(v.line, &v.ret));
        }
        s.push(']');
        (selector, s)
    }
}

fn entries_rs(calls: &[Call], sets: &[Set]) -> String {
    let mut e = Emit { sets: sets.iter().map(|s| (s.name.as_str(), s)).collect(), structs: BTreeMap::new() };
    let mut s = String::from("/// Every call of `linux.tbl`, in its order.\npub static ENTRIES: &[Entry] = &[\n");
    for c in calls {
        let nr = c.nr.map(|n| n.map_or("None".into(), |n| format!("Some({n})"))).join(", ");
        let args = e.args(c.line, &c.args, &c.args);
        let (selector, variants) = e.variants(c);
        let (level, note) = match &c.status {
            Status::Full => ("Level::Full".to_string(), ""),
            Status::Partial(n) => ("Level::Partial".into(), n.as_str()),
            Status::None(errno, n) => (format!("Level::None(Errno::{errno})"), n.as_str()),
        };
        let replay = match c.replay.as_str() {
            "-" => "None".into(),
            r => camel(r),
        };
        let handler = c.handler.as_ref().map_or(String::new(), |(m, f)| format!("{m}::{f}"));
        let _ = writeln!(
            s,
            "    Entry {{ name: {:?}, nr: [{nr}], args: {args}, ret: {}, classes: &{:?}, replay: Replay::{replay}, \
             level: {level}, note: {note:?}, handler: {handler:?}, selector: {selector}, variants: {variants} }},",
            c.name,
            e.ret(c.line, &c.ret),
            c.classes,
        );
    }
    s.push_str("];\n\n");
    for (a, name) in ["X86_64", "AARCH64"].iter().enumerate() {
        let len = calls.iter().filter_map(|c| c.nr[a]).max().map_or(0, |m| m as usize + 1);
        let mut index = vec![u16::MAX; len];
        for (i, c) in calls.iter().enumerate() {
            if let Some(n) = c.nr[a] {
                index[n as usize] = i as u16;
            }
        }
        let _ = writeln!(s, "static {name}: [u16; {len}] = {index:?};");
    }
    s.push_str("\n/// Structs that signatures name.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n#[allow(missing_docs)]\npub enum Struct {\n");
    for k in e.structs.keys() {
        let _ = writeln!(s, "    {k},");
    }
    s.push_str("}\n\nimpl Struct {\n    /// Its name in the table.\n    pub fn name(self) -> &'static str {\n        match self {\n");
    for (k, v) in &e.structs {
        let _ = writeln!(s, "            Struct::{k} => {v:?},");
    }
    s.push_str("        }\n    }\n}\n");
    s
}

fn field_type(t: &Type) -> &'static str {
    match t {
        Type::Scalar(s) => parse::SCALARS.iter().find(|(n, _)| n == s).map_or("u64", |(_, t)| t),
        Type::Flags { wide, .. } | Type::Enum { wide, .. } => {
            if *wide {
                "u64"
            } else {
                "u32"
            }
        }
        Type::Path | Type::Str | Type::Strs | Type::Ptr { .. } => "GuestAddr",
    }
}

fn args_rs(calls: &[Call]) -> String {
    let mut seen: BTreeMap<&str, &Call> = BTreeMap::new();
    let mut s = String::new();
    for c in calls {
        if let Some(first) = seen.get(c.name.as_str()) {
            let key = |c: &Call| {
                let mut k: Vec<_> = c.args.iter().map(|a| (a.name.clone(), field_type(&a.ty))).collect();
                k.sort();
                k
            };
            if key(first) != key(c) {
                fail("linux.tbl", &format!("line {}: {} has other arguments on line {}", c.line, c.name, first.line));
            }
            continue;
        }
        seen.insert(&c.name, c);
        let _ = writeln!(
            s,
            "/// Arguments of {}.\n#[derive(Debug, Clone, Copy)]\n#[allow(missing_docs)]\npub struct {} {{",
            c.name,
            camel(&c.name)
        );
        for a in &c.args {
            let _ = writeln!(s, "    pub {}: {},", escape(&a.name), field_type(&a.ty));
        }
        s.push_str("}\n");
    }
    s
}

fn dispatch_rs(calls: &[Call]) -> String {
    let mut s = String::from(
        "/// Carries out the call with the given index in `ENTRIES`.\n\
         pub fn dispatch(ctx: &mut Ctx, index: usize, r: &[u64; 6]) -> SysResult {\n    match index {\n",
    );
    for (i, c) in calls.iter().enumerate() {
        let Some((module, function)) = &c.handler else { continue };
        let mut fields = String::new();
        for (n, a) in c.args.iter().enumerate() {
            let value = match field_type(&a.ty) {
                "GuestAddr" => format!("GuestAddr(r[{n}])"),
                "u64" => format!("r[{n}]"),
                t => format!("r[{n}] as {t}"),
            };
            let _ = write!(fields, "{}: {value}, ", escape(&a.name));
        }
        let _ = writeln!(s, "        {i} => {module}::{function}(ctx, &args::{} {{ {fields} }}),", camel(&c.name));
    }
    s.push_str("        _ => Err(ENTRIES.get(index).map_or(Errno::ENOSYS, Entry::errno).into()),\n    }\n}\n");
    s
}
