//! `/consent`: asked once, remembered, refused, forged.

mod asking;
mod forged;
