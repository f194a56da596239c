//! `-e trace=`: which calls are shown (strace(1), "Filtering").

use crate::arch::Arch;
use crate::syscalls::{ENTRIES, lookup};
use regex_lite::Regex;

/// The calls that are shown, decided once for all numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// By index in [`ENTRIES`].
    shown: Vec<bool>,
    /// Numbers that Linux does not have.
    unknown: bool,
}

/// What is wrong with an expression, in strace's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No call, class or number of this name.
    #[error("invalid system call '{0}'")]
    UnknownCall(String),
    /// No personality of this name.
    #[error("incorrect personality designator '{0}' in qualification '{1}'")]
    UnknownPersonality(String, String),
    /// The expression behind `/` is malformed.
    #[error("regcomp: {0}: {1}")]
    Regex(String, String),
}

/// Old names of classes that strace takes without `%`.
const PLAIN_CLASSES: &[&str] = &["desc", "file", "ipc", "memory", "network", "process", "signal"];

impl Filter {
    /// Everything.
    pub fn all() -> Filter {
        Filter { shown: vec![true; ENTRIES.len()], unknown: true }
    }

    /// Nothing.
    pub fn none() -> Filter {
        Filter { shown: vec![false; ENTRIES.len()], unknown: false }
    }

    /// Whether no call of Linux is in it.
    pub fn is_empty(&self) -> bool {
        !self.shown.contains(&true)
    }

    /// Whether the call with this index is shown.
    pub fn admits(&self, index: Option<usize>) -> bool {
        index.map_or(self.unknown, |i| self.shown.get(i).copied().unwrap_or(false))
    }

    /// The filter of a set: names, `?name`, `/regex`, `%class`, `%%class` and numbers, joined by commas, `!` in front
    /// for all others; `all`; `none`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_set(set: &str) -> Result<Filter, FilterError> {
        let rest = set.trim_start_matches('!');
        let inverted = (set.len() - rest.len()) % 2 == 1;
        let mut filter = Filter::none();
        match rest {
            "none" => {}
            "all" => filter = Filter::all(),
            _ => {
                for token in rest.split(',') {
                    filter.add(token)?;
                }
            }
        }
        if inverted {
            filter.shown.iter_mut().for_each(|s| *s = !*s);
        }
        // A number that Linux does not have is in every set, as with strace.
        filter.unknown = true;
        Ok(filter)
    }

    fn add(&mut self, token: &str) -> Result<(), FilterError> {
        let (optional, name) = match token.strip_prefix('?') {
            Some(name) => (true, name),
            None => (false, token),
        };
        // Both guests are 64-bit; other personalities have no calls here.
        let (name, exists) = match name.rsplit_once('@') {
            Some((name, "64")) => (name, true),
            Some((name, "32" | "x32")) => (name, false),
            Some((_, other)) if !name.starts_with('/') => {
                return Err(FilterError::UnknownPersonality(other.to_string(), token.to_string()));
            }
            _ => (name, true),
        };
        let found = exists && self.add_matching(name)?;
        if found || optional { Ok(()) } else { Err(FilterError::UnknownCall(token.to_string())) }
    }

    /// Adds what `name` means; whether that is anything.
    fn add_matching(&mut self, name: &str) -> Result<bool, FilterError> {
        if let Some(pattern) = name.strip_prefix('/') {
            let regex = Regex::new(pattern).map_err(|e| FilterError::Regex(pattern.to_string(), e.to_string()))?;
            return Ok(self.add_if(|e| regex.is_match(e.name)));
        }
        if let Ok(nr) = name.parse::<u64>() {
            let indexes: Vec<usize> = Arch::ALL.iter().filter_map(|a| lookup(*a, nr)).collect();
            indexes.iter().for_each(|i| self.shown[*i] = true);
            return Ok(!indexes.is_empty());
        }
        let class = match name.strip_prefix('%') {
            Some("net") => Some("network".to_string()),
            // What strace writes `%%stat`, the table calls `stat_like`.
            Some(class) => Some(class.strip_prefix('%').map_or_else(|| class.to_string(), |c| format!("{c}_like"))),
            None if PLAIN_CLASSES.contains(&name) => Some(name.to_string()),
            None => None,
        };
        match class {
            Some(class) => Ok(self.add_if(|e| e.classes.contains(&class.as_str()))),
            None => Ok(self.add_if(|e| e.name == name)),
        }
    }

    fn add_if(&mut self, matches: impl Fn(&crate::syscalls::Entry) -> bool) -> bool {
        let mut any = false;
        for (shown, entry) in self.shown.iter_mut().zip(ENTRIES) {
            if matches(entry) {
                *shown = true;
                any = true;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &str) -> Vec<&'static str> {
        let filter = Filter::from_set(set).expect("valid");
        let mut names: Vec<_> =
            (0..ENTRIES.len()).filter(|i| filter.admits(Some(*i))).map(|i| ENTRIES[i].name).collect();
        names.dedup();
        names
    }

    #[test]
    fn sets() {
        assert_eq!(names("open,close"), ["open", "close"]);
        assert_eq!(names("none"), [""; 0]);
        assert_eq!(names("all").len(), names("!none").len());
        assert!(!names("!open").contains(&"open") && names("!open").contains(&"close"));
        assert_eq!(names("/^p?read$"), ["read"]);
        assert_eq!(names("?nosuch,read@64"), ["read"]);
        assert!(names("%network").contains(&"socket") && names("%net").contains(&"socket"));
        assert!(names("file").contains(&"openat"));
        assert!(names("%%stat").contains(&"statx"));
        assert!(names("%stat").contains(&"stat") && !names("%stat").contains(&"fstat"));
    }

    #[test]
    fn mistakes() {
        assert_eq!(Filter::from_set("opne"), Err(FilterError::UnknownCall("opne".into())));
        assert_eq!(Filter::from_set("%nosuch"), Err(FilterError::UnknownCall("%nosuch".into())));
        assert!(matches!(Filter::from_set("/("), Err(FilterError::Regex(..))));
        assert!(Filter::from_set("").is_err());
    }
}
