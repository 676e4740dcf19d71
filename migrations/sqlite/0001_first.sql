-- Times are Unix milliseconds (BIGINT), JSON is TEXT, identifiers and hashes are BLOB (BYTEA on PostgreSQL).
-- Every table carries realm_id in its key: tenants share tables, never rows.
-- WITHOUT ROWID where rows are small and written at sign-in: one tree a table instead of two.

CREATE TABLE realms (
    realm_id        BIGINT NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE,
    issuer          TEXT   NOT NULL UNIQUE,
    display_name    TEXT   NOT NULL,
    relying_parties TEXT   NOT NULL,
    settings        TEXT   NOT NULL,
    policy          TEXT   NOT NULL,
    created_ms      BIGINT NOT NULL
);

-- Grows with every change of realms, clients and keys, so that other processes drop what they cached; also the
-- lock under which such changes queue. One row, realm 0, for all realms.
CREATE TABLE config_generation (
    realm_id   BIGINT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    realm_id       BIGINT NOT NULL,
    kid            TEXT   NOT NULL,
    alg            TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    public_jwk     TEXT   NOT NULL,
    private_sealed BLOB   NOT NULL,
    created_ms     BIGINT NOT NULL,
    retired_ms     BIGINT,
    PRIMARY KEY (realm_id, kid)
);

CREATE TABLE accounts (
    realm_id         BIGINT NOT NULL,
    account_id       BLOB   NOT NULL,
    username         TEXT   NOT NULL,
    username_key     TEXT   NOT NULL,
    email_key        TEXT,
    profile          TEXT   NOT NULL,
    user_handle      BLOB   NOT NULL,
    role             TEXT   NOT NULL,
    state            TEXT   NOT NULL,
    password_hash    TEXT,
    password_version BIGINT NOT NULL,
    created_ms       BIGINT NOT NULL,
    updated_ms       BIGINT NOT NULL,
    PRIMARY KEY (realm_id, account_id)
);
CREATE UNIQUE INDEX accounts_by_username ON accounts (realm_id, username_key);
CREATE UNIQUE INDEX accounts_by_email ON accounts (realm_id, email_key);
CREATE UNIQUE INDEX accounts_by_user_handle ON accounts (realm_id, user_handle);

CREATE TABLE groups (
    realm_id     BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    created_ms   BIGINT NOT NULL,
    PRIMARY KEY (realm_id, name)
) WITHOUT ROWID;

CREATE TABLE group_members (
    realm_id   BIGINT NOT NULL,
    group_name TEXT   NOT NULL,
    account_id BLOB   NOT NULL,
    PRIMARY KEY (realm_id, group_name, account_id)
) WITHOUT ROWID;
CREATE INDEX group_members_by_account ON group_members (realm_id, account_id);

CREATE TABLE passkeys (
    realm_id           BIGINT NOT NULL,
    credential_id      BLOB   NOT NULL,
    account_id         BLOB   NOT NULL,
    rp_id              TEXT   NOT NULL,
    public_key         BLOB   NOT NULL,
    alg                BIGINT NOT NULL,
    counter            BIGINT NOT NULL,
    counter_ms         BIGINT NOT NULL,
    uv_initialized     BIGINT NOT NULL,
    discoverable       BIGINT,
    backup_eligible    BIGINT NOT NULL,
    backup_state       BIGINT NOT NULL,
    transports         TEXT   NOT NULL,
    attachment         TEXT,
    aaguid             BLOB   NOT NULL,
    attestation_format TEXT   NOT NULL,
    name               TEXT   NOT NULL,
    state              TEXT   NOT NULL,
    created_ms         BIGINT NOT NULL,
    last_used_ms       BIGINT,
    last_used_client   TEXT,
    PRIMARY KEY (realm_id, credential_id)
);
CREATE INDEX passkeys_by_account ON passkeys (realm_id, account_id);

CREATE TABLE passes (
    realm_id   BIGINT NOT NULL,
    hash       BLOB   NOT NULL,
    kind       TEXT   NOT NULL,
    account_id BLOB,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT,
    PRIMARY KEY (realm_id, hash)
) WITHOUT ROWID;
CREATE INDEX passes_by_expiry ON passes (expires_ms);

CREATE TABLE challenges_used (
    realm_id   BIGINT NOT NULL,
    hash       BLOB   NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, hash)
) WITHOUT ROWID;
CREATE INDEX challenges_used_by_expiry ON challenges_used (expires_ms);

CREATE TABLE clients (
    realm_id    BIGINT NOT NULL,
    client_id   TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    secret_hash BLOB,
    settings    TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    PRIMARY KEY (realm_id, client_id)
);

CREATE TABLE sessions (
    realm_id    BIGINT NOT NULL,
    sid         BLOB   NOT NULL,
    cookie_hash BLOB   NOT NULL,
    account_id  BLOB   NOT NULL,
    state       TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    active_ms   BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    PRIMARY KEY (realm_id, sid)
) WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_cookie ON sessions (realm_id, cookie_hash);
CREATE INDEX sessions_by_account ON sessions (realm_id, account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

-- Authentication events of a session, append-only: what acr, amr and auth_time rest on.
CREATE TABLE session_events (
    realm_id      BIGINT NOT NULL,
    sid           BLOB   NOT NULL,
    event_id      BLOB   NOT NULL,
    at_ms         BIGINT NOT NULL,
    credential_id BLOB,
    event         TEXT   NOT NULL,
    PRIMARY KEY (realm_id, sid, event_id)
) WITHOUT ROWID;
CREATE INDEX session_events_by_credential ON session_events (realm_id, credential_id) WHERE credential_id IS NOT NULL;

-- One row for each redeemed (or burnt) authorization code, keyed by the random id inside its seal.
CREATE TABLE grants (
    realm_id   BIGINT NOT NULL,
    grant_id   BLOB   NOT NULL,
    client_id  TEXT   NOT NULL,
    account_id BLOB   NOT NULL,
    sid        BLOB   NOT NULL,
    scope      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, grant_id)
) WITHOUT ROWID;
CREATE INDEX grants_by_session ON grants (realm_id, sid);
CREATE INDEX grants_by_expiry ON grants (expires_ms);

CREATE TABLE consents (
    realm_id   BIGINT NOT NULL,
    account_id BLOB   NOT NULL,
    client_id  TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    flow_id    BLOB   NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, account_id, client_id)
) WITHOUT ROWID;

-- Failed secret checks, counted by keyed hash; the number of buckets is bounded by the width of the hash.
CREATE TABLE throttles (
    realm_id   BIGINT NOT NULL,
    bucket     BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, bucket)
) WITHOUT ROWID;
CREATE INDEX throttles_by_age ON throttles (updated_ms);

CREATE TABLE audit (
    realm_id   BIGINT NOT NULL,
    audit_id   BLOB   NOT NULL,
    at_ms      BIGINT NOT NULL,
    event      TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    account_id BLOB,
    client_id  TEXT,
    request_id TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    PRIMARY KEY (realm_id, audit_id)
) WITHOUT ROWID;
-- audit_id is ordered by time itself.
CREATE INDEX audit_by_account ON audit (realm_id, account_id, audit_id) WHERE account_id IS NOT NULL;
