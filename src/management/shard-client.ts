/** The management thread's line to the shards: numbered requests over ports, each answered or given up in time. */
import type { MessagePort } from 'node:worker_threads';
import { AppError } from '../domain/app-error.ts';
import type { Campaign, CampaignBrief } from '../domain/campaign.ts';
import { FLEET_SHAPE_ID, type StoredTraffic } from '../domain/stored-traffic.ts';
import type {
  ManagementToShard,
  ShardAnswer,
  ShardRequest,
  ShardToManagement,
} from '../messages/management-shard.ts';
import type { Shards } from '../messages/shards.ts';
import { hashId, shardOf } from '../table/hash.ts';

const ANSWER_MS = 5_000;
/** A shard that died is started anew within this time, so a change waits for it rather than fail. */
const RECONNECT_MS = 5_000;

type Answered = Extract<ShardAnswer, { readonly ok: true }>;

const NOTHING: Answered = { ok: true, body: null, refused: 0 };

interface Pending {
  readonly port: MessagePort;
  readonly resolve: (answer: ShardAnswer) => void;
}

export class ShardClient implements Shards {
  private readonly ports: (MessagePort | null)[];
  private readonly pending = new Map<number, Pending>();
  private readonly connecting = new Set<() => void>();
  private nextNumber = 1;

  constructor(shards: number) {
    this.ports = Array.from({ length: shards }, () => null);
  }

  connect(shard: number, port: MessagePort): void {
    this.ports[shard] = port;
    port.on('message', ({ number, answer }: ShardToManagement) => this.settle(number, answer));
    port.on('close', () => {
      if (this.ports[shard] === port) this.ports[shard] = null;
      for (const [number, pending] of this.pending) if (pending.port === port) this.settle(number, GONE);
    });
    for (const connected of [...this.connecting]) connected();
  }

  async announce(campaign: Campaign): Promise<void> {
    await this.ask(this.shardOf(campaign.id), { type: 'announce', campaign }).catch(() => undefined);
  }

  async upsert(campaign: Campaign): Promise<void> {
    await this.ask(this.shardOf(campaign.id), { type: 'upsert', campaign });
  }

  async upsertAll(campaigns: readonly Campaign[]): Promise<number> {
    const parts: Campaign[][] = this.ports.map(() => []);
    for (const campaign of campaigns) parts[this.shardOf(campaign.id)]?.push(campaign);
    const answers = await Promise.all(
      parts.map((part, shard) =>
        part.length === 0 ? NOTHING : this.ask(shard, { type: 'upsert-all', campaigns: part }),
      ),
    );
    return answers.reduce((sum, { refused }) => sum + refused, 0);
  }

  async status(campaignId: string, explained: boolean): Promise<string | null> {
    return (await this.ask(this.shardOf(campaignId), { type: 'status', campaignId, explained })).body;
  }

  async describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]> {
    const parts: string[][] = this.ports.map(() => []);
    for (const id of campaignIds) parts[this.shardOf(id)]?.push(id);
    const answers = await Promise.all(
      parts.map((part, shard) =>
        part.length === 0 ? NOTHING : this.ask(shard, { type: 'describe', campaignIds: part }),
      ),
    );
    return answers.flatMap(({ body }) => (body === null ? [] : (JSON.parse(body) as CampaignBrief[])));
  }

  async learn(shapes: readonly StoredTraffic[]): Promise<void> {
    await Promise.all(
      this.ports.map(async (_, shard) => {
        const own = shapes.filter(
          ({ campaignId }) => campaignId === FLEET_SHAPE_ID || this.shardOf(campaignId) === shard,
        );
        if (own.length > 0) await this.ask(shard, { type: 'learn', shapes: own });
      }),
    );
  }

  close(): void {
    for (const port of this.ports) port?.close();
  }

  private shardOf(campaignId: string): number {
    return shardOf(hashId(campaignId), this.ports.length);
  }

  private async ask(shard: number, request: ShardRequest): Promise<Answered> {
    const port = await this.portOf(shard);
    const answer = await new Promise<ShardAnswer>((resolve) => {
      const number = this.nextNumber++;
      const timer = setTimeout(() => this.settle(number, SILENT), ANSWER_MS);
      const settle = (answered: ShardAnswer): void => {
        clearTimeout(timer);
        resolve(answered);
      };
      this.pending.set(number, { port, resolve: settle });
      const message: ManagementToShard = { number, request };
      port.postMessage(message);
    });
    if (answer.ok) return answer;
    throw new AppError(answer.code, answer.message);
  }

  private async portOf(shard: number): Promise<MessagePort> {
    const deadline = performance.now() + RECONNECT_MS;
    for (;;) {
      const port = this.ports[shard] ?? null;
      if (port !== null) return port;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new AppError('unavailable', "the campaign's shard is starting; try again");
      await this.nextConnection(leftMs);
    }
  }

  private nextConnection(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.connecting.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, withinMs);
      this.connecting.add(settle);
    });
  }

  private settle(number: number, answer: ShardAnswer): void {
    const pending = this.pending.get(number);
    this.pending.delete(number);
    pending?.resolve(answer);
  }
}

const GONE: ShardAnswer = {
  ok: false,
  code: 'unavailable',
  message: "the campaign's shard was started anew; try again",
};
const SILENT: ShardAnswer = {
  ok: false,
  code: 'unavailable',
  message: `the campaign's shard did not answer within ${ANSWER_MS} ms; try again`,
};
