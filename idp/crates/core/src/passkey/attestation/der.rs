//! DER, as far as the extensions of attestation certificates need it: elements one after the other.
//!
//! X.690 §8.1, §10.1.

/// Reads elements from the front of some bytes.
pub(super) struct Der<'a>(pub &'a [u8]);

impl<'a> Der<'a> {
    /// The next element: its tag (class and form bits in front, number as written) and its content.
    pub(super) fn next(&mut self) -> Option<(u32, &'a [u8])> {
        let (&first, mut rest) = self.0.split_first()?;
        let mut tag = u32::from(first);
        if first & 0x1f == 0x1f {
            // High tag number form: seven bits a byte; two of them are more than any tag here needs.
            for _ in 0..2 {
                let (&byte, after) = rest.split_first()?;
                (tag, rest) = (tag << 8 | u32::from(byte), after);
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let (&short, mut rest) = rest.split_first()?;
        let length = if short < 0x80 {
            usize::from(short)
        } else {
            let (bytes, after) =
                rest.split_at_checked(usize::from(short & 0x7f)).filter(|(b, _)| (1..=3).contains(&b.len()))?;
            rest = after;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        };
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, content))
    }

    /// The content of the next element, which has this tag.
    pub(super) fn expect(&mut self, tag: u32) -> Option<&'a [u8]> {
        self.next().and_then(|(found, content)| (found == tag).then_some(content))
    }

    /// The content of the one element that fills `bytes`.
    pub(super) fn only(bytes: &'a [u8], tag: u32) -> Option<&'a [u8]> {
        let mut der = Der(bytes);
        der.expect(tag).filter(|_| der.0.is_empty())
    }
}

pub(super) const INTEGER: u32 = 0x02;
pub(super) const OCTET_STRING: u32 = 0x04;
pub(super) const ENUMERATED: u32 = 0x0a;
pub(super) const SEQUENCE: u32 = 0x30;
pub(super) const SET: u32 = 0x31;
