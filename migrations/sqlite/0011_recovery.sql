-- Codes that were made on a password alone wait before they recover: from when they count without.
ALTER TABLE recovery_codes ADD COLUMN settled_ms BIGINT NOT NULL DEFAULT 0;

-- Each browser has the code it asked for: a stranger who asks takes nobody's away. Codes live ten minutes.
DROP TABLE mailed_codes;
CREATE TABLE mailed_codes (
    realm_id   BIGINT NOT NULL,
    account_id BLOB   NOT NULL,
    browser    BLOB   NOT NULL,
    hash       BLOB   NOT NULL,
    tries      BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (realm_id, account_id, browser)
) WITHOUT ROWID;
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_ms);
-- As in 0010; those of a table that is dropped go with it.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('mailed_codes', 'mailed_codes', '1000000 1000000 3 1'),
    ('mailed_codes', 'mailed_codes_by_expiry', '1000000 2');
ANALYZE sqlite_schema;
