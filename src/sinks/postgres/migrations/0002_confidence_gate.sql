-- Whether a campaign's gate counts what is in flight by its likely wins instead of at its worst case.
ALTER TABLE campaigns ADD COLUMN confidence_gate boolean NOT NULL DEFAULT false;
