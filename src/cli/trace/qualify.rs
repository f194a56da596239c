//! `-e KEY=VALUE` (strace(1), "Qualifying expressions").

use super::Refusal;
use super::values::span_ns;
use crate::inject::{Injection, Unless};
use crate::trace::{Condition, FD_DETAILS, Filter, FilterError, MESSAGES, Numbers, Options, STATUSES};

/// What a key of `-e` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Calls that are shown.
    Trace,
    /// Calls whose structs are shortened.
    Abbrev,
    /// Calls whose structs are shown.
    Verbose,
    /// Calls whose arguments are numbers.
    Raw,
    /// Signals that are shown.
    Signal,
    /// Ends of calls that are shown.
    Status,
    /// Descriptors whose read data is dumped.
    Read,
    /// Descriptors whose written data is dumped.
    Write,
    /// Messages that are left out.
    Quiet,
    /// What is told of descriptors.
    DecodeFds,
    /// What is told of processes.
    DecodePids,
    /// Descriptors whose calls are shown.
    TraceFds,
    /// Exits of virtual CPUs, of which there are none.
    Kvm,
    /// What must hold for a call to be shown.
    Where,
    /// Tampering.
    Inject,
    /// Tampering that fails calls.
    Fault,
}

const KEYS: &[(&str, Key)] = &[
    ("trace", Key::Trace),
    ("t", Key::Trace),
    ("abbrev", Key::Abbrev),
    ("a", Key::Abbrev),
    ("verbose", Key::Verbose),
    ("v", Key::Verbose),
    ("raw", Key::Raw),
    ("x", Key::Raw),
    ("signal", Key::Signal),
    ("signals", Key::Signal),
    ("s", Key::Signal),
    ("status", Key::Status),
    ("read", Key::Read),
    ("reads", Key::Read),
    ("r", Key::Read),
    ("write", Key::Write),
    ("writes", Key::Write),
    ("w", Key::Write),
    ("quiet", Key::Quiet),
    ("silent", Key::Quiet),
    ("silence", Key::Quiet),
    ("q", Key::Quiet),
    ("decode-fds", Key::DecodeFds),
    ("decode-fd", Key::DecodeFds),
    ("decode-pids", Key::DecodePids),
    ("decode-pid", Key::DecodePids),
    ("trace-fds", Key::TraceFds),
    ("trace-fd", Key::TraceFds),
    ("fds", Key::TraceFds),
    ("fd", Key::TraceFds),
    ("kvm", Key::Kvm),
    ("where", Key::Where),
    ("inject", Key::Inject),
    ("fault", Key::Fault),
];

/// Splits an expression; without a known key it is a set of calls.
pub fn split(expression: &str) -> (Key, &str) {
    expression
        .split_once('=')
        .and_then(|(key, value)| KEYS.iter().find(|(k, _)| *k == key).map(|(_, key)| (*key, value)))
        .unwrap_or((Key::Trace, expression))
}

/// Carries out one expression.
pub fn apply(trace: &mut Options, injections: &mut Vec<Injection>, key: Key, value: &str) -> Result<(), Refusal> {
    let calls = || {
        Filter::from_set(value).map_err(|e| match e {
            FilterError::UnknownPersonality(..) => Refusal::with_hint(e.to_string()),
            e => Refusal::plain(e.to_string()),
        })
    };
    match key {
        Key::Trace => trace.filter = calls()?,
        Key::Abbrev => trace.abbreviated = calls()?,
        Key::Verbose => trace.dereferenced = calls()?,
        Key::Raw => trace.raw = calls()?,
        Key::Signal => trace.signals = Numbers::signals(value).map_err(Refusal::plain)?,
        Key::Status => trace.statuses = Numbers::named(value, "status", STATUSES).map_err(Refusal::plain)?,
        Key::Read => trace.dump_read = Numbers::descriptors(value).map_err(Refusal::plain)?,
        Key::Write => trace.dump_write = Numbers::descriptors(value).map_err(Refusal::plain)?,
        Key::Quiet => trace.quiet = Numbers::named(value, "quiet", MESSAGES).map_err(Refusal::plain)?,
        Key::DecodeFds => {
            let details = Numbers::named(value, "decode-fds", FD_DETAILS).map_err(Refusal::plain)?;
            trace.style.fds =
                FD_DETAILS.iter().filter(|(_, n)| details.contains(*n)).fold(0, |bits, (_, n)| bits | 1 << n);
        }
        Key::DecodePids => {
            let kinds = &[("comm", 0), ("pidns", 1)];
            let kinds = Numbers::named(value, "decode-pids", kinds).map_err(Refusal::plain)?;
            // All processes of the machine are in one namespace: there is no other id to print.
            trace.style.comms = kinds.contains(0);
        }
        Key::TraceFds => trace.fds = Numbers::descriptors(value).map_err(Refusal::plain)?,
        Key::Inject | Key::Fault => {
            let unless = if key == Key::Fault { Unless::Fails } else { Unless::Made };
            injections.push(Injection::parse(value, unless, span_ns).map_err(Refusal::plain)?);
        }
        Key::Where => trace.condition = Some(Condition::compile(value).map_err(Refusal::plain)?),
        Key::Kvm if value == "vcpu" => {}
        Key::Kvm => return Err(Refusal::plain(format!("invalid -e kvm= argument: '{value}'"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert_eq!(split("trace=open"), (Key::Trace, "open"));
        assert_eq!(split("open"), (Key::Trace, "open"));
        assert_eq!(split("nosuch=1"), (Key::Trace, "nosuch=1"));
        assert_eq!(split("s=none"), (Key::Signal, "none"));
    }
}
