-- The last reset of a campaign's day: the local day it was in, how many there were in it, and when.
ALTER TABLE campaigns ADD COLUMN day_reset jsonb;
