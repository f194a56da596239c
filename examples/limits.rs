//! Runs a program that is not trusted to end: with a budget of instructions, memory and processes, and its trace kept in
//! memory.
//!
//! `cargo run --example limits -- PROGRAM [ARG...]`

use sevm::kernel::Limits;
use sevm::trace::{Flush, Options, TextSink};
use sevm::vm::Vm;
use sevm::{Error, kernel::Limit};
use std::fs::File;
use std::io::{Read, Seek};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let command: Vec<_> = std::env::args_os().skip(1).collect();
    let [program, args @ ..] = &command[..] else { return Err("usage: limits PROGRAM [ARG...]".into()) };
    let mut trace = tempfile::tempfile()?;
    let sink = TextSink::new(Options::default(), Box::new(File::try_clone(&trace)?), Flush::Buffered);
    let limits =
        Limits { instructions: Some(50_000_000), memory: Some(256 << 20), processes: Some(8), ..Limits::default() };
    match Vm::builder(program).args(args).limits(limits).sink(sink).capture().build()?.run() {
        Ok(finished) => println!("{:?} after {} calls", finished.status, finished.stats.calls),
        Err(Error::Limit { limit: Limit::Instructions, .. }) => println!("it ran for too long"),
        Err(e) => println!("{e}"),
    }
    let mut text = String::new();
    trace.rewind()?;
    trace.read_to_string(&mut text)?;
    println!("the last calls were");
    text.lines().rev().take(5).for_each(|line| println!("  {line}"));
    Ok(())
}
