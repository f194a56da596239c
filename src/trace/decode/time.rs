//! Dates.

use crate::trace::buf::{self, Buf};
use crate::trace::zone;

/// The last second whose year fits into C's struct tm.
const LAST: i64 = 67_768_036_191_676_799;

/// Appends ` /* 2026-11-23T06:33:15.208445841+0000 */` with `digits` behind the point; nothing for the epoch itself and
/// for what is no date.
pub(super) fn date_comment(out: &mut Buf, seconds: i64, fraction: u64, digits: usize) {
    if seconds == 0 && fraction == 0 || fraction >= 10u64.pow(digits as u32) || !(-LAST..=LAST).contains(&seconds) {
        return;
    }
    buf::text(out, " /* ");
    date(out, seconds, fraction, digits);
    buf::text(out, " */");
}

/// Appends a date in local time.
pub(super) fn date(out: &mut Buf, seconds: i64, fraction: u64, digits: usize) {
    let offset = zone::offset(seconds);
    let seconds = seconds + i64::from(offset);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u64);
    let (year, month, day) = civil(days);
    buf::sdec(out, year);
    for (mark, part) in
        [(b'-', month), (b'-', day), (b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)]
    {
        out.push(mark);
        buf::padded(out, part, 2);
    }
    if fraction != 0 {
        out.push(b'.');
        buf::padded(out, fraction, digits);
    }
    let minutes = offset.unsigned_abs() / 60;
    out.push(if offset < 0 { b'-' } else { b'+' });
    buf::padded(out, u64::from(minutes / 60), 2);
    buf::padded(out, u64::from(minutes % 60), 2);
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: eras of 400 years, years that
/// begin in March.
pub(in crate::trace) fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + carry, month as u64, day_of_month as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let show = |s, n| {
            let mut out = Buf::new();
            date(&mut out, s, n, 9);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(show(1_795_415_595, 208_445_841), "2026-11-23T06:33:15.208445841+0000");
        assert_eq!(show(1_779_294_449, 0), "2026-05-20T16:27:29+0000");
        assert_eq!(show(951_782_400, 0), "2000-02-29T00:00:00+0000");
        assert_eq!(show(-1, 0), "1969-12-31T23:59:59+0000");
    }
}
