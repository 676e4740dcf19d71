//! Clock and random source: the only place that reads them, so that tests can put their own in.

use std::cell::RefCell;
use std::sync::Arc;

use idp_core::time::Timestamp;

/// The time of day.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let now = std::time::SystemTime::now();
        let since_epoch = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    })
}

/// Bytes drawn at once: the library works as long for thirty-two as for these, and a sign-in asks a dozen times.
const DRAWN: usize = 512;

/// Random bytes that a thread drew ahead. Each is handed out once and wiped here.
struct Ahead {
    bytes: [u8; DRAWN],
    used: usize,
}

thread_local! {
    static AHEAD: RefCell<Ahead> = const { RefCell::new(Ahead { bytes: [0; DRAWN], used: DRAWN }) };
}

impl Ahead {
    fn fill(&mut self, buffer: &mut [u8]) {
        if buffer.len() > DRAWN - self.used {
            if buffer.len() > DRAWN / 8 {
                return draw(buffer);
            }
            draw(&mut self.bytes);
            self.used = 0;
        }
        for (out, drawn) in buffer.iter_mut().zip(self.bytes.iter_mut().skip(self.used)) {
            *out = std::mem::take(drawn);
        }
        self.used += buffer.len();
    }
}

/// The system's random source.
pub fn system_random() -> Random {
    Arc::new(|buffer| AHEAD.with_borrow_mut(|ahead| ahead.fill(buffer)))
}

fn draw(buffer: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "without randomness no secret is safe: nothing may go on")]
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    aws_lc_rs::rand::fill(buffer).expect("the system's random source answers");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_random_bytes_are_handed_out_twice() {
        let random = system_random();
        let mut seen = HashSet::new();
        for length in [16, 10, 32, 12, 600, 65].into_iter().cycle().take(600) {
            let mut bytes = vec![0; length];
            random(&mut bytes);
            for part in bytes.windows(8) {
                assert!(seen.insert(<[u8; 8]>::try_from(part).unwrap()), "eight bytes came again");
            }
        }
    }

    #[test]
    fn bytes_that_were_handed_out_are_wiped() {
        let mut ahead = Ahead { bytes: [0; DRAWN], used: DRAWN };
        ahead.fill(&mut [0; 32]);
        assert_eq!(ahead.bytes[..32], [0; 32]);
        assert_ne!(ahead.bytes[32..64], [0; 32]);
    }
}
