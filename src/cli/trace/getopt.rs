//! The grammar of getopt_long(3), as strace uses it: options end at the first word that is none, long names may be
//! shortened, and the messages are glibc's.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Whether an option has an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// Always one.
    Value,
    /// One only behind `=`.
    Perhaps,
}

/// A long option and what it stands for.
#[derive(Clone, Debug)]
pub struct Long<K> {
    /// Its name without the dashes.
    pub name: String,
    /// Whether it has an argument.
    pub takes: Takes,
    /// What it stands for.
    pub key: K,
}

/// An option as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<K> {
    /// What it stands for.
    pub key: K,
    /// How it was written, for messages: `-a`, `--columns`.
    pub spelled: String,
    /// Its argument.
    pub value: Option<OsString>,
}

/// Splits `words` into options and the words that follow them.
///
/// `short` gives what a letter stands for.
///
/// # Errors
/// glibc's message.
pub fn parse<K: Clone + PartialEq>(
    words: &[OsString],
    short: impl Fn(u8) -> Option<(K, Takes)>,
    long: &[Long<K>],
) -> Result<(Vec<Given<K>>, Vec<OsString>), String> {
    let mut given = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.as_slice().first() {
        let bytes = word.as_bytes();
        if bytes == b"--" {
            rest.next();
            break;
        }
        if bytes.len() < 2 || bytes[0] != b'-' {
            break;
        }
        rest.next();
        if let Some(text) = bytes.strip_prefix(b"--") {
            let equals = text.iter().position(|b| *b == b'=');
            let name = String::from_utf8_lossy(&text[..equals.unwrap_or(text.len())]).into_owned();
            let option = find(&name, word, long)?;
            let attached = equals.map(|at| OsString::from_vec(text[at + 1..].to_vec()));
            let spelled = format!("--{}", option.name);
            let value = match (option.takes, attached) {
                (Takes::Nothing, Some(_)) => return Err(format!("option '{spelled}' doesn't allow an argument")),
                (Takes::Value, None) => {
                    let next = rest.next().ok_or_else(|| format!("option '{spelled}' requires an argument"))?;
                    Some(next.clone())
                }
                (_, attached) => attached,
            };
            given.push(Given { key: option.key.clone(), spelled, value });
            continue;
        }
        let mut at = 1;
        while let Some(&letter) = bytes.get(at) {
            at += 1;
            let shown = char::from(letter);
            let (key, takes) = short(letter).ok_or_else(|| format!("invalid option -- '{shown}'"))?;
            let value = match takes {
                Takes::Value => {
                    let tail = &bytes[at..];
                    at = bytes.len();
                    Some(match tail {
                        [] => {
                            rest.next().cloned().ok_or_else(|| format!("option requires an argument -- '{shown}'"))?
                        }
                        tail => OsStr::from_bytes(tail).to_os_string(),
                    })
                }
                Takes::Nothing | Takes::Perhaps => None,
            };
            given.push(Given { key, spelled: format!("-{shown}"), value });
        }
    }
    Ok((given, rest.as_slice().to_vec()))
}

/// The long option with this name or the only ones that begin with it and mean the same.
fn find<'a, K: PartialEq>(name: &str, word: &OsStr, long: &'a [Long<K>]) -> Result<&'a Long<K>, String> {
    if let Some(exact) = long.iter().find(|o| o.name == name) {
        return Ok(exact);
    }
    let word = word.to_string_lossy();
    let fits: Vec<_> = long.iter().filter(|o| o.name.starts_with(name)).collect();
    let Some((first, others)) = fits.split_first() else {
        return Err(format!("unrecognized option '{word}'"));
    };
    if others.iter().all(|o| o.key == first.key && o.takes == first.takes) {
        return Ok(first);
    }
    let names: Vec<_> = fits.iter().map(|o| format!("'--{}'", o.name)).collect();
    Err(format!("option '{word}' is ambiguous; possibilities: {}", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(words: &[&str]) -> Result<(Vec<String>, Vec<OsString>), String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let short = |c| match c {
            b'f' => Some(('f', Takes::Nothing)),
            b'e' => Some(('e', Takes::Value)),
            _ => None,
        };
        let long = |name: &str, takes, key| Long { name: name.into(), takes, key };
        let long = [
            long("trace", Takes::Value, 'e'),
            long("trace-path", Takes::Value, 'P'),
            long("follow", Takes::Nothing, 'f'),
            long("times", Takes::Perhaps, 'T'),
        ];
        let (given, rest) = parse(&words, short, &long)?;
        let show = |g: &Given<char>| format!("{}{}", g.key, g.value.clone().unwrap_or_default().to_string_lossy());
        Ok((given.iter().map(show).collect(), rest))
    }

    #[test]
    fn grammar() {
        let (given, rest) =
            split(&["-ffeopen", "-e", "x", "--fol", "--times=ns", "--times", "ls", "-f"]).expect("valid");
        assert_eq!(given, ["f", "f", "eopen", "ex", "f", "Tns", "T"]);
        assert_eq!(rest, ["ls", "-f"]);
        assert_eq!(split(&["--", "-f"]).expect("valid").1, ["-f"]);
        assert_eq!(split(&["--trace=a"]).expect("exact name wins").0, ["ea"]);
    }

    #[test]
    fn mistakes() {
        let wrong = |w: &[&str]| split(w).expect_err("wrong");
        assert_eq!(wrong(&["-Q"]), "invalid option -- 'Q'");
        assert_eq!(wrong(&["-e"]), "option requires an argument -- 'e'");
        assert_eq!(wrong(&["--trace"]), "option '--trace' requires an argument");
        assert_eq!(wrong(&["--follow=1"]), "option '--follow' doesn't allow an argument");
        assert_eq!(wrong(&["--nope=1"]), "unrecognized option '--nope=1'");
        let ambiguous = "option '--tra=none' is ambiguous; possibilities: '--trace' '--trace-path'";
        assert_eq!(wrong(&["--tra=none"]), ambiguous);
    }
}
