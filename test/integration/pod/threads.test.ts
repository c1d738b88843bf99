import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { crashThread, INSPECTED } from '../../support/pod-crash.ts';
import { Bidder } from '../../support/pod-http.ts';
import { SpendLoad } from '../../support/pod-load.ts';
import { until } from '../../support/pod-wait.ts';

const IDS = Array.from({ length: 8 }, (_, at) => `load-${at}`);

describe('a thread that dies of a bug', () => {
  let pod: TestPod;
  const load = new SpendLoad(IDS);

  beforeAll(async () => {
    pod = await TestPod.start({ nodeArguments: INSPECTED, env: { EDGE_THREADS: 2, SHARDS: 2 } });
    for (const id of IDS) await pod.createCampaign({ id, daily_budget_cents: 1_000_000_000 });
  });
  afterAll(() => pod.remove());

  const ends = (): number => pod.output.split('"msg":"a thread ended; it is started anew"').length - 1;

  /** Crashes a thread under load; resolves when it is back. */
  async function crash(name: string, meanwhile: () => Promise<unknown>): Promise<void> {
    const { pid } = pod;
    const before = ends();
    load.start(pod, { bidders: 8, reconnect: true });
    const some = load.answers + 100;
    await until('spends are answered', () => load.answers > some);
    await crashThread(pod, name);
    await until(`${name} has ended`, () => ends() > before);
    await meanwhile();
    await pod.ready();
    const more = load.answers + 200;
    await until('spends are answered again', () => load.answers > more);
    await load.stop();
    expect(pod.pid).toBe(pid);
    expect(await load.check(pod)).toEqual([]);
  }

  /** A decision over a connection of its own, tried again when the connection is lost with its edge. */
  async function decides(): Promise<void> {
    await until('a bid is decided', async () => {
      const bidder = new Bidder(pod.port);
      const decision = await bidder.decide('load-0', 1).catch(() => null);
      bidder.close();
      return decision?.allow_bid;
    });
  }

  it('as an edge is replaced while the other edge serves, and no answered spend is lost', async () => {
    for (let round = 0; round < 2; round++) await crash('edge-thread', decides);
  });

  it('as a shard is replaced from the ledger, and no answered spend is lost', async () => {
    for (let round = 0; round < 3; round++) await crash('shard-thread', decides);
  });

  it('as management is replaced while bidders are served without a gap', async () => {
    await crash('management-thread', async () => {
      for (let asked = 0; asked < 50; asked++)
        expect((await pod.core.decide('load-0', 1)).allow_bid).toBe(true);
    });
    expect((await pod.api.request('GET', '/campaigns/load-0')).status).toBe(200);
    await pod.createCampaign({ id: 'after-management', daily_budget_cents: 100 });
    expect((await pod.core.decide('after-management', 1)).reason).toBe('within_budget');
    expect((await pod.core.metrics()).size).toBeGreaterThan(0);
  });

  it('as the embedded database is replaced, keeps its campaigns, and takes changes again', async () => {
    await crash('database-thread', async () => {
      for (let asked = 0; asked < 50; asked++)
        expect((await pod.core.decide('load-1', 1)).allow_bid).toBe(true);
    });
    await until('a change is accepted', async () => {
      const reply = await pod.api
        .request('PATCH', '/campaigns/load-1', { name: 'renamed' })
        .catch(() => null);
      return reply?.status === 200;
    });
    const list = await pod.api.request<{ id: string }[]>('GET', '/campaigns');
    expect(list.body.map(({ id }) => id).sort()).toEqual([...IDS, 'after-management'].sort());
  });

  it('takes no budget with it, nor gives any out twice: what is allowed around crashes stays in the budget', async () => {
    await pod.createCampaign({ id: 'small', daily_budget_cents: 3000, breaker_threshold: 1 });
    let allowedCents = 0;
    let bidding = true;
    const bidders = Array.from({ length: 6 }, async (_, at) => {
      let bidder = new Bidder(pod.port);
      for (let turn = 0; bidding; turn++) {
        const decision = await bidder
          .decide('small', 7, turn % 2 === 0 ? `${at}-${turn}` : undefined)
          .catch(() => null);
        if (decision === null) {
          bidder.close();
          bidder = new Bidder(pod.port);
          continue;
        }
        allowedCents += decision.max_bid_cents;
        if (!decision.allow_bid) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      bidder.close();
    });
    await until('bids are allowed', () => allowedCents > 200);
    for (const name of ['shard-thread', 'edge-thread', 'shard-thread']) {
      const before = ends();
      await crashThread(pod, name);
      await until(`${name} has ended`, () => ends() > before);
      await pod.ready();
    }
    bidding = false;
    await Promise.all(bidders);
    expect(allowedCents).toBeGreaterThan(200);
    expect(allowedCents).toBeLessThanOrEqual(3000);
    const status = await pod.core.status('small');
    expect(status.daily_spent_cents + status.reserved_cents).toBeLessThanOrEqual(3000);
    expect(status.reserved_cents).toBeGreaterThanOrEqual(allowedCents);
  });

  it('does not keep the pod from stopping in order', async () => {
    await crash('edge-thread', decides);
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
  });
});
