//! The `sevm` command.

fn main() -> std::process::ExitCode {
    sevm::cli::main()
}
