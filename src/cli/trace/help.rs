//! The text of `sevm trace -h`, and the options in it for the manual page and for completions.

/// What `-h` prints, before sevm's own options.
pub const TEXT: &str = "\
Usage: sevm trace [OPTIONS] PROGRAM [ARG]...

Runs a program of x86_64 or aarch64 and prints its system calls as strace does. Short options and -e are strace's.

Startup:
  -E VAR[=VAL], --env=VAR[=VAL]   set VAR in the program's environment, or remove it
  --argv0=NAME                    pass NAME as the program's own name

Tracing:
  -f, --follow-forks              follow threads and processes that the program creates
  -ff                             the same, each into a file of its own: FILE.PID
  -b execve, --detach-on=execve   let a process go when it calls execve
  -u USERNAME, --user=USERNAME    run the program as USERNAME
  -I N, --interruptible=N         taken for strace's sake: signals reach sevm and the program at any time
  --syscall-limit=N               end the trace after N calls
  --kill-on-exit                  taken for strace's sake: the program cannot outlive sevm

Filtering:
  -e trace=SET, --trace=SET       only these calls: names, ?name, /regex, %class, %%class, name@64; all; none; ! for others
  -e signal=SET, --signal=SET     only these signals
  -e status=SET, --status=SET     only calls that end so: successful, failed, unfinished, unavailable, detached
  -P PATH, --trace-path=PATH      only calls that touch PATH
  --trace-fds=SET                 only calls that touch these descriptors
  -e where=EXPR, --where=EXPR     only calls for which this holds: arguments, path, result, errno, duration (sevm-trace(1))
  -z, --successful-only           only calls that return no error
  -Z, --failed-only               only calls that return one

Output:
  -a N, --columns=N               column of the equals sign (40)
  -e abbrev=SET, --abbrev=SET     shorten structs in these calls (all)
  -e verbose=SET, --verbose=SET   show structs in these calls (all)
  -e raw=SET, --raw=SET           show arguments of these calls as numbers (none)
  -e read=SET, --read=SET         dump the data read from these descriptors
  -e write=SET, --write=SET       dump the data written to these descriptors
  --color[=WHEN]                  colour lines: always, auto (on a terminal, unless NO_COLOR is set) or never
  -e quiet=SET, --quiet=SET       leave out: attach, exit, path-resolution, personality, thread-execve
  -e decode-fds=SET               what to tell of descriptors: path, socket, dev, pidfd
  -i, --instruction-pointer       show where the call was made
  -k, --stack-trace[=symbol]      show where the call was made, function by function
  -kk, --stack-trace=source       and the lines of the source
  -n, --syscall-number            show its number
  -N, --arg-names                 show the names of arguments
  -o FILE, --output=FILE          write to FILE; to a command with |COMMAND or !COMMAND
  -A, --output-append-mode        append to FILE
  --output-separately             a file for each thread: FILE.PID
  --format=FORMAT                 text, json (a line for each call, docs/trace.schema.json) or perfetto (a timeline)
  -q, -qq, -qqq                   quiet=attach,personality; and exit; all
  -r, --relative-timestamps[=P]   time since the line before; P is s, ms, us or ns
  -s N, --string-limit=N          show at most N bytes of a string (32)
  -t, -tt, -ttt                   time of day; with microseconds; seconds since 1970 with microseconds
  --absolute-timestamps[=[format:]FORMAT[,[precision:]P]]   none, time or unix
  -T, --syscall-times[=P]         time spent in each call
  -v, --no-abbrev                 abbrev=none
  -x, -xx, --strings-in-hex[=W]   hexadecimal strings: W is none, non-ascii-chars, non-ascii or all
  -X STYLE, --const-print-style=STYLE   constants: raw, abbrev or verbose
  -y, -yy, --decode-fds[=SET]     names behind descriptors; everything known about them
  -Y, --decode-pids=comm          names behind process ids

Statistics:
  -c, --summary-only              count calls, errors and time
  -C, --summary                   the same, and the usual lines
  -O TIME, --summary-syscall-overhead=TIME   take TIME (us, or with s, ms, us, ns) off each call
  -S COLUMN, --summary-sort-by=COLUMN   time, min-time, max-time, avg-time, calls, errors, name, nothing,
                                  instructions, avg-instructions
  -U COLUMNS, --summary-columns=COLUMNS   time-percent, total-time, min-time, max-time, avg-time, calls, errors, name,
                                  instructions, avg-instructions
  -w, --summary-wall-clock        count the time of waiting too
  --histogram                     print how long calls took, by powers of two

Tampering:
  -e inject=SET[:error=ERRNO|:retval=VALUE][:signal=SIG][:syscall=CALL][:delay_enter=TIME][:delay_exit=TIME]
            [:poke_enter=@argN=HEX,...][:poke_exit=@argN=HEX,...][:when=FIRST[..LAST][+[STEP]]], --inject=...
  -e fault=SET[:error=ERRNO][:when=WHEN], --fault=...   the same with ENOSYS unless another error is given

  --chaos=[seed=N][,rate=P][,runs=N][,only=T.N+...][,set=SET]   faults that Linux could really give, by chance
  --chaos-log=FILE                write down what was done
  --chaos-shrink                  search for the faults without which the program does not fail

Comparison:
  --diff                          compare two traces: PROGRAM and ARG are files with traces or programs (sevm-trace(1))

General:
  -h, --help                      print this
  -V, --version                   print the version

Options of sevm:
";

/// A heading and the options below it.
#[derive(Debug)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The options.
    pub options: Vec<Entry>,
}

/// An option.
#[derive(Debug)]
pub struct Entry {
    /// All ways to write it.
    pub spelled: String,
    /// What it does.
    pub help: String,
}

/// The sections of the text.
pub fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in TEXT.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if indent == 0 {
            if let Some(title) = line.strip_suffix(':') {
                sections.push(Section { title, options: Vec::new() });
            }
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        // Options and what they do are apart by three blanks.
        let (spelled, help) = text.split_once("   ").map_or((text, ""), |(spelled, help)| (spelled, help.trim_start()));
        match section.options.last_mut() {
            Some(last) if indent > 2 => {
                last.spelled.push_str(spelled);
                last.help.push_str(help);
            }
            _ => section.options.push(Entry { spelled: spelled.to_string(), help: help.to_string() }),
        }
    }
    sections.retain(|s| !s.options.is_empty());
    sections
}

/// What the option does that is written so, with its dashes.
pub fn of(option: &str) -> Option<String> {
    let sections = sections();
    let entries = sections.iter().flat_map(|s| &s.options);
    let is_it = |spelled: &str| spelled.split([',', ' ', '=', '[']).any(|word| word == option);
    entries.filter(|e| is_it(&e.spelled)).map(|e| e.help.clone()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        assert_eq!(of("--columns").as_deref(), Some("column of the equals sign (40)"));
        assert_eq!(of("-ff").as_deref(), Some("the same, each into a file of its own: FILE.PID"));
        assert_eq!(of("--nosuch"), None);
        let tampering = sections().into_iter().find(|s| s.title == "Tampering").expect("a section");
        assert!(
            tampering
                .options
                .iter()
                .any(|o| o.spelled.starts_with("-e inject=") && o.spelled.ends_with("--inject=..."))
        );
    }
}
