/**
 * The comparison: while nothing is on its way, what was answered as counted, what the ledgers hold, what Redis and
 * Postgres were told, what each pod says and what the WebSocket showed must be the same, to the micro; and no campaign
 * that is bid on may stand above its budget.
 */
import type { TestFleet } from '../../test/support/fleet.ts';
import type { BudgetStatus } from '../../test/support/pod-http.ts';
import { pause } from '../../test/support/pod-wait.ts';
import { type Books, microsOf } from './books.ts';
import type { SoakCampaign } from './cast.ts';
import { lookIntoLedger } from './ledger-look.ts';
import type { LiveWatch } from './live-watch.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 100;

export interface Comparison {
  /** From the last answer until all agreed. */
  readonly agreedAfterMs: number;
  /** Who differs, in words; none when all agree. */
  readonly differences: readonly string[];
  readonly overspent: readonly string[];
  /** Who differed when they were last asked before they agreed. */
  readonly lastToAgree: readonly string[];
}

interface Status extends BudgetStatus {
  readonly total_budget_cents: number | null;
}

type Voice = readonly [name: string, micros: ReadonlyMap<string, number>];

export class Conservation {
  readonly #fleet: TestFleet;
  readonly #cast: readonly SoakCampaign[];
  readonly #books: Books;
  readonly #watch: LiveWatch;

  constructor(fleet: TestFleet, cast: readonly SoakCampaign[], books: Books, watch: LiveWatch) {
    this.#fleet = fleet;
    this.#cast = cast;
    this.#books = books;
    this.#watch = watch;
  }

  /** Compares until all agree, or in vain until a deadline. */
  async compare(): Promise<Comparison> {
    const sinceMs = performance.now();
    let lastToAgree: readonly string[] = [];
    for (;;) {
      const last = await this.#look().catch((error: unknown) => ({
        differences: [`they could not be asked: ${String(error)}`],
        overspent: [],
      }));
      const agreedAfterMs = performance.now() - sinceMs;
      const isOver = last.overspent.length > 0;
      if (last.differences.length === 0 || isOver || agreedAfterMs > DEADLINE_MS) {
        return { agreedAfterMs, lastToAgree, ...last };
      }
      lastToAgree = last.differences;
      await pause(POLL_MS);
    }
  }

  async #look(): Promise<Omit<Comparison, 'agreedAfterMs' | 'lastToAgree'>> {
    const { pods } = this.#fleet;
    const statuses = await Promise.all(pods.map((_, at) => this.#statusesOf(at)));
    const voices: Voice[] = [
      ['the ledgers', await this.#inLedgers()],
      ['Redis', await this.#inRedis()],
      ['Postgres', await this.#inPostgres()],
      ...statuses.map((of, at): Voice => [`pod ${at}`, mapped(of, (each) => each.total_spent_cents)]),
    ];
    const differences = this.#cast.flatMap(({ id }) => this.#differences(id, voices));
    const first = statuses[0] ?? new Map<string, Status>();
    return {
      differences: [...differences, ...this.#unseen(first)],
      overspent: statuses.flatMap((of, at) => this.#overspent(at, of)),
    };
  }

  #differences(id: string, voices: readonly Voice[]): string[] {
    const answered = this.#books.answeredMicros(id);
    return voices
      .filter(([, spent]) => (spent.get(id) ?? 0) !== answered)
      .map(([name, spent]) => `${id}: ${name} has ${spent.get(id) ?? 0} where ${answered} was answered`);
  }

  /** What the WebSocket of the first pod showed otherwise than its status. */
  #unseen(statuses: ReadonlyMap<string, Status>): string[] {
    return this.#cast.flatMap(({ id }) => {
      const said = microsOf(statuses.get(id)?.daily_spent_cents ?? 0);
      const seen = this.#watch.spentMicros(id);
      return seen === said ? [] : [`${id}: the WebSocket showed ${seen} where ${said} was spent in the day`];
    });
  }

  #overspent(at: number, statuses: ReadonlyMap<string, Status>): string[] {
    return [...statuses.values()].flatMap((status) => {
      const { campaign_id: id, daily_spent_cents: day, total_spent_cents: total } = status;
      const isOver = day > status.daily_budget_cents || total > (status.total_budget_cents ?? total);
      return isOver ? [`${id}: pod ${at} has ${day} of the day and ${total} in all: above its budget`] : [];
    });
  }

  async #statusesOf(at: number): Promise<ReadonlyMap<string, Status>> {
    const pod = this.#fleet.pod(at);
    const statuses = await Promise.all(this.#cast.map(({ id }) => pod.core.status(id)));
    return new Map(statuses.map((status) => [status.campaign_id, status as Status]));
  }

  async #inLedgers(): Promise<ReadonlyMap<string, number>> {
    const looks = await Promise.all(this.#fleet.pods.map(({ dataDir }) => lookIntoLedger(dataDir)));
    return new Map(
      this.#cast.map(({ id }) => [
        id,
        looks.reduce((sum, { spentMicros }) => sum + (spentMicros.get(id) ?? 0), 0),
      ]),
    );
  }

  async #inRedis(): Promise<ReadonlyMap<string, number>> {
    const amounts = await Promise.all(this.#cast.map(({ id }) => this.#fleet.inRedis(id)));
    return new Map(this.#cast.map(({ id }, at) => [id, microsOf(amounts[at] ?? 0)]));
  }

  async #inPostgres(): Promise<ReadonlyMap<string, number>> {
    const amounts = await Promise.all(this.#cast.map(({ id }) => this.#fleet.inPostgres(id)));
    return new Map(this.#cast.map(({ id }, at) => [id, microsOf(amounts[at] ?? 0)]));
  }
}

function mapped(
  statuses: ReadonlyMap<string, Status>,
  cents: (status: Status) => number,
): ReadonlyMap<string, number> {
  return new Map([...statuses].map(([id, status]) => [id, microsOf(cents(status))]));
}
