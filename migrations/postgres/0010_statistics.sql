-- Passes of one account: who cancels a recovery or deletes an account closes them.
CREATE INDEX passes_by_account ON passes (realm_id, account_id);
-- Owners, of whom there are few: asked for at every start, at a recovery, and before one goes.
CREATE INDEX accounts_by_owner ON accounts (realm_id, role) WHERE role = 'owner';
-- The rest of 0010 is SQLite's alone: PostgreSQL gathers its statistics itself.
