-- Factors besides passkeys and passwords, and the way back when all are lost.

-- One authenticator app an account. The secret is sealed; last_step is the newest step that was used.
CREATE TABLE totp (
    realm_id      BIGINT NOT NULL,
    account_id    BLOB   NOT NULL,
    secret_sealed BLOB   NOT NULL,
    last_step     BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL,
    last_used_ms  BIGINT,
    PRIMARY KEY (realm_id, account_id)
) WITHOUT ROWID;

-- Codes to keep, by hash; used ones stay until the next set, so that their number can be told.
CREATE TABLE recovery_codes (
    realm_id   BIGINT NOT NULL,
    account_id BLOB   NOT NULL,
    hash       BLOB   NOT NULL,
    created_ms BIGINT NOT NULL,
    used_ms    BIGINT,
    PRIMARY KEY (realm_id, account_id, hash)
) WITHOUT ROWID;

-- The one code that was mailed to an account last: a keyed hash, and the browser that asked for it.
CREATE TABLE mailed_codes (
    realm_id   BIGINT NOT NULL,
    account_id BLOB   NOT NULL,
    hash       BLOB   NOT NULL,
    browser    BLOB   NOT NULL,
    tries      BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, account_id)
) WITHOUT ROWID;
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_ms);

-- A recovery that was proved and waits: by hash of what the browser holds and of what cancels it.
CREATE TABLE recoveries (
    realm_id    BIGINT NOT NULL,
    account_id  BLOB   NOT NULL,
    hash        BLOB   NOT NULL,
    cancel_hash BLOB   NOT NULL,
    created_ms  BIGINT NOT NULL,
    ready_ms    BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    PRIMARY KEY (realm_id, account_id)
) WITHOUT ROWID;
CREATE INDEX recoveries_by_cancel ON recoveries (realm_id, cancel_hash);
CREATE INDEX recoveries_by_expiry ON recoveries (expires_ms);

-- A pass that a recovery opened works in one browser alone.
ALTER TABLE passes ADD COLUMN browser BLOB;
