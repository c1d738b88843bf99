/**
 * Whether a server may have forgotten leases that were granted: it is another process than the one that was
 * spoken to before (restarted from an old snapshot, or a replica that took over), and its memory may be a
 * little older. For a moment after such a change no lease may grow, so that every source can claim its own.
 * Owned by one FleetRedis; its clock is monotonic.
 */
import type { Redis } from 'ioredis';
import { cutConnection } from './connection.ts';
import { GRACE_MS } from './lease-script.ts';

interface Server {
  /** The process behind the last connection; '' until it told. */
  runId: string;
  /** False from the end of a connection until the next one told whether it is the same process. */
  identified: boolean;
  /** Steady ms until which it is doubted. */
  graceUntilMs: number;
}

export class ServerMemory {
  readonly #servers = new Map<string, Server>();
  readonly #watched = new WeakSet<Redis>();
  #begun = false;

  /**
   * Takes in which servers there are now. Those of the first flush are trusted: this source holds no lease of
   * others. One that joins later, or comes back, is doubted for a moment.
   * @param servers by `host:port` in a cluster, by one fixed name otherwise
   */
  survey(servers: ReadonlyMap<string, Redis>): void {
    for (const place of this.#servers.keys()) if (!servers.has(place)) this.#servers.delete(place);
    for (const [place, connection] of servers) {
      const graceUntilMs = this.#begun ? graceEnd() : 0;
      if (!this.#servers.has(place)) this.#servers.set(place, { runId: '', identified: true, graceUntilMs });
      if (!this.#watched.has(connection)) this.#watch(place, connection);
    }
    if (servers.size > 0) this.#begun = true;
  }

  /** Whether leases on this server must not grow now. */
  isDoubted(place: string): boolean {
    const server = this.#servers.get(place);
    return server !== undefined && (!server.identified || performance.now() < server.graceUntilMs);
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
    if (server !== undefined && server.runId !== '') server.identified = false;
  }

  #identify(place: string, connection: Redis): void {
    connection.info('server').then(
      (text) => this.#identified(place, /^run_id:(\w+)/m.exec(text)?.[1] ?? ''),
      () => cutConnection(connection),
    );
  }

  #identified(place: string, runId: string): void {
    const server = this.#servers.get(place);
    if (server === undefined) return;
    if (server.runId !== '' && server.runId !== runId) server.graceUntilMs = graceEnd();
    server.runId = runId;
    server.identified = true;
  }
}

function graceEnd(): number {
  return performance.now() + GRACE_MS;
}
