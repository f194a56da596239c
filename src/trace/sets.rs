//! Sets of descriptors, signals and other small numbers, in strace's grammar (strace(1), "Filtering"): names or numbers
//! joined by commas, `all`, `none`, and `!` in front for all others.

use crate::abi::Signal;
use std::collections::BTreeSet;

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    listed: BTreeSet<u32>,
    inverted: bool,
}

impl Numbers {
    /// Everything.
    pub fn all() -> Numbers {
        Numbers { listed: BTreeSet::new(), inverted: true }
    }

    /// These alone.
    pub fn of(numbers: impl IntoIterator<Item = u32>) -> Numbers {
        Numbers { listed: numbers.into_iter().collect(), inverted: false }
    }

    /// Whether `number` is in it.
    pub fn contains(&self, number: u32) -> bool {
        self.listed.contains(&number) != self.inverted
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.inverted && self.listed.is_empty()
    }

    /// Whether everything is in it.
    pub fn is_all(&self) -> bool {
        self.inverted && self.listed.is_empty()
    }

    /// Adds one.
    pub fn add(&mut self, number: u32) {
        if self.inverted {
            self.listed.remove(&number);
        } else {
            self.listed.insert(number);
        }
    }

    /// The set that `text` describes; `what` names its members in messages, `number` knows them.
    ///
    /// # Errors
    /// The token that is none, in strace's words.
    pub fn parse(text: &str, what: &str, number: impl Fn(&str) -> Option<u32>) -> Result<Numbers, String> {
        let rest = text.trim_start_matches('!');
        let odd = (text.len() - rest.len()) % 2 == 1;
        let mut set = match rest {
            "none" => Numbers::default(),
            "all" => Numbers::all(),
            _ => {
                let known = |token| number(token).ok_or_else(|| format!("invalid {what} '{token}'"));
                Numbers::of(rest.split(',').map(known).collect::<Result<Vec<_>, _>>()?)
            }
        };
        set.inverted ^= odd;
        Ok(set)
    }

    /// A set of descriptors.
    ///
    /// # Errors
    /// As [`Numbers::parse`].
    pub fn descriptors(text: &str) -> Result<Numbers, String> {
        Numbers::parse(text, "descriptor", |t| decimal(t).filter(|n| *n <= i32::MAX as u32))
    }

    /// A set of signals: names with or without `SIG`, or numbers.
    ///
    /// # Errors
    /// As [`Numbers::parse`].
    pub fn signals(text: &str) -> Result<Numbers, String> {
        Numbers::parse(text, "signal", |t| decimal(t).filter(|n| *n <= 255).or_else(|| signal(t).map(|s| s.0.into())))
    }

    /// A set of the constants of an enumeration, by their names; one may have several.
    ///
    /// # Errors
    /// As [`Numbers::parse`].
    pub fn named(text: &str, what: &str, names: &[(&str, u32)]) -> Result<Numbers, String> {
        Numbers::parse(text, what, |t| names.iter().find(|(n, _)| *n == t).map(|(_, v)| *v))
    }
}

fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The signal with this name, `SIG` or not, in any case.
pub fn signal(name: &str) -> Option<Signal> {
    let upper = name.to_ascii_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    (1..=64).filter_map(Signal::new).find(|s| s.name() == full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let fds = |t| Numbers::descriptors(t).expect("valid");
        assert!(fds("0,2").contains(2) && !fds("0,2").contains(1));
        assert!(fds("!0,2").contains(1) && !fds("!0,2").contains(0));
        assert!(fds("all").is_all() && fds("!none").is_all() && fds("none").is_empty() && fds("!all").is_empty());
        let signals = Numbers::signals("sigusr1,HUP,15").expect("valid");
        assert_eq!(signals, Numbers::of([10, 1, 15]));
        let mut all = Numbers::parse("!5", "thing", |_| Some(5)).expect("valid");
        all.add(5);
        assert!(all.is_all());
    }

    #[test]
    fn mistakes() {
        assert_eq!(Numbers::descriptors("1,a").unwrap_err(), "invalid descriptor 'a'");
        assert_eq!(Numbers::descriptors("").unwrap_err(), "invalid descriptor ''");
        assert_eq!(Numbers::descriptors("-1").unwrap_err(), "invalid descriptor '-1'");
        assert_eq!(Numbers::signals("FOO").unwrap_err(), "invalid signal 'FOO'");
        assert_eq!(Numbers::signals("1000").unwrap_err(), "invalid signal '1000'");
        assert_eq!(Numbers::named("foo", "status", &[("failed", 1)]).unwrap_err(), "invalid status 'foo'");
    }
}
