-- What an account is called in authenticators, in the form under which it is unique; null: nobody has looked yet.
ALTER TABLE accounts ADD COLUMN passkey_name TEXT;

-- By the pattern that realms have had: the address, else the user name. Where that is another one's address, null.
UPDATE accounts SET passkey_name = email_key WHERE email_key IS NOT NULL;
UPDATE accounts SET passkey_name = username_key WHERE email_key IS NULL AND NOT EXISTS
    (SELECT 1 FROM accounts AS o WHERE o.realm_id = accounts.realm_id AND o.email_key = accounts.username_key);
CREATE UNIQUE INDEX accounts_by_passkey_name ON accounts (realm_id, passkey_name);
