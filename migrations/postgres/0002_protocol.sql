-- The protocol beyond the code grant: what outlives a request, and nothing before authentication but what is bounded.

-- A grant may have no user (client credentials), may outlive its session (offline), and remembers what later tokens
-- repeat.
ALTER TABLE grants
    ALTER COLUMN account_id DROP NOT NULL,
    ALTER COLUMN sid DROP NOT NULL,
    ADD COLUMN detail TEXT NOT NULL DEFAULT '{}',
    ADD COLUMN offline BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN hears_of_logout BIGINT NOT NULL DEFAULT 0;
ALTER TABLE grants
    ALTER COLUMN detail DROP DEFAULT,
    ALTER COLUMN offline DROP DEFAULT,
    ALTER COLUMN hears_of_logout DROP DEFAULT;
CREATE INDEX grants_by_account ON grants (realm_id, account_id) WHERE offline = 1;

-- Refresh tokens by hash. The family of a token is its grant; a used one is kept, so that its return is noticed.
CREATE TABLE refresh_tokens (
    realm_id   BIGINT NOT NULL,
    hash       BYTEA NOT NULL,
    grant_id   BYTEA NOT NULL,
    successor  BYTEA,
    active_ms  BIGINT NOT NULL,
    used_ms    BIGINT,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, hash)
);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_ms);

-- Pushed authorization requests (RFC 9126): consumed when their code is issued, not when they are looked at.
CREATE TABLE pushed_requests (
    realm_id   BIGINT NOT NULL,
    hash       BYTEA NOT NULL,
    client_id  TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    used_ms    BIGINT,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, hash)
);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_ms);

-- Device authorizations (RFC 8628): waiting, approved by an account in a session, denied, used.
CREATE TABLE device_codes (
    realm_id   BIGINT NOT NULL,
    hash       BYTEA NOT NULL,
    user_code  TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    account_id BYTEA,
    sid        BYTEA,
    auth       TEXT,
    interval_s BIGINT NOT NULL,
    polled_ms  BIGINT,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, hash)
);
CREATE UNIQUE INDEX device_codes_by_user_code ON device_codes (realm_id, user_code);
CREATE INDEX device_codes_by_client ON device_codes (realm_id, client_id);
CREATE INDEX device_codes_by_address ON device_codes (realm_id, address);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_ms);

-- Back-channel logout: who is still to be told that a session ended. Written in the commit that ends it.
CREATE TABLE logout_deliveries (
    realm_id   BIGINT NOT NULL,
    sid        BYTEA NOT NULL,
    client_id  TEXT   NOT NULL,
    account_id BYTEA NOT NULL,
    attempts   BIGINT NOT NULL,
    due_ms     BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, sid, client_id)
);
CREATE INDEX logout_deliveries_by_due ON logout_deliveries (due_ms);

-- The registration access token of a client that registered itself (RFC 7592).
ALTER TABLE clients ADD COLUMN registration_hash BYTEA;

-- Since when a key signs; the schedule counts from there.
ALTER TABLE signing_keys ADD COLUMN active_ms BIGINT;
UPDATE signing_keys SET active_ms = created_ms WHERE state <> 'next';

-- What may happen once: challenges of ceremonies, and the jti of client assertions and DPoP proofs.
ALTER TABLE challenges_used RENAME TO used_once;
DROP INDEX challenges_used_by_expiry;
CREATE INDEX used_once_by_expiry ON used_once (expires_ms);
