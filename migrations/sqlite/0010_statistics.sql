-- Passes of one account: who cancels a recovery or deletes an account closes them.
CREATE INDEX passes_by_account ON passes (realm_id, account_id);
-- Owners, of whom there are few: asked for at every start, at a recovery, and before one goes.
CREATE INDEX accounts_by_owner ON accounts (realm_id, role) WHERE role = 'owner';

-- Every key begins with realm_id. Without statistics SQLite takes such a column for one that leaves ten rows, prefers
-- the primary key by that column alone to an index by two, and reads a whole table. These numbers are written once and
-- not measured: how many rows there are, then how many share the first column, the first two, and so on. A plan is then
-- the same in every installation, small or large, and needs no ANALYZE; who runs one nevertheless replaces them by
-- measured ones, which tell the same of realm_id. A table WITHOUT ROWID bears its primary key under its own name.
-- A later migration that makes a large table or an index adds a row; tests/conformance/plans.rs finds what lacks one.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('accounts', 'sqlite_autoindex_accounts_1', '1000000 1000000 1'),
    ('accounts', 'accounts_by_username', '1000000 1000000 1'),
    ('accounts', 'accounts_by_email', '1000000 1000000 1'),
    ('accounts', 'accounts_by_user_handle', '1000000 1000000 1'),
    ('accounts', 'accounts_by_passkey_name', '1000000 1000000 1'),
    ('accounts', 'accounts_by_owner', '10 10 10'),
    ('group_members', 'group_members', '1000000 1000000 10000 1'),
    ('group_members', 'group_members_by_account', '1000000 1000000 3'),
    ('passkeys', 'sqlite_autoindex_passkeys_1', '1000000 1000000 1'),
    ('passkeys', 'passkeys_by_account', '1000000 1000000 3'),
    ('passkeys', 'passkeys_by_model', '1000000 1000000 10000'),
    ('totp', 'totp', '1000000 1000000 1'),
    ('recovery_codes', 'recovery_codes', '1000000 1000000 10 1'),
    ('passes', 'passes', '1000000 1000000 1'),
    ('passes', 'passes_by_account', '1000000 1000000 3'),
    ('passes', 'passes_by_expiry', '1000000 2'),
    ('recoveries', 'recoveries', '1000000 1000000 1'),
    ('recoveries', 'recoveries_by_cancel', '1000000 1000000 1'),
    ('recoveries', 'recoveries_by_expiry', '1000000 2'),
    ('mailed_codes', 'mailed_codes', '1000000 1000000 1'),
    ('mailed_codes', 'mailed_codes_by_expiry', '1000000 2'),
    ('used_once', 'used_once', '1000000 1000000 1'),
    ('used_once', 'used_once_by_expiry', '1000000 2'),
    ('throttles', 'throttles', '1000000 1000000 1'),
    ('throttles', 'throttles_by_age', '1000000 2'),
    ('sessions', 'sessions', '1000000 1000000 1'),
    ('sessions', 'sessions_by_cookie', '1000000 1000000 1'),
    ('sessions', 'sessions_by_account', '1000000 1000000 10'),
    ('sessions', 'sessions_by_expiry', '1000000 2'),
    ('session_events', 'session_events', '1000000 1000000 3 1'),
    ('grants', 'grants', '1000000 1000000 1'),
    ('grants', 'grants_by_session', '1000000 1000000 10'),
    ('grants', 'grants_by_account', '1000000 1000000 10'),
    ('grants', 'grants_by_expiry', '1000000 2'),
    ('consents', 'consents', '1000000 1000000 10 1'),
    ('refresh_tokens', 'refresh_tokens', '1000000 1000000 1'),
    ('refresh_tokens', 'refresh_tokens_by_expiry', '1000000 2'),
    ('pushed_requests', 'pushed_requests', '1000000 1000000 1'),
    ('pushed_requests', 'pushed_requests_by_expiry', '1000000 2'),
    ('device_codes', 'device_codes', '1000000 1000000 1'),
    ('device_codes', 'device_codes_by_user_code', '1000000 1000000 1'),
    ('device_codes', 'device_codes_by_client', '1000000 1000000 1000'),
    ('device_codes', 'device_codes_by_address', '1000000 1000000 100'),
    ('device_codes', 'device_codes_by_expiry', '1000000 2'),
    ('logout_deliveries', 'logout_deliveries', '1000000 1000000 3 1'),
    ('logout_deliveries', 'logout_deliveries_by_due', '1000000 2'),
    ('mails', 'mails', '1000000 1000000 1'),
    ('mails', 'mails_by_due', '1000000 2'),
    ('mails', 'mails_by_expiry', '1000000 2'),
    ('audit', 'audit', '1000000 1000000 1'),
    ('audit', 'audit_by_account', '1000000 1000000 100 1');
-- Read again by this connection; others read them when they open.
ANALYZE sqlite_schema;
