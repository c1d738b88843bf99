-- Who changed what, when, from what to what: written in the statement that makes the change, so that neither is
-- there without the other. before and after hold the fields that changed, as the API shows them; before is null
-- for a creation. json, not jsonb: kept verbatim and never read. The id is drawn while the campaign's row is
-- locked, so the entries of one campaign are in the order of its versions. No foreign key: entries outlive all.
CREATE TABLE audit_log (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor       text NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 128),
  action      text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 64),
  campaign_id text COLLATE "C",
  version     integer,
  before      json,
  after       json,
  reason      text CHECK (char_length(reason) <= 1024),
  request_id  text CHECK (char_length(request_id) <= 128)
);

CREATE INDEX audit_log_by_campaign ON audit_log (campaign_id, id);

-- Whoever can change the schema can still take this away; a mistake or an API cannot.
CREATE FUNCTION audit_log_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is immutable: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_log_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_immutable();
