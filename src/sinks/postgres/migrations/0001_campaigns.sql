-- Campaigns as operators set them. Money is whole micros (1 cent = 10,000), at most 2^53 so that every
-- value is exact in a float64. Dates stay the text that was given: a date without a time means a local day.
-- targeting and creative are json, not jsonb: they are kept verbatim and never read.
CREATE TABLE campaigns (
  id                  text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._:-]{1,128}$'),
  name                text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 256),
  daily_budget_micros bigint NOT NULL CHECK (daily_budget_micros BETWEEN 0 AND 9007199254740992),
  total_budget_micros bigint CHECK (total_budget_micros BETWEEN 0 AND 9007199254740992),
  start_date          text CHECK (char_length(start_date) <= 40),
  end_date            text CHECK (char_length(end_date) <= 40),
  timezone            text NOT NULL CHECK (char_length(timezone) BETWEEN 1 AND 64),
  pacing_mode         text NOT NULL CHECK (pacing_mode IN ('EVEN', 'ASAP', 'FRONT_LOADED', 'ADAPTIVE')),
  pacing_lever        text NOT NULL CHECK (pacing_lever IN ('THROTTLE', 'BID')),
  status              text NOT NULL CHECK (status IN ('ACTIVE', 'PAUSED', 'ENDED', 'DELETED')),
  breaker_threshold   double precision NOT NULL CHECK (breaker_threshold BETWEEN 0 AND 1),
  dayparts            jsonb CHECK (jsonb_typeof(dayparts) = 'array'),
  hour_multipliers    jsonb CHECK (jsonb_typeof(hour_multipliers) = 'array'),
  targeting           json,
  creative            json,
  version             integer NOT NULL CHECK (version >= 1),
  created_at          timestamptz NOT NULL,
  updated_at          timestamptz NOT NULL
);

CREATE INDEX campaigns_by_status ON campaigns (status, id);
