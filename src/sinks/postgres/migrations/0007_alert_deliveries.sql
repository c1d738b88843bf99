-- Alerts that wait to be sent to the webhook: put there by the statement that raises or resolves them, so that none is
-- forgotten, whoever wrote it and whatever dies; taken out when the webhook has answered. Pods with a webhook say so
-- in alert_webhook, for a day from then on: where there is none nothing waits.
CREATE TABLE alert_webhook (
  is_only      boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  wanted_until timestamptz NOT NULL
);

CREATE TABLE alert_deliveries (
  alert_id  bigint NOT NULL,
  event     text NOT NULL CHECK (event IN ('raised', 'resolved')),
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts  integer NOT NULL DEFAULT 0,
  PRIMARY KEY (alert_id, event)
);

CREATE INDEX alert_deliveries_by_due ON alert_deliveries (due_at);

CREATE FUNCTION alert_queued() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  happened text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    happened := 'raised';
  ELSIF OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL THEN
    happened := 'resolved';
  ELSE
    RETURN NULL;
  END IF;
  INSERT INTO alert_deliveries (alert_id, event)
  SELECT NEW.id, happened FROM alert_webhook WHERE wanted_until > clock_timestamp()
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

CREATE TRIGGER alert_queued AFTER INSERT OR UPDATE ON alerts
  FOR EACH ROW EXECUTE FUNCTION alert_queued();
