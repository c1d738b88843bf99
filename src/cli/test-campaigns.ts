/** Campaigns that a command makes on a running pacer, and takes away again. */
import { fieldOf, type ServiceClient } from './service-client.ts';

const KNOWN_DEADLINE_MS = 15_000;
const POLL_MS = 50;
/** Through a load balancer each question may meet another pod; so many in a row have to know the campaign. */
const ASKED_IN_A_ROW = 8;

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
    const { status, text } = await this.api.request('POST', '/campaigns', campaign);
    if (status !== 201)
      throw new Error(`the campaign ${id} was not created: ${status} ${text.slice(0, 300)}`);
    this.created.push(id);
  }

  /** Waits until every pod that answers knows the campaign. */
  async known(id: string): Promise<void> {
    let inARow = 0;
    await eventually(`campaign ${id} on every pod`, async () => {
      const { status } = await this.core.request('GET', `/budget/status/${id}`);
      inARow = status === 200 ? inARow + 1 : 0;
      return inARow >= ASKED_IN_A_ROW;
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
    for (const id of this.created.splice(0)) {
      const answer = await this.api.request('DELETE', `/campaigns/${id}`).catch(() => null);
      if (answer === null || answer.status >= 300) left.push(id);
    }
    return left;
  }
}
