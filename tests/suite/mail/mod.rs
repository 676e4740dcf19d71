//! Mails: what people are told of.

mod changes;
mod sending;
