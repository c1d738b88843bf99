-- The history of every pod. Counters are absolute: what a source has counted of a campaign's local hour so
-- far; they only grow, so a write may be repeated, delayed or reordered. No foreign keys: history arrives in
-- any order and outlives what it tells of. Every amount and count is at most 2^53, exact in a float64.
-- local_start is the hour as the campaign's clocks show it: at the end of summer time two hours show the same.
-- fillfactor leaves room for the running hour's updates on the row's own page.

CREATE TABLE spend_hourly (
  campaign_id   text COLLATE "C" NOT NULL,
  hour_start    timestamptz NOT NULL,
  source        text COLLATE "C" NOT NULL CHECK (char_length(source) BETWEEN 1 AND 128),
  local_start   timestamp NOT NULL,
  spend_micros  bigint NOT NULL CHECK (spend_micros BETWEEN 0 AND 9007199254740992),
  impressions   bigint NOT NULL CHECK (impressions BETWEEN 0 AND 9007199254740992),
  clicks        bigint NOT NULL CHECK (clicks BETWEEN 0 AND 9007199254740992),
  wins          bigint NOT NULL CHECK (wins BETWEEN 0 AND 9007199254740992),
  asks          bigint NOT NULL CHECK (asks BETWEEN 0 AND 9007199254740992),
  allowed       bigint NOT NULL CHECK (allowed BETWEEN 0 AND 9007199254740992),
  local_date    date NOT NULL GENERATED ALWAYS AS (local_start::date) STORED,
  PRIMARY KEY (campaign_id, hour_start, source)
) WITH (fillfactor = 80);

-- What the plan wanted to be spent in the hour, by the newest plan that any pod made of it: plans go by the
-- campaign's version, then by when they were made, so that a pod that is behind never overwrites the others.
CREATE TABLE pacing_history (
  campaign_id      text COLLATE "C" NOT NULL,
  hour_start       timestamptz NOT NULL,
  local_start      timestamp NOT NULL,
  planned_micros   bigint NOT NULL CHECK (planned_micros BETWEEN 0 AND 9007199254740992),
  budget_micros    bigint NOT NULL CHECK (budget_micros BETWEEN 0 AND 9007199254740992),
  pacing_mode      text NOT NULL CHECK (pacing_mode IN ('EVEN', 'ASAP', 'FRONT_LOADED', 'ADAPTIVE')),
  campaign_version integer NOT NULL CHECK (campaign_version >= 1),
  planned_at       timestamptz NOT NULL,
  local_date       date NOT NULL GENERATED ALWAYS AS (local_start::date) STORED,
  PRIMARY KEY (campaign_id, hour_start)
) WITH (fillfactor = 80);

CREATE TABLE breaker_events (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id text COLLATE "C" NOT NULL,
  source      text COLLATE "C" NOT NULL CHECK (char_length(source) BETWEEN 1 AND 128),
  at          timestamptz NOT NULL,
  from_state  text NOT NULL CHECK (from_state IN ('CLOSED', 'OPEN', 'HALF_OPEN')),
  to_state    text NOT NULL CHECK (to_state IN ('CLOSED', 'OPEN', 'HALF_OPEN')),
  reason      text NOT NULL,
  UNIQUE (campaign_id, at, source, to_state)
);

-- An alert without a campaign concerns a whole pod. dedupe_key says what it is about: the same is one row.
CREATE TABLE alerts (
  id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dedupe_key            text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(dedupe_key) BETWEEN 1 AND 512),
  campaign_id           text COLLATE "C",
  alert_type            text NOT NULL,
  severity              text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  threshold_percentage  double precision,
  message               text NOT NULL,
  circuit_breaker_state text CHECK (circuit_breaker_state IN ('CLOSED', 'OPEN', 'HALF_OPEN')),
  created_at            timestamptz NOT NULL,
  resolved_at           timestamptz
);

CREATE INDEX alerts_by_campaign ON alerts (campaign_id, created_at);
CREATE INDEX alerts_unresolved ON alerts (created_at) WHERE resolved_at IS NULL;

-- A campaign's local days over all sources.
CREATE VIEW spend_daily AS
SELECT
  campaign_id,
  local_date,
  sum(spend_micros)::bigint AS spend_micros,
  sum(impressions)::bigint AS impressions,
  sum(clicks)::bigint AS clicks,
  sum(wins)::bigint AS wins,
  sum(asks)::bigint AS asks,
  sum(allowed)::bigint AS allowed
FROM spend_hourly
GROUP BY campaign_id, local_date;
