//! Local time: what TZ(5) and tzfile(5) say of a moment's distance from UTC.
//!
//! Until somebody calls [`set`], times are printed in UTC.

use std::sync::OnceLock;

static ZONE: OnceLock<Zone> = OnceLock::new();

/// Prints all times in this zone from now on. Only the first call counts.
pub fn set(zone: Zone) {
    let _ = ZONE.set(zone);
}

/// Seconds by which local time is ahead of UTC at a moment, in seconds since 1970.
pub(super) fn offset(seconds: i64) -> i32 {
    ZONE.get().map_or(0, |zone| zone.offset(seconds))
}

/// A time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Changes: the moment, and the distance from UTC from then on.
    changes: Vec<(i64, i32)>,
    /// The distance before the first change.
    first: i32,
    /// What holds after the last change.
    rule: Option<Rule>,
}

/// A zone as a POSIX TZ string describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    standard: i32,
    /// The distance in summer, its first and its last moment.
    summer: Option<(i32, Edge, Edge)>,
}

/// A moment in every year, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    day: Day,
    /// Seconds after midnight.
    time: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// `Mmonth.week.weekday`; week 5 is the last one.
    Weekday(i64, i64, i64),
    /// `Jn`: 1 to 365, February 29 is never counted.
    Julian(i64),
    /// `n`: 0 to 365.
    Plain(i64),
}

impl Zone {
    /// The zone of a TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub fn from_rule(text: &str) -> Option<Zone> {
        let rule = Rule::parse(text)?;
        Some(Zone { first: rule.standard, changes: Vec::new(), rule: Some(rule) })
    }

    /// The zone that a compiled file describes (tzfile(5), version 2 and later).
    pub fn from_file(bytes: &[u8]) -> Option<Zone> {
        let counts = |at: usize| -> Option<[usize; 6]> {
            let header = bytes.get(at..at + 44)?;
            let mut counts = [0; 6];
            for (i, count) in counts.iter_mut().enumerate() {
                *count = be32(header, 20 + 4 * i)? as usize;
            }
            (header.starts_with(b"TZif") && header[4] >= b'2').then_some(counts)
        };
        // Universal-time marks, standard-time marks, leap seconds, changes, kinds, characters of names; first all of it
        // in 32 bits, then in 64.
        let [ut, std, leap, changes, kinds, chars] = counts(0)?;
        let second = 44usize.checked_add(5 * changes + 6 * kinds + chars + 8 * leap + std + ut)?;
        let [ut, std, leap, changes, kinds, chars] = counts(second)?;
        let times = second + 44;
        let (indices, records) = (times + 8 * changes, times + 9 * changes);
        let kind = |i: usize| be32(bytes, records + 6 * i).map(|v| v as i32);
        let mut zone = Zone { first: kind(0).unwrap_or(0), changes: Vec::with_capacity(changes), rule: None };
        for i in 0..changes {
            let moment = i64::from_be_bytes(bytes.get(times + 8 * i..times + 8 * i + 8)?.try_into().ok()?);
            zone.changes.push((moment, kind(usize::from(*bytes.get(indices + i)?))?));
        }
        let footer = bytes.get(records + 6 * kinds + chars + 12 * leap + std + ut..)?;
        let footer = footer.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
        zone.rule = std::str::from_utf8(footer).ok().and_then(Rule::parse);
        Some(zone)
    }

    fn offset(&self, seconds: i64) -> i32 {
        let known = self.changes.partition_point(|(moment, _)| *moment <= seconds);
        match (&self.rule, known) {
            (Some(rule), n) if n == self.changes.len() => rule.offset(seconds),
            (_, 0) => self.first,
            (_, n) => self.changes[n - 1].1,
        }
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl Rule {
    fn parse(text: &str) -> Option<Rule> {
        let mut text = Text(text);
        text.name()?;
        let standard = -text.time()?;
        if text.0.is_empty() {
            return Some(Rule { standard, summer: None });
        }
        text.name()?;
        let ahead = if text.0.starts_with(',') || text.0.is_empty() { standard + 3600 } else { -text.time()? };
        // What POSIX leaves open is the rule of the United States.
        let rest = if text.0.is_empty() { ",M3.2.0,M11.1.0" } else { text.0 };
        let mut rest = Text(rest.strip_prefix(',')?);
        let first = rest.edge()?;
        rest = Text(rest.0.strip_prefix(',')?);
        let last = rest.edge()?;
        rest.0.is_empty().then_some(Rule { standard, summer: Some((ahead, first, last)) })
    }

    fn offset(&self, seconds: i64) -> i32 {
        let Some((ahead, first, last)) = self.summer else { return self.standard };
        let year = super::decode::civil(seconds.saturating_add(i64::from(self.standard)).div_euclid(86_400)).0;
        let first = first.moment(year) - i64::from(self.standard);
        let last = last.moment(year) - i64::from(ahead);
        // South of the equator the summer spans the turn of the year.
        let summer = if first < last { (first..last).contains(&seconds) } else { !(last..first).contains(&seconds) };
        if summer { ahead } else { self.standard }
    }
}

impl Edge {
    /// Its moment in a year, as if local time were UTC.
    fn moment(self, year: i64) -> i64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let day = match self.day {
            Day::Plain(n) => january(year) + n,
            Day::Julian(n) => january(year) + n - 1 + i64::from(leap && n >= 60),
            Day::Weekday(month, week, weekday) => {
                const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
                let index = (month.clamp(1, 12) - 1) as usize;
                let first = january(year) + BEFORE[index] + i64::from(leap && index > 1);
                let length = BEFORE[index + 1] - BEFORE[index] + i64::from(leap && index == 1);
                // 1970-01-01 was a Thursday.
                let to_weekday = (weekday - (first + 4)).rem_euclid(7);
                let mut day = to_weekday + 7 * (week - 1);
                if day >= length {
                    day -= 7;
                }
                first + day
            }
        };
        day * 86_400 + i64::from(self.time)
    }
}

/// Days from 1970-01-01 to the first of January of a year.
fn january(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + (before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400)) - 477
}

/// A TZ string on the way to its end.
struct Text<'a>(&'a str);

impl Text<'_> {
    /// `CET` or `<+03>`.
    fn name(&mut self) -> Option<()> {
        let end = if self.0.starts_with('<') {
            self.0.find('>')? + 1
        } else {
            self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len())
        };
        let long_enough = end >= 3;
        self.0 = &self.0[end..];
        long_enough.then_some(())
    }

    fn number(&mut self) -> Option<i32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let value = self.0.get(..end.min(4))?.parse().ok()?;
        self.0 = &self.0[end..];
        Some(value)
    }

    fn skip(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    fn time(&mut self) -> Option<i32> {
        let negative = self.skip('-');
        if !negative {
            self.skip('+');
        }
        let mut seconds = self.number()? * 3600;
        for unit in [60, 1] {
            if self.skip(':') {
                seconds += self.number()? * unit;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn edge(&mut self) -> Option<Edge> {
        let day = if self.0.starts_with('M') {
            self.0 = &self.0[1..];
            let month = i64::from(self.number()?);
            let week = self.skip('.').then(|| self.number()).flatten()?;
            let weekday = self.skip('.').then(|| self.number()).flatten()?;
            Day::Weekday(month, i64::from(week), i64::from(weekday))
        } else if self.skip('J') {
            Day::Julian(i64::from(self.number()?))
        } else {
            Day::Plain(i64::from(self.number()?))
        };
        let time = if self.skip('/') { self.time()? } else { 7200 };
        Some(Edge { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As date(1) has them.
    #[test]
    fn rules() {
        let at = |zone: &str, s| Zone::from_rule(zone).expect("a rule").offset(s);
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        assert_eq!((at(berlin, 1_774_745_999), at(berlin, 1_774_746_000)), (3600, 7200));
        assert_eq!((at(berlin, 1_792_889_999), at(berlin, 1_792_890_000)), (7200, 3600));
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        assert_eq!((at(sydney, 1_767_225_600), at(sydney, 1_782_864_000)), (39_600, 36_000));
        assert_eq!(at("<+0530>-5:30", 0), 19_800);
        assert_eq!((at("EST5EDT", 1_783_000_000), at("EST5EDT", 1_795_000_000)), (-14_400, -18_000));
        assert_eq!(Zone::from_rule("nonsense/here"), None);
    }

    #[test]
    fn files() {
        let mut file = Vec::new();
        for (counts, wide) in [([0u32; 6], false), ([0, 0, 0, 1, 2, 8], true)] {
            file.extend_from_slice(b"TZif2");
            file.extend_from_slice(&[0; 15]);
            counts.iter().for_each(|c| file.extend_from_slice(&c.to_be_bytes()));
            if wide {
                file.extend_from_slice(&1000i64.to_be_bytes());
                file.push(1);
                for offset in [60i32, 120] {
                    file.extend_from_slice(&offset.to_be_bytes());
                    file.extend_from_slice(&[0, 0]);
                }
                file.extend_from_slice(b"AAA\0BBB\0\nBBB0\n");
            }
        }
        let zone = Zone::from_file(&file).expect("a zone");
        assert_eq!((zone.offset(999), zone.offset(1000)), (60, 0));
        assert_eq!(Zone::from_file(b"TZif"), None);
    }
}
