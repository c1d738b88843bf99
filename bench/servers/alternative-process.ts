/**
 * Entry of the usual alternative: Fastify on one thread, whose every request runs a script in Redis. Written as
 * one would for production: schemas compile the checks and the answers, the scripts are called by their digest,
 * and commands of one turn of the event loop share a pipeline. It tells its port over IPC.
 */
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { ALLOWED, campaignKey, DECIDE, OUTCOMES, SPEND } from './alternative-scripts.ts';

const MICROS_A_CENT = 10_000;
const RATE_STEPS = 10_000;

interface Scripts {
  decide(key: string, bidMicros: number): Promise<readonly [number, number, number]>;
  spend(key: string, spendMicros: number): Promise<number>;
}

interface DecisionBody {
  readonly campaign_id: string;
  readonly bid_cents: number;
}

interface SpendBody {
  readonly campaign_id: string;
  readonly spend_cents: number;
}

const campaignId = { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' };
const decisionSchema = {
  body: {
    type: 'object',
    required: ['campaign_id', 'bid_cents'],
    properties: { campaign_id: campaignId, bid_cents: { type: 'number', exclusiveMinimum: 0 } },
  },
  response: {
    200: {
      type: 'object',
      properties: {
        allow_bid: { type: 'boolean' },
        max_bid_cents: { type: 'number' },
        throttle_rate: { type: 'number' },
        reason: { type: 'string' },
      },
    },
  },
};
const spendSchema = {
  body: {
    type: 'object',
    required: ['campaign_id', 'spend_cents'],
    properties: { campaign_id: campaignId, spend_cents: { type: 'number', minimum: 0 } },
  },
  response: { 200: { type: 'object', properties: { status: { type: 'string' } } } },
};

const redis = new Redis({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  enableAutoPipelining: true,
  scripts: { decide: { lua: DECIDE, numberOfKeys: 1 }, spend: { lua: SPEND, numberOfKeys: 1 } },
});
// ioredis adds the scripts as methods that its own type does not name.
const scripts = redis as unknown as Scripts;

const app = fastify({ logger: false });
app.post<{ Body: DecisionBody }>('/pacing/decision', { schema: decisionSchema }, async ({ body }) => {
  const bidMicros = Math.round(body.bid_cents * MICROS_A_CENT);
  const [outcome, micros, rate] = await scripts.decide(campaignKey(body.campaign_id), bidMicros);
  return {
    allow_bid: outcome === ALLOWED,
    max_bid_cents: micros / MICROS_A_CENT,
    throttle_rate: rate / RATE_STEPS,
    reason: OUTCOMES[outcome],
  };
});
app.post<{ Body: SpendBody }>('/spend/track', { schema: spendSchema }, async ({ body }, reply) => {
  const known = await scripts.spend(
    campaignKey(body.campaign_id),
    Math.round(body.spend_cents * MICROS_A_CENT),
  );
  if (known === 1) return { status: 'success' };
  return reply.code(404).send({ status: 'unknown campaign' });
});

const end = (): void => {
  void app.close().then(() => {
    redis.disconnect();
    if (process.connected) process.disconnect();
  });
};
process.once('SIGTERM', end);
process.once('disconnect', end);
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port });
