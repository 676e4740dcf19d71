-- The outbox: mails are written in the commit of the act they tell of, and go when they were sent or it is too late.

CREATE TABLE mails (
    realm_id      BIGINT NOT NULL,
    mail_id       BYTEA  NOT NULL,
    account_id    BYTEA,
    address       TEXT   NOT NULL,
    template      TEXT   NOT NULL,
    detail        TEXT   NOT NULL,
    secret_sealed BYTEA,
    created_ms    BIGINT NOT NULL,
    due_ms        BIGINT NOT NULL,
    expires_ms    BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    PRIMARY KEY (realm_id, mail_id)
);
CREATE INDEX mails_by_due ON mails (due_ms);
CREATE INDEX mails_by_expiry ON mails (expires_ms);

-- Where a passkey was used last: the network of an address, as people see it in the list.
ALTER TABLE passkeys ADD COLUMN last_used_place TEXT;
