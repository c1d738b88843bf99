-- What was learned of each campaign's traffic over the last weeks, from the hours of all pods: for each weekday, Sunday
-- first, 24 weights. A campaign without a row of its own takes the fleet's, '*', which no campaign can be called.
-- json, not jsonb: kept verbatim and read whole. No foreign key: a shape is history, and outlives what it tells of.
-- changed_in: as in 0004, so that other pods miss none.
CREATE TABLE learned_shapes (
  campaign_id  text COLLATE "C" PRIMARY KEY,
  learned_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  through_date date NOT NULL,
  whole_days   integer NOT NULL CHECK (whole_days >= 0),
  days         double precision NOT NULL CHECK (days >= 0),
  asks         json NOT NULL,
  supply       json NOT NULL,
  backtest     json,
  changed_in   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX learned_shapes_by_change ON learned_shapes (changed_in);

-- Which pod learns for the campaigns of a time zone, once in each of its days. A run that was claimed and never
-- finished is claimed anew after a while.
CREATE TABLE learning_runs (
  timezone    text COLLATE "C" PRIMARY KEY CHECK (char_length(timezone) BETWEEN 1 AND 64),
  local_date  date NOT NULL,
  claimed_at  timestamptz NOT NULL,
  claimed_by  text NOT NULL CHECK (char_length(claimed_by) BETWEEN 1 AND 128),
  finished_at timestamptz,
  campaigns   integer CHECK (campaigns >= 0)
);
