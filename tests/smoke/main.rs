//! Smoke tests: the real binary as a child process, talked to by HTTP and its command line alone.
//!
//! What only a process can show: starting and refusing to start, kill -9, SIGTERM, two replicas, the log, the clock.

mod browser;
mod commands;
mod crash;
mod dev;
mod doctor;
mod factors;
mod hosts;
mod logout;
mod metadata;
mod person;
mod policy;
mod product;
mod refusals;
mod replicas;
mod secrets;
mod skew;
mod telemetry;
