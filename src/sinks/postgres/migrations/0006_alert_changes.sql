-- Lets a pod read which alerts were raised or resolved since it last looked, whoever wrote them. As with campaigns
-- (0004): every transaction below pg_snapshot_xmin has ended and been seen, so the next look begins there.
ALTER TABLE alerts ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX alerts_by_change ON alerts (changed_in);

CREATE FUNCTION alert_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id();
  RETURN NEW;
END
$$;

CREATE TRIGGER alert_changed BEFORE INSERT OR UPDATE ON alerts
  FOR EACH ROW EXECUTE FUNCTION alert_changed();
