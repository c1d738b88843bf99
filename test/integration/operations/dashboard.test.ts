import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../support/deployment-files.ts';
import { TestFleet } from '../../support/fleet.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPrometheus } from '../../support/prometheus.ts';
import { ensureTool } from '../../support/system-tool.ts';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const DASHBOARD = 'docker/grafana/dashboards/budget-pacer.json';
const dashboard = JSON.parse(readText(DASHBOARD)) as { readonly panels: readonly Panel[] };

/** As Grafana fills its variables in, over as much time as the test has. */
function filledIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '30s').replaceAll('$campaign', '.*');
}

describe('a real Prometheus that scrapes a fleet under load', () => {
  let fleet: TestFleet;
  let prometheus: TestPrometheus;
  let bidding = true;
  let bidders: Promise<unknown> = Promise.resolve();

  beforeAll(async () => {
    await ensureTool('prometheus', 'prometheus');
    fleet = await TestFleet.start(2);
    await fleet.createCampaign({ id: 'steady', daily_budget_cents: 1_000_000 });
    await fleet.createCampaign({ id: 'small', daily_budget_cents: 100 });
    bidders = Promise.all(fleet.pods.map((_, at) => bid(at)));
    prometheus = await TestPrometheus.start(fleet.pods.map((pod) => pod.port));
  }, 400_000);
  afterAll(async () => {
    bidding = false;
    await bidders;
    await prometheus?.remove();
    await fleet?.remove();
  });

  /** Bids, wins, losses and batches at one pod, until the test ends. */
  async function bid(pod: number): Promise<void> {
    const bidder = fleet.pod(pod).bidder();
    for (let turn = 0; bidding; turn++) {
      const bidId = `${pod}-${turn}`;
      const campaign_id = turn % 2 === 0 ? 'steady' : 'small';
      const { allow_bid } = await bidder.decide(campaign_id, 10, bidId);
      if (allow_bid && turn % 3 === 0) await bidder.lose(campaign_id, bidId);
      else if (allow_bid) await bidder.spend({ campaign_id, spend_cents: 10, bid_id: bidId });
      if (turn % 10 === 0) await bidder.spendBatch([{ campaign_id: 'steady', spend_cents: 1 }]);
    }
    bidder.close();
  }

  it('has data for every expression of every panel', async () => {
    const empty = new Set<string>();
    await until(
      'every panel has data',
      async () => {
        empty.clear();
        for (const { title, targets = [] } of dashboard.panels) {
          for (const { expr } of targets) {
            const samples = await prometheus.query(filledIn(expr));
            if (!samples.some(({ value }) => value[1] !== 'NaN')) empty.add(`${title}: ${expr}`);
          }
        }
        return empty.size === 0;
      },
      50_000,
    ).catch(() => undefined);
    expect([...empty]).toEqual([]);
  });

  it('evaluates every alert, and none of them fires in a fleet that is well', async () => {
    const rules = await until('all rules were evaluated', async () => {
      const all = await prometheus.rules();
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(rules.length).toBeGreaterThan(0);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });

  it('is asked only for metrics that the pods have', async () => {
    const samples = await fleet.pod(0).core.metrics();
    const known = new Set([...samples.keys()].map((series) => series.replace(/\{.*$/, '')));
    const texts = [readText(DASHBOARD), readText('docker/prometheus/alerts.yml')].join('\n');
    const asked = new Set(texts.match(/\b(pacer|process|nodejs)_[a-z0-9_]+\b/g));
    expect(asked.size).toBeGreaterThan(20);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });
});
