-- A group may have a passkey policy of its own; the highest priority counts, so no two of a realm share one.
ALTER TABLE groups ADD COLUMN priority BIGINT;
ALTER TABLE groups ADD COLUMN policy TEXT;
CREATE UNIQUE INDEX groups_by_priority ON groups (realm_id, priority);

-- What people chose for themselves and what they were asked already, as JSON.
ALTER TABLE accounts ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';
