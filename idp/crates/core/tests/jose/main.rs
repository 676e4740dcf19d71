//! What others sign, from outside the crate: keys, tokens, and what bad input does to them.
//!
//! RFC 7515, RFC 7517, RFC 7523, RFC 8725, RFC 9101, RFC 9449.

mod arbitrary_bytes;
mod assertion;
mod dpop;
mod foreign;
mod jwk;
mod request_object;
mod support;
