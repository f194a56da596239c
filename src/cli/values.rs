//! Values of options: sizes, spans of time, dates.

/// Bytes, with a suffix K, M, G or T for powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        Some((at, 't' | 'T')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let n = decimal(digits).ok_or("not a number, which may end in K, M, G or T")?;
    n.checked_mul(1 << shift).ok_or_else(|| "too large".to_string())
}

/// A number of things, with a suffix K, M, G or T for powers of 1000.
pub fn count(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        Some((at, 'g' | 'G')) => (&text[..at], 1_000_000_000),
        Some((at, 't' | 'T')) => (&text[..at], 1_000_000_000_000),
        _ => (text, 1),
    };
    let n = decimal(digits).ok_or("not a number, which may end in K, M, G or T")?;
    n.checked_mul(factor).ok_or_else(|| "too large".to_string())
}

/// Seconds with an optional fraction, as nanoseconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = decimal(whole).ok_or("not a number of seconds")?;
    let nanoseconds = fraction_ns(fraction).ok_or("not a number of seconds")?;
    whole.checked_mul(NS).and_then(|ns| ns.checked_add(nanoseconds)).ok_or_else(|| "too large".to_string())
}

/// Seconds since 1970, or a date of RFC 3339 such as `2026-11-23T10:20:30Z`, as nanoseconds since 1970.
pub fn epoch(text: &str) -> Result<u64, String> {
    if text.contains(':') {
        return rfc3339(text).ok_or_else(|| "not a date of RFC 3339 from 1970 to 2500".to_string());
    }
    seconds(text).map_err(|_| "neither seconds since 1970 nor a date of RFC 3339".to_string())
}

const NS: u64 = 1_000_000_000;

/// A number of digits alone.
fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Digits behind a decimal point, as billionths; those beyond are dropped.
fn fraction_ns(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

/// `YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)`.
fn rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone_at);
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, digits)) if !digits.is_empty() => (clock, digits),
        Some(_) => return None,
        None => (time, ""),
    };
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    let offset_s = match zone.split_at(1) {
        ("Z" | "z", "") => 0,
        (sign, of) => {
            let [hours, minutes] = fields(of, ':', [2, 2])?;
            let ahead = (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) as i64 * 60)?;
            if sign == "-" { -ahead } else { ahead }
        }
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month.checked_sub(1)?).ok()?;
    let in_range = (1970..2500).contains(&year)
        && lengths.get(month).is_some_and(|len| (1..=*len).contains(&day))
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let leaps = |y: u64| y / 4 - y / 100 + y / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let days = years + lengths[..month].iter().sum::<u64>() + day - 1;
    let local_s = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let utc_s = u64::try_from(local_s as i64 - offset_s).ok()?;
    utc_s.checked_mul(NS)?.checked_add(fraction_ns(fraction)?)
}

/// Numbers of so many digits each.
fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u64; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let parts: [&str; N] = parts.try_into().ok()?;
    let mut values = [0; N];
    for ((value, part), width) in values.iter_mut().zip(parts).zip(widths) {
        *value = decimal(part).filter(|_| part.len() == width)?;
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64K"), Ok(65536));
        assert_eq!(size("2G"), Ok(2 << 30));
        assert_eq!(count("10M"), Ok(10_000_000));
        for wrong in ["", "K", "1.5G", "-1", "+1", "1KB", "99999999999999999999", "20000000T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(seconds("2"), Ok(2_000_000_000));
        assert_eq!(seconds("0.25"), Ok(250_000_000));
        assert_eq!(seconds("1.0000000019"), Ok(1_000_000_001));
        for wrong in ["", ".", "-1", "1e3", "1.x", "x"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    /// The values are those of `date -d DATE +%s`.
    #[test]
    fn dates() {
        assert_eq!(epoch("1000000000"), Ok(1_000_000_000 * NS));
        assert_eq!(epoch("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(epoch("2001-09-09T01:46:40Z"), Ok(1_000_000_000 * NS));
        assert_eq!(epoch("2024-02-29T23:59:59.5+01:30"), Ok(1_709_245_799 * NS + 500_000_000));
        assert_eq!(epoch("2100-03-01t00:00:00-00:30"), Ok(4_107_544_200 * NS));
        for wrong in
            ["2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00", "10:00", ""]
        {
            assert!(epoch(wrong).is_err(), "{wrong}");
        }
    }
}
