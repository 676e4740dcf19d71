//! A realm at several hosts with several RP IDs: its documents, the way between the hosts, the move to another RP ID.

mod aliases;
mod counts;
mod documents;
mod handoff;
mod moved;
mod origins;
mod wrong_host;
