import { afterEach, expect, it, vi } from 'vitest';
import { type Answer, ServiceClient } from '../../../src/cli/service-client.ts';
import { TestCampaigns } from '../../../src/cli/test-campaigns.ts';
import { allowedBid } from '../../../src/cli/validate/bidder.ts';

const ADDRESS = { url: 'http://127.0.0.1:1', token: null };

/** A core service that denies each bid. */
class Denying extends ServiceClient {
  override request(): Promise<Answer> {
    const body = { allow_bid: false, reason: 'throttled', warning: 'Operating in degraded mode' };
    return Promise.resolve({ status: 200, body, text: JSON.stringify(body), milliseconds: 1 });
  }
}

afterEach(() => {
  vi.useRealTimers();
});

it('says that the pod is degraded when no bid is allowed', async () => {
  vi.useFakeTimers();
  const core = new Denying(ADDRESS);
  const campaigns = new TestCampaigns(core, core);
  const system = { core, api: core, coreAddress: ADDRESS, campaigns, prefix: 'p' };
  const asked = expect(allowedBid(system, 'c', 100, 'b')).rejects.toThrow(
    'no bid of c is allowed: throttled (Operating in degraded mode)',
  );
  await vi.advanceTimersByTimeAsync(20_000);
  await asked;
});
