//! What a trace shows and how (strace(1), "Filtering" and "Output format").

use super::decode::Style;
use super::{Condition, Filter, Numbers};

/// How a call ended, for `-e status=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// It returned a value.
    Successful,
    /// It returned an error.
    Failed,
    /// It does not return.
    Unfinished,
    /// It returned, and nobody knows with what.
    Unavailable,
    /// The thread is no longer watched.
    Detached,
}

/// The names of [`Status`].
pub const STATUSES: &[(&str, u32)] = &[
    ("successful", Status::Successful as u32),
    ("failed", Status::Failed as u32),
    ("unfinished", Status::Unfinished as u32),
    ("unavailable", Status::Unavailable as u32),
    ("detached", Status::Detached as u32),
];

/// Messages that `-e quiet=` suppresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Message {
    /// A new thread or process is watched, or no longer.
    Attach,
    /// A thread or process has ended.
    Exit,
    /// A path of `-P` has been resolved.
    PathResolution,
    /// The process has another personality.
    Personality,
    /// A thread has called execve(2) and replaced the first one.
    ThreadExecve,
}

/// The names of [`Message`].
pub const MESSAGES: &[(&str, u32)] = &[
    ("attach", Message::Attach as u32),
    ("exit", Message::Exit as u32),
    ("path-resolution", Message::PathResolution as u32),
    ("path-resolve", Message::PathResolution as u32),
    ("personality", Message::Personality as u32),
    ("thread-execve", Message::ThreadExecve as u32),
    ("superseded", Message::ThreadExecve as u32),
];

/// What is shown with a descriptor (`-e decode-fds=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FdDetail {
    /// Its file's name.
    Path,
    /// Protocol and addresses of a socket.
    Socket,
    /// Numbers of a device.
    Dev,
    /// The process a pidfd is for.
    Pidfd,
}

/// The names of [`FdDetail`].
pub const FD_DETAILS: &[(&str, u32)] = &[
    ("path", FdDetail::Path as u32),
    ("socket", FdDetail::Socket as u32),
    ("dev", FdDetail::Dev as u32),
    ("pidfd", FdDetail::Pidfd as u32),
];

/// Digits behind the point of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision(pub u8);

impl Precision {
    /// Microseconds.
    pub const MICRO: Precision = Precision(6);

    /// `s`, `ms`, `us` or `ns`.
    pub fn from_name(name: &str) -> Option<Precision> {
        match name {
            "s" => Some(Precision(0)),
            "ms" => Some(Precision(3)),
            "us" => Some(Precision(6)),
            "ns" => Some(Precision(9)),
            _ => None,
        }
    }
}

/// Which clock the time in front of a line is from (`-t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time of day.
    Day,
    /// Seconds since 1970.
    Unix,
}

/// What stands in front of a line and behind it.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// The time (`-t`).
    pub absolute: Option<(Clock, Precision)>,
    /// The time since the line before (`-r`).
    pub relative: Option<Precision>,
    /// The time spent in the call (`-T`).
    pub duration: Option<Precision>,
    /// The call's number (`-n`).
    pub number: bool,
    /// The program counter (`-i`).
    pub pointer: bool,
}

/// Where the lines go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Where the guest's own messages go: a thread's id stands in brackets once there are several.
    #[default]
    Shared,
    /// A file or another program: every line begins with the thread's id.
    Own,
    /// A file for each thread.
    Separate,
}

/// What a trace shows and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads and processes that the first one creates are shown too (`-f`).
    pub follow: bool,
    /// Where the lines go.
    pub target: Target,
    /// The column of the equals sign (`-a`).
    pub column: usize,
    /// How values are printed.
    pub style: Style,
    /// Columns beside the call.
    pub columns: Columns,
    /// Which calls are shown (`-e trace=`).
    pub filter: Filter,
    /// What else must hold for a call to be shown (`-e where=`).
    pub condition: Option<Condition>,
    /// How calls that are shown end (`-e status=`, `-z`, `-Z`).
    pub statuses: Numbers,
    /// Which signals are shown (`-e signal=`).
    pub signals: Numbers,
    /// Only calls that touch one of these files are shown, unless there is none (`-P`).
    pub paths: Vec<Vec<u8>>,
    /// Only calls that touch one of these descriptors are shown, unless there is none (`--trace-fds`).
    pub fds: Numbers,
    /// Calls whose structs are shortened (`-e abbrev=`).
    pub abbreviated: Filter,
    /// Calls whose structs are shown (`-e verbose=`).
    pub dereferenced: Filter,
    /// Calls whose arguments are numbers (`-e raw=`).
    pub raw: Filter,
    /// Descriptors whose read data is shown (`-e read=`).
    pub dump_read: Numbers,
    /// Descriptors whose written data is shown (`-e write=`).
    pub dump_write: Numbers,
    /// Messages that are left out (`-e quiet=`).
    pub quiet: Numbers,
    /// A process that calls execve(2) successfully is no longer watched (`-b execve`).
    pub detach_on_execve: bool,
    /// Calls after which the trace ends (`--syscall-limit`).
    pub limit: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            follow: false,
            target: Target::default(),
            column: 40,
            style: Style::default(),
            columns: Columns::default(),
            filter: Filter::all(),
            condition: None,
            statuses: Numbers::all(),
            signals: Numbers::all(),
            paths: Vec::new(),
            fds: Numbers::default(),
            abbreviated: Filter::all(),
            dereferenced: Filter::all(),
            raw: Filter::none(),
            dump_read: Numbers::default(),
            dump_write: Numbers::default(),
            quiet: Numbers::default(),
            detach_on_execve: false,
            limit: None,
        }
    }
}

impl Options {
    /// Whether a message is suppressed.
    pub fn is_quiet(&self, message: Message) -> bool {
        self.quiet.contains(message as u32)
    }
}
