//! The little of man(7) that is needed beside what clap writes.

use std::io::Write;

/// Text that prints as it stands.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        match c {
            // At the beginning of a line these would be requests.
            '.' | '\'' if i == 0 => out.push_str("\\&"),
            _ => {}
        }
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    out
}

/// An option of clap's.
pub(super) fn option(arg: &clap::Arg, out: &mut Vec<u8>) -> std::io::Result<()> {
    let Some(long) = arg.get_long() else { return Ok(()) };
    let value = arg.get_value_names().and_then(|names| names.first()).map(|n| n.to_string());
    let spelled = match (arg.get_action().takes_values(), value) {
        (true, Some(name)) if arg.get_num_args().is_some_and(|n| n.min_values() == 0) => format!("--{long}[={name}]"),
        (true, Some(name)) => format!("--{long}={name}"),
        _ => format!("--{long}"),
    };
    let short = arg.get_short().map(|c| format!("-{c}, ")).unwrap_or_default();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    writeln!(out, ".TP\n\\fB{}\\fR\n{}", escape(&format!("{short}{spelled}")), escape(&help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(escape(".a-b\\c."), "\\&.a\\-b\\ec.");
    }
}
