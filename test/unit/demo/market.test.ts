import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config.ts';
import { demoEnvironment } from '../../../src/demo/demo.ts';
import { arrivals, bidFor, outcomeOf, tideAt } from '../../../src/demo/market.ts';
import { sampleCampaigns } from '../../../src/demo/sample-campaigns.ts';
import { microsFromCents } from '../../../src/domain/money.ts';
import { seededRandom } from '../../../src/domain/seeded-random.ts';

describe('the simulated market of the demo', () => {
  it('offers and charges amounts that the wire takes, and never more than was bid', () => {
    const random = seededRandom(7);
    for (const campaign of sampleCampaigns('UTC')) {
      let wins = 0;
      for (let turn = 0; turn < 2_000; turn++) {
        const bid = bidFor(campaign, random);
        expect(microsFromCents(bid)).toBeGreaterThan(0);
        const { spendCents, noticeMs } = outcomeOf(campaign, bid, random);
        expect(microsFromCents(spendCents)).toBeGreaterThanOrEqual(0);
        expect(spendCents).toBeLessThanOrEqual(bid);
        expect(noticeMs).toBeLessThanOrEqual(15_000);
        if (spendCents > 0) wins++;
      }
      expect(wins / 2_000).toBeCloseTo(campaign.winRate, 1);
    }
  });

  it('has as many requests as its mean says, and a tide that never stops or floods', () => {
    const random = seededRandom(11);
    let sum = 0;
    for (let turn = 0; turn < 10_000; turn++) sum += arrivals(1.8, random);
    expect(sum / 10_000).toBeCloseTo(1.8, 1);
    for (let hour = 0; hour < 24; hour++) {
      expect(tideAt(hour * 3_600_000)).toBeGreaterThanOrEqual(0.1);
      expect(tideAt(hour * 3_600_000)).toBeLessThan(2);
    }
  });
});

describe('the environment of a demo', () => {
  it('has a folder of its own unless one is named', () => {
    expect(demoEnvironment({}).DATA_DIR).toBe('./data/demo');
    expect(demoEnvironment({ DATA_DIR: '/x' }).DATA_DIR).toBe('/x');
  });

  it.each([
    [{ API_TOKENS: 'ada:operator:secret' }, 'API_TOKENS'],
    [{ REDIS_URL: 'redis://r' }, 'REDIS_URL'],
    [{ DATABASE_URL: 'postgres://p' }, 'DATABASE_URL'],
    [{ HOST: '0.0.0.0' }, 'HOST'],
  ])('is refused with %o, without repeating a secret', (environment, variable) => {
    const start = () => demoEnvironment(environment);
    expect(start).toThrow(ConfigError);
    expect(start).toThrow(variable);
    expect(start).not.toThrow('secret');
  });
});
