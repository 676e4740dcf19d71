//! Points in time as pages show them: relative, with the exact one at hand.
//!
//! RFC 3339 for machines; the civil calendar after Howard Hinnant's `civil_from_days`.

/// A point in time in the civil calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// Seconds since midnight.
    pub second: i64,
}

impl Civil {
    /// From Unix milliseconds.
    pub fn of(ms: i64) -> Self {
        let seconds = ms.div_euclid(1000);
        // Days are counted from 1 March of year 0, so that the leap day is the last of its year.
        let days = seconds.div_euclid(86_400) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_based = (5 * of_year + 2) / 153;
        let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * march_based + 2) / 5 + 1,
            second: seconds.rem_euclid(86_400),
        }
    }

    /// Hours and minutes as `09:05`.
    pub fn clock(self) -> String {
        format!("{:02}:{:02}", self.second / 3_600, self.second / 60 % 60)
    }
}

/// RFC 3339 in UTC, to the second: what `<time datetime>` holds.
pub fn iso(ms: i64) -> String {
    let at = Civil::of(ms);
    format!("{:04}-{:02}-{:02}T{}:{:02}Z", at.year, at.month, at.day, at.clock(), at.second % 60)
}

/// How long ago `at` is, as a unit and a number of it; the future counts as now (clocks differ).
pub fn ago(at_ms: i64, now_ms: i64) -> (&'static str, i64) {
    const UNITS: [(&str, i64); 5] =
        [("years", 365 * 86_400), ("months", 30 * 86_400), ("days", 86_400), ("hours", 3_600), ("minutes", 60)];
    let seconds = now_ms.saturating_sub(at_ms) / 1000;
    UNITS.iter().find(|(_, length)| seconds >= *length).map_or(("now", 0), |(unit, length)| (*unit, seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_leap_days_and_years_before_1970() {
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(iso(1_709_251_199_999), "2024-02-29T23:59:59Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn counts_back_in_the_largest_whole_unit() {
        let now = 1_800_000_000_000;
        for (seconds, said) in [
            (-30, ("now", 0)),
            (59, ("now", 0)),
            (60, ("minutes", 1)),
            (7_199, ("hours", 1)),
            (2 * 86_400, ("days", 2)),
            (59 * 86_400, ("months", 1)),
            (800 * 86_400, ("years", 2)),
        ] {
            assert_eq!(ago(now - seconds * 1000, now), said);
        }
    }
}
