//! Runs a program twice in a deterministic machine and shows that both runs are the same.
//!
//! `cargo run --example run -- PROGRAM [ARG...]`

use sevm::vm::Vm;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let command: Vec<_> = std::env::args_os().skip(1).collect();
    let [program, args @ ..] = &command[..] else { return Err("usage: run PROGRAM [ARG...]".into()) };
    let run = || Vm::builder(program).args(args).deterministic(0).capture().build()?.run();
    let (first, second) = (run()?, run()?);
    print!("{}", String::from_utf8_lossy(&first.stdout));
    eprint!("{}", String::from_utf8_lossy(&first.stderr));
    println!("{:?}; instructions: {:?}", first.status, first.stats.instructions);
    let same = (first.stdout, first.stats.instructions) == (second.stdout, second.stats.instructions);
    println!("a second run {}", if same { "is the same" } else { "differs" });
    Ok(())
}
