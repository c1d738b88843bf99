/**
 * One soak: a fleet under mixed load, a fault in each period, and at its end, while nothing is on its way, the
 * comparison of everybody's figures. Owns the fleet; all of it is gone when it is closed.
 */
import { seededRandom } from '../../src/domain/seeded-random.ts';
import { TestFleet } from '../../test/support/fleet.ts';
import { pause } from '../../test/support/pod-wait.ts';
import { Bidders } from './bidders.ts';
import { Books, type Tally } from './books.ts';
import { castOf, createAll, type SoakCampaign } from './cast.ts';
import { Conservation } from './conservation.ts';
import { faultsOf } from './faults.ts';
import { Gauges } from './gauges.ts';
import { LiveWatch } from './live-watch.ts';
import { Operators } from './operators.ts';
import type { Options } from './options.ts';
import { Outages } from './outages.ts';
import { PodLine } from './pod-line.ts';
import type { PeriodRecord } from './report.ts';
import { Settlements } from './settlements.ts';

/** Kept on disk as docs/operations.md advises, so that only an emptied Redis has forgotten. */
const REDIS = ['appendonly yes', 'appendfsync everysec', 'maxmemory-policy noeviction'];
const PODS = { LOG_LEVEL: 'warn', RESERVATION_TTL_MS: 90_000, BREAKER_RECOVERY_MS: 15_000 };

export class Soak {
  readonly #options: Options;
  readonly #fleet: TestFleet;
  readonly #cast: readonly SoakCampaign[];
  readonly #books = new Books();
  readonly #outages = new Outages();
  readonly #lines: readonly PodLine[];
  readonly #bidders: Bidders;
  readonly #operators: Operators;
  readonly #watch: LiveWatch;
  readonly #conservation: Conservation;
  readonly #gauges: readonly Gauges[];
  /** What the pods logged at warn and above, line for line. */
  readonly log: string[] = [];
  #periods = 0;

  private constructor(options: Options, fleet: TestFleet, cast: readonly SoakCampaign[]) {
    this.#options = options;
    this.#fleet = fleet;
    this.#cast = cast;
    const [books, outages] = [this.#books, this.#outages];
    this.#lines = fleet.pods.map((pod, at) => new PodLine(at, pod, books, outages));
    const [first] = this.#lines;
    if (first === undefined) throw new Error('a soak wants a pod');
    const settlements = new Settlements(books);
    this.#bidders = new Bidders(this.#lines, cast, books, settlements, seededRandom(options.seed));
    this.#operators = new Operators(this.#lines, books, outages);
    this.#watch = new LiveWatch(first, books);
    this.#conservation = new Conservation(fleet, cast, books, this.#watch);
    this.#gauges = this.#lines.map((line) => new Gauges(line));
  }

  static async start(options: Options): Promise<Soak> {
    const fleet = await TestFleet.start(options.pods, PODS, undefined, { settings: REDIS });
    try {
      const cast = castOf(Date.now());
      await createAll(cast, fleet.pod(0));
      return new Soak(options, fleet, cast);
    } catch (error) {
      await fleet.remove();
      throw error;
    }
  }

  /** Load, a fault, and the comparison. */
  async period(): Promise<PeriodRecord> {
    const { rate, periodMs, outageMs } = this.#options;
    const sinceMs = performance.now();
    const before = { tally: { ...this.#books.tally }, micros: this.#books.totalMicros };
    const problemsBefore = this.#books.problems.length;
    const faults = faultsOf(this.#fleet, this.#outages, this.#options.faults);
    // The first period and one in each round is quiet.
    const fault = faults[(this.#periods % (faults.length + 1)) - 1];
    this.#periods++;
    this.#bidders.start(rate);
    this.#operators.start();
    await pause(periodMs / 6);
    this.#readLogs();
    await fault?.begin();
    await pause(outageMs);
    await fault?.end();
    await pause(Math.max(periodMs / 6, sinceMs + periodMs - performance.now()));
    await Promise.all([this.#bidders.stop(), this.#operators.stop()]);
    const comparison = await this.#conservation.compare();
    const record = {
      number: this.#periods,
      endedAtMs: Date.now(),
      seconds: (performance.now() - sinceMs) / 1000,
      fault: fault?.name ?? '-',
      tally: difference(this.#books.tally, before.tally),
      spentCents: (this.#books.totalMicros - before.micros) / 10_000,
      decisionMs: this.#books.takeLatencies(),
      comparison,
      pods: await Promise.all(this.#gauges.map((gauges) => gauges.take())),
      redisMb: await this.#redisMb(),
    };
    await this.#raise();
    this.#readLogs();
    return { ...record, problems: this.#books.problems.slice(problemsBefore) };
  }

  async close(): Promise<void> {
    this.#watch.close();
    for (const gauges of this.#gauges) gauges.close();
    await this.#bidders.stop().catch(() => undefined);
    await this.#operators.stop();
    for (const line of this.#lines) line.close();
    this.#readLogs();
    await this.#fleet.remove();
  }

  /** Campaigns that are kept at the brink of their budget get some more of it. */
  async #raise(): Promise<void> {
    for (const { id, raiseCents } of this.#cast) {
      if (raiseCents === 0) continue;
      const pod = this.#fleet.pod(0);
      const { body } = await pod.api.request<Record<string, number | null>>('GET', `/campaigns/${id}`);
      const { daily_budget_cents: daily, total_budget_cents: total } = body;
      const raised =
        total === null || total === undefined
          ? { new_daily_budget_cents: Number(daily) + raiseCents }
          : { new_daily_budget_cents: daily, new_total_budget_cents: total + raiseCents };
      const reply = await pod.api.request('POST', '/budget/adjust', { campaign_id: id, ...raised });
      if (reply.status !== 200)
        this.#books.problem(`a budget was not raised: ${reply.status} ${reply.text.slice(0, 200)}`);
    }
  }

  async #redisMb(): Promise<number> {
    const memory = await this.#fleet.redis.admin.info('memory');
    return Number(/used_memory:(\d+)/.exec(memory)?.[1]) / 2 ** 20;
  }

  #readLogs(): void {
    for (const [at, pod] of this.#fleet.pods.entries()) {
      const lines = pod.output.split('\n').filter((line) => line !== '');
      pod.output = '';
      for (const line of lines) this.log.push(`pod ${at}: ${line.slice(0, 2000)}`);
    }
  }
}

function difference(after: Tally, before: Tally): Tally {
  const entries = Object.entries(after) as [keyof Tally, number][];
  return Object.fromEntries(entries.map(([name, count]) => [name, count - before[name]])) as unknown as Tally;
}
