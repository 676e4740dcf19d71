//! `/.well-known/…` and what holds for every address: hosts, cross-origin calls, headers, methods.

mod cors;
mod headers;
mod hosts;
mod keys;
mod metadata;
