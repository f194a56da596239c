//! Values of options in strace's grammar: times, formats of times, columns, numbers.

use super::Refusal;
use crate::trace::{Clock, Column, Precision};

/// The columns of the table (`-U`).
pub fn columns(list: &str) -> Result<Vec<Column>, Refusal> {
    let mut columns = Vec::new();
    for name in list.split(',') {
        match Column::from_name(name) {
            None => return Err(Refusal::with_hint(format!("unknown column name: '{name}'"))),
            Some(column) if columns.contains(&column) => {
                return Err(Refusal::with_hint(format!(
                    "call summary column has been provided more than once: '{name}'"
                )));
            }
            Some(column) => columns.push(column),
        }
    }
    Ok(columns)
}

/// `[[format:]FORMAT],[[precision:]PRECISION]`; inside `None`: no times.
pub fn timestamps(text: &str) -> Option<Option<(Clock, Precision)>> {
    let (mut clock, mut precision) = (None, None);
    for token in text.split(',') {
        let (of_format, of_precision) = (token.strip_prefix("format:"), token.strip_prefix("precision:"));
        let format = match of_format.unwrap_or(token) {
            "none" => Some(None),
            "time" => Some(Some(Clock::Day)),
            "unix" => Some(Some(Clock::Unix)),
            _ => None,
        };
        match (format, Precision::from_name(of_precision.unwrap_or(token))) {
            (Some(f), _) if of_precision.is_none() => clock = Some(f),
            (_, Some(p)) if of_format.is_none() => precision = Some(p),
            _ => return None,
        }
    }
    let clock = clock.unwrap_or(Some(Clock::Day));
    Some(clock.map(|c| (c, precision.unwrap_or(Precision(0)))))
}

/// A time: microseconds, or with `s`, `ms`, `us`, `ns` behind; in nanoseconds.
pub fn span_ns(text: &str) -> Option<u64> {
    let (digits, factor) = if let Some(t) = text.strip_suffix("ms") {
        (t, 1e6)
    } else if let Some(t) = text.strip_suffix("us") {
        (t, 1e3)
    } else if let Some(t) = text.strip_suffix("ns") {
        (t, 1.0)
    } else if let Some(t) = text.strip_suffix('s') {
        (t, 1e9)
    } else {
        (text, 1e3)
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let value: f64 = plain.then(|| digits.parse().ok())??;
    let ns = value * factor;
    (ns.is_finite() && (0.0..1e18).contains(&ns)).then_some(ns as u64)
}

/// A number of strace's options: decimal, up to the largest int.
pub fn decimal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|n| *n <= i32::MAX as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(timestamps("unix,ns"), Some(Some((Clock::Unix, Precision(9)))));
        assert_eq!(timestamps("precision:ms"), Some(Some((Clock::Day, Precision(3)))));
        assert_eq!(timestamps("none"), Some(None));
        assert_eq!(timestamps("format:ns"), None);
        assert_eq!(span_ns("1.5"), Some(1500));
        assert_eq!(span_ns("2ms"), Some(2_000_000));
        assert_eq!((span_ns("x"), span_ns("-1"), span_ns("infs")), (None, None, None));
    }
}
