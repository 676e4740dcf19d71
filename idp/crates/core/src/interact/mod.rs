//! What a sign-in needs next.
