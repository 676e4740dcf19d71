-- Sessions that a passkey opened are found by way of its account's sessions, once in its life; this index cost every
-- sign-in a page.
DROP INDEX session_events_by_credential;
