//! A sample of every page in every state it can have.
//!
//! Rendered by the tests and looked at by whoever changes a theme.
