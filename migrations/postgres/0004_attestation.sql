-- What the attestation of a passkey proved, and what is known of authenticators' models.

ALTER TABLE passkeys ADD COLUMN attestation TEXT NOT NULL DEFAULT 'none';
ALTER TABLE passkeys ADD COLUMN attestation_root BYTEA;
ALTER TABLE passkeys ADD COLUMN attestation_key_id BYTEA;
ALTER TABLE passkeys ADD COLUMN attestation_hardware BIGINT NOT NULL DEFAULT 0;
ALTER TABLE passkeys ADD COLUMN model TEXT NOT NULL DEFAULT '{}';
ALTER TABLE passkeys ADD COLUMN suspended_reason TEXT;
UPDATE passkeys SET attestation = 'unverified' WHERE attestation_format <> 'none';
CREATE INDEX passkeys_by_model ON passkeys (realm_id, aaguid);

-- The FIDO metadata: one BLOB that counts (slot 'current') and perhaps one that is held for an admin ('held').
-- realm_id 0: they are the same for all realms.
CREATE TABLE mds_blobs (
    realm_id       BIGINT NOT NULL,
    slot           TEXT   NOT NULL,
    number         BIGINT NOT NULL,
    next_update_ms BIGINT NOT NULL,
    stored_ms      BIGINT NOT NULL,
    held_because   TEXT,
    blob           BYTEA NOT NULL,
    PRIMARY KEY (realm_id, slot)
);

-- One row for each model of a BLOB; model is an AAGUID or the hexadecimal key identifier of a U2F key.
CREATE TABLE mds_entries (
    realm_id BIGINT NOT NULL,
    slot     TEXT   NOT NULL,
    model    TEXT   NOT NULL,
    entry    TEXT   NOT NULL,
    PRIMARY KEY (realm_id, slot, model)
);
