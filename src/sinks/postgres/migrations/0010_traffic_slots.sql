-- The traffic of the last two days by five minutes, for people to look at: what each pod saw of a campaign in an hour,
-- element 1–12 for each five minutes of it, null where nothing was asked for. Drawn, never reckoned with: a pod that
-- is killed loses its last minutes.
CREATE TABLE traffic_slots (
  campaign_id  text COLLATE "C" NOT NULL,
  hour_start   timestamptz NOT NULL,
  source       text COLLATE "C" NOT NULL CHECK (char_length(source) BETWEEN 1 AND 128),
  asks         bigint[] NOT NULL,
  allowed      bigint[] NOT NULL,
  -- Mean throttle rate over the asks, 0–1.
  throttle     real[] NOT NULL,
  -- Spent of the local day by the end of the five minutes, by all pods as far as this one had heard.
  spent_micros bigint[] NOT NULL,
  PRIMARY KEY (campaign_id, hour_start, source)
) WITH (fillfactor = 70);

CREATE INDEX traffic_slots_by_hour ON traffic_slots (hour_start);
