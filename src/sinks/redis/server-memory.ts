/**
 * Whether a server may have forgotten leases that were granted: it is another process than the one that was
 * spoken to before (restarted from an old snapshot, or a replica that took over), and its memory may be a
 * little older; or one never spoken to that runs since a moment ago. For a moment after such a change no lease may
 * grow, so that every source can claim its own.
 * Owned by one FleetRedis; its clock is monotonic.
 */
import type { Redis } from 'ioredis';
import { cutConnection } from './connection.ts';
import { GRACE_MS } from './lease-script.ts';

/** Others that spoke to a server's last process have found this one by then. */
export const YOUNG_SECONDS = 3;

interface Server {
  /** The process behind the last connection; '' until it told. */
  runId: string;
  /** False until a connection told which process it is, and from its end until the next one did. */
  identified: boolean;
  /** Steady ms until which it is doubted. */
  graceUntilMs: number;
}

export class ServerMemory {
  readonly #servers = new Map<string, Server>();
  readonly #watched = new WeakSet<Redis>();
  /** Servers that were asked which process they are. */
  readonly #asked = new Set<Promise<void>>();
  #begun = false;

  /**
   * Takes in which servers there are now. Those of the first flush are trusted unless they are young. One that
   * joins later, or comes back, is doubted for a moment.
   * @param servers by `host:port` in a cluster, by one fixed name otherwise
   */
  survey(servers: ReadonlyMap<string, Redis>): void {
    for (const place of this.#servers.keys()) if (!servers.has(place)) this.#servers.delete(place);
    for (const [place, connection] of servers) {
      const graceUntilMs = this.#begun ? graceEnd() : 0;
      if (!this.#servers.has(place)) this.#servers.set(place, { runId: '', identified: false, graceUntilMs });
      if (!this.#watched.has(connection)) this.#watch(place, connection);
    }
    if (servers.size > 0) this.#begun = true;
  }

  /** Whether leases on this server must not grow now. */
  isDoubted(place: string): boolean {
    const server = this.#servers.get(place);
    return server !== undefined && (!server.identified || performance.now() < server.graceUntilMs);
  }

  /** Resolves when every server that is there has told which process it is, or does not answer. */
  async told(): Promise<void> {
    await Promise.all(this.#asked);
  }

  #watch(place: string, connection: Redis): void {
    this.#watched.add(connection);
    this.#doubt(place);
    connection.on('close', () => this.#doubt(place));
    connection.on('ready', () => this.#identify(place, connection));
    if (connection.status === 'ready') this.#identify(place, connection);
  }

  #doubt(place: string): void {
    const server = this.#servers.get(place);
    if (server !== undefined) server.identified = false;
  }

  #identify(place: string, connection: Redis): void {
    const asked = connection.info('server').then(
      (text) => {
        const runId = /^run_id:(\w+)/m.exec(text)?.[1] ?? '';
        this.#identified(place, runId, Number(/^uptime_in_seconds:(\d+)/m.exec(text)?.[1] ?? 0));
      },
      () => cutConnection(connection),
    );
    this.#asked.add(asked);
    void asked.finally(() => this.#asked.delete(asked));
  }

  #identified(place: string, runId: string, uptimeSeconds: number): void {
    const server = this.#servers.get(place);
    if (server === undefined) return;
    const known = server.runId !== '';
    if (known ? server.runId !== runId : uptimeSeconds < YOUNG_SECONDS) server.graceUntilMs = graceEnd();
    server.runId = runId;
    server.identified = true;
  }
}

function graceEnd(): number {
  return performance.now() + GRACE_MS;
}
