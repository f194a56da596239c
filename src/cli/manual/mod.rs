//! `sevm man` and `sevm completions`: manual pages and completions for shells, from the same tables that the command line
//! is taken apart with.

mod roff;

use crate::Error;
use crate::kernel::ExitStatus;
use clap_complete::Shell;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments of `sevm man`.
#[derive(clap::Args)]
pub struct ManArgs {
    /// The directory to write the pages to
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Arguments of `sevm completions`.
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// What is written by hand of sevm-trace(1), behind the options.
const TRACE: &str = include_str!("trace.roff");

/// Writes `sevm.1` and a page for each subcommand.
pub fn man(args: ManArgs) -> Result<ExitStatus, Error> {
    let failed = |path: &Path| {
        let what = format!("cannot write '{}'", path.display());
        move |source| Error::Host { what, source }
    };
    std::fs::create_dir_all(&args.dir).map_err(failed(&args.dir))?;
    let command = super::command();
    let write = |name: String, page: Vec<u8>| {
        let path = args.dir.join(name);
        std::fs::write(&path, page).map_err(failed(&path))
    };
    let page = |command: &clap::Command, name: &str| {
        let mut page = Vec::new();
        let command = command.clone().name(name.to_string()).bin_name(name.replacen('-', " ", 1)).display_name(name);
        match name {
            "sevm-trace" => trace(&command, &mut page),
            _ => clap_mangen::Man::new(command).render(&mut page),
        }
        .map(|()| page)
        .map_err(failed(Path::new(name)))
    };
    write("sevm.1".to_string(), page(&command, "sevm")?)?;
    for sub in command.get_subcommands().filter(|s| !s.is_hide_set()) {
        let name = format!("sevm-{}", sub.get_name());
        write(format!("{name}.1"), page(sub, &name)?)?;
    }
    Ok(ExitStatus::Code(0))
}

/// sevm-trace(1): the options are those of `sevm trace -h`, section by section.
fn trace(command: &clap::Command, out: &mut Vec<u8>) -> std::io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(out)?;
    writeln!(out, ".ad l")?;
    man.render_name_section(out)?;
    writeln!(out, ".SH SYNOPSIS\n\\fBsevm trace\\fR [\\fIOPTIONS\\fR] \\fIPROGRAM\\fR [\\fIARG\\fR]...")?;
    writeln!(out, ".br\n\\fBsevm trace \\-\\-diff\\fR [\\fIOPTIONS\\fR] \\fIA\\fR \\fIB\\fR [\\fIARG\\fR]...")?;
    let (before, behind) = TRACE.split_once("@OPTIONS@\n").unwrap_or((TRACE, ""));
    out.write_all(before.as_bytes())?;
    writeln!(out, ".SH OPTIONS")?;
    for section in super::trace::help::sections() {
        writeln!(out, ".SS {}", roff::escape(section.title))?;
        for option in &section.options {
            // Long ones may be broken between their parts.
            let spelled = roff::escape(&option.spelled).replace("[:", "\\:[:");
            let help = if option.help.is_empty() { "\\&".to_string() } else { roff::escape(&option.help) };
            writeln!(out, ".TP\n\\fB{spelled}\\fR\n{help}")?;
        }
    }
    writeln!(out, ".SS Options of sevm")?;
    for arg in super::trace::own_options().get_arguments().filter(|a| !a.is_hide_set()) {
        roff::option(arg, out)?;
    }
    out.write_all(behind.as_bytes())
}

/// Prints completions.
pub fn completions(args: CompletionsArgs) -> Result<ExitStatus, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "sevm", &mut text);
    // A closed standard output is nothing to report on.
    let _ = std::io::stdout().write_all(&text);
    Ok(ExitStatus::Code(0))
}
