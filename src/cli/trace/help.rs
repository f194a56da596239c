//! The text of `sevm trace -h`.

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
  -I N, --interruptible=N         taken for strace's sake: signals reach sevm and the program at any time
  --syscall-limit=N               end the trace after N calls
  --kill-on-exit                  taken for strace's sake: the program cannot outlive sevm

Filtering:
  -e trace=SET, --trace=SET       only these calls: names, ?name, /regex, %class, %%class, name@64; all; none; ! for others
  -e signal=SET, --signal=SET     only these signals
  -e status=SET, --status=SET     only calls that end so: successful, failed, unfinished, unavailable, detached
  -P PATH, --trace-path=PATH      only calls that touch PATH
  --trace-fds=SET                 only calls that touch these descriptors
  -z, --successful-only           only calls that return no error
  -Z, --failed-only               only calls that return one

Output:
  -a N, --columns=N               column of the equals sign (40)
  -e abbrev=SET, --abbrev=SET     shorten structs in these calls (all)
  -e verbose=SET, --verbose=SET   show structs in these calls (all)
  -e raw=SET, --raw=SET           show arguments of these calls as numbers (none)
  -e read=SET, --read=SET         dump the data read from these descriptors
  -e write=SET, --write=SET       dump the data written to these descriptors
  -e quiet=SET, --quiet=SET       leave out: attach, exit, path-resolution, personality, thread-execve
  -e decode-fds=SET               what to tell of descriptors: path, socket, dev, pidfd
  -i, --instruction-pointer       show where the call was made
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
  -S COLUMN, --summary-sort-by=COLUMN   time, min-time, max-time, avg-time, calls, errors, name, nothing
  -U COLUMNS, --summary-columns=COLUMNS   time-percent, total-time, min-time, max-time, avg-time, calls, errors, name
  -w, --summary-wall-clock        count the time of waiting too

Tampering:
  -e inject=SET[:error=ERRNO|:retval=VALUE][:signal=SIG][:syscall=CALL][:delay_enter=TIME][:delay_exit=TIME]
            [:poke_enter=@argN=HEX,...][:poke_exit=@argN=HEX,...][:when=FIRST[..LAST][+[STEP]]], --inject=...
  -e fault=SET[:error=ERRNO][:when=WHEN], --fault=...   the same with ENOSYS unless another error is given

  -h, --help                      print this
  -V, --version                   print the version

Options of sevm:
";
