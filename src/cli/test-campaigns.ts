/** Campaigns that a command makes on a running pacer, and takes away again. */
import { type Answer, fieldOf, type ServiceClient } from './service-client.ts';

const KNOWN_DEADLINE_MS = 15_000;
const POLL_MS = 50;
/** Campaigns that are made or deleted at the same time. */
const AT_ONCE = 8;
/** What a token that asks too often waits. */
const HURRIED_MS = 1_000;
/** Through a load balancer each connection may meet another pod; so many at once have to know the campaign. */
const ASKED_AT_ONCE = 8;

/** A zone where it is about noon, so that no day ends meanwhile and plans have half a day before them. */
export function noonZone(nowMs: number): string {
  const offset = 12 - new Date(nowMs).getUTCHours();
  if (offset === 0) return 'UTC';
  // POSIX: Etc/GMT-3 is three hours ahead of UTC.
  return `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
}

/** Asks until the answer is neither undefined, null nor false. @throws Error that names what did not come */
export async function eventually<Found>(
  what: string,
  ask: () => Promise<Found | undefined | null | false>,
  deadlineMs = KNOWN_DEADLINE_MS,
): Promise<Found> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${deadlineMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Does it for each, some at once: in a fleet a new campaign takes two flushes to Redis. */
export async function someAtOnce(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const waiting = ids.values();
  const worker = async (): Promise<void> => {
    for (const id of waiting) await work(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export class TestCampaigns {
  private readonly core: ServiceClient;
  private readonly api: ServiceClient;
  private readonly created: string[] = [];

  constructor(core: ServiceClient, api: ServiceClient) {
    this.core = core;
    this.api = api;
  }

  /** @throws Error with the refusal */
  async create(id: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const campaign = { id, name: id, timezone: noonZone(Date.now()), ...fields };
    const { status, text } = await this.unhurried('POST', '/campaigns', campaign);
    if (status !== 201)
      throw new Error(`the campaign ${id} was not created: ${status} ${text.slice(0, 300)}`);
    this.created.push(id);
  }

  /** Waits until every pod that answers knows the campaign. */
  async known(id: string): Promise<void> {
    await eventually(`campaign ${id} on every pod`, async () => {
      const asked = Array.from({ length: ASKED_AT_ONCE }, () =>
        this.core.request('GET', `/budget/status/${id}`),
      );
      return (await Promise.all(asked)).every(({ status }) => status === 200);
    });
  }

  /** The campaign's budget status. */
  async status(id: string): Promise<Readonly<Record<string, unknown>>> {
    const { status, body, text } = await this.core.request('GET', `/budget/status/${id}`);
    if (status !== 200 || fieldOf(body, 'campaign_id') !== id) {
      throw new Error(`the status of ${id} was answered ${status} ${text.slice(0, 300)}`);
    }
    return body as Readonly<Record<string, unknown>>;
  }

  /** Marks all of them DELETED; says which it could not. */
  async remove(): Promise<readonly string[]> {
    const left: string[] = [];
    await someAtOnce(this.created.splice(0), async (id) => {
      const answer = await this.unhurried('DELETE', `/campaigns/${id}`).catch(() => null);
      if (answer === null || answer.status >= 300) left.push(id);
    });
    return left;
  }

  /** Asks again for as long as the answer is that this token asks too often. */
  private async unhurried(method: string, path: string, body?: object): Promise<Answer> {
    for (;;) {
      const answer = await this.api.request(method, path, body);
      if (answer.status !== 429) return answer;
      await new Promise((resolve) => setTimeout(resolve, HURRIED_MS));
    }
  }
}
