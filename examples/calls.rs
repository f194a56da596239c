//! Counts the system calls of a program with an observer of its own, and those that failed.
//!
//! `cargo run --example calls -- PROGRAM [ARG...]`

use sevm::abi::Errno;
use sevm::trace::{Call, Sink, View};
use sevm::vm::Vm;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Calls and failures by name.
#[derive(Default)]
struct Calls(BTreeMap<&'static str, (u64, u64)>);

impl Sink for Calls {
    fn exit(&mut self, _view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        let name = call.entry().map_or("unknown", |entry| entry.name);
        let (calls, failures) = self.0.entry(name).or_default();
        *calls += 1;
        *failures += u64::from(matches!(result, Some(Err(_))));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let command: Vec<_> = std::env::args_os().skip(1).collect();
    let [program, args @ ..] = &command[..] else { return Err("usage: calls PROGRAM [ARG...]".into()) };
    let calls = Rc::new(RefCell::new(Calls::default()));
    let finished = Vm::builder(program).args(args).sink(Rc::clone(&calls)).build()?.run()?;
    for (name, (calls, failures)) in &calls.borrow().0 {
        println!("{name:<24}{calls:>10}{failures:>10}");
    }
    println!("{:?}", finished.status);
    Ok(())
}
