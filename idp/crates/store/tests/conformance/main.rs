//! One suite, both databases: every test runs on a fresh SQLite file and on a fresh PostgreSQL database.

mod accounts;
mod configuration;
mod devices;
mod factors;
mod fixtures;
mod grants;
mod group_policies;
mod logout;
mod mails;
mod mds;
mod passkeys;
mod plans;
mod pushed_requests;
mod races;
mod records;
mod registrations;
mod rp_ids;
mod schema;
mod sign_in;
mod users;
mod writes;
