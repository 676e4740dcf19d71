//! `/.well-known/…`: what clients learn before they begin.

mod metadata;
