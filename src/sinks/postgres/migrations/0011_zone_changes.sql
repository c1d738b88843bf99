-- The last change of zone that brought a campaign's local date back: which dates, how many there were, and the day that went on.
ALTER TABLE campaigns ADD COLUMN zone_change jsonb;
