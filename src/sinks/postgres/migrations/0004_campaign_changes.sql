-- How a change of a campaign reaches the other pods: a notification, and the transaction that made it.
--
-- changed_in lets a pod read what changed since it last looked. A number from a sequence would not do: it is
-- drawn before the commit, so a reader that has seen 8 may never look for a 7 that commits later; and clocks
-- of pods differ. A transaction's id is drawn before its commit too, but Postgres tells which are still open:
-- every one below pg_snapshot_xmin has ended and been seen, so the next look begins there. Nothing is
-- missed however long a transaction takes, and what is read twice is taken in once, by its version.
ALTER TABLE campaigns ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX campaigns_by_change ON campaigns (changed_in);

-- A campaign that no shard had room for. Its row stays, deleted, because another pod may have heard of it; to
-- clients it does not exist, and its id may be taken again.
ALTER TABLE campaigns ADD COLUMN taken_back boolean NOT NULL DEFAULT false;

-- In the database, so that a change made by hand is heard as well. Sent with the commit, or not at all.
CREATE FUNCTION campaign_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id();
  PERFORM pg_notify('campaign_changed', NEW.id || ' ' || NEW.version);
  RETURN NEW;
END
$$;

CREATE TRIGGER campaign_changed BEFORE INSERT OR UPDATE ON campaigns
  FOR EACH ROW EXECUTE FUNCTION campaign_changed();
