//! `/authorize` and `/authorize/resume`.

mod sign_in;
