import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import type { HourTotals } from '../../../src/sinks/postgres/history-rows.ts';
import { HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { HOUR_START_MS, someHour } from '../../support/history.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const UNAVAILABLE = { name: 'AppError', code: 'unavailable' };

describe('history while Postgres fails', () => {
  let server: TestPostgres;
  let sql: Sql;
  let history: HistoryStore;

  beforeAll(async () => {
    server = await TestPostgres.start();
    sql = openPostgres({ url: server.url });
    await migrate(sql);
    history = new HistoryStore({ url: server.url }, { statementTimeoutMs: 300 });
  });
  afterAll(async () => {
    await history.close();
    await closePostgres(sql);
    await server.remove();
  });
  beforeEach(() => sql`TRUNCATE spend_hourly`);

  const spentMicros = async (): Promise<number> => {
    const [row] = await sql<{ spent: number }[]>`
      SELECT coalesce(sum(spend_micros), 0)::bigint AS spent FROM spend_hourly`;
    return row?.spent ?? 0;
  };
  /** What a pod does: it writes what its ledger has until that is answered. */
  const written = (hours: readonly HourTotals[], to = history) =>
    until('the hours are written', () =>
      to.writeHours(hours).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject(UNAVAILABLE);
          return false;
        },
      ),
    );

  it('has every row once after two crashes in the middle of 10,000 rows, written by two pods', async () => {
    const other = new HistoryStore({ url: server.url });
    const hoursOf = (source: string, spendMicros: number) =>
      Array.from({ length: 10_000 }, (_none, at) => someHour({ campaignId: `c${at}`, source, spendMicros }));
    await history.writeHours(hoursOf('pod-a', 1));
    for (const spendMicros of [2, 3]) {
      const writes = [written(hoursOf('pod-a', spendMicros)), written(hoursOf('pod-b', spendMicros), other)];
      await until('some rows are written', async () => {
        const [row] = await sql`SELECT 1 FROM spend_hourly WHERE spend_micros = ${spendMicros} LIMIT 1`;
        return row !== undefined;
      });
      await server.stop('SIGKILL');
      await server.resume();
      await Promise.all(writes);
      await until('the reader is connected again', () => spentMicros().catch(() => false));
      expect(await spentMicros()).toBe(2 * 10_000 * spendMicros);
    }
    await other.close();
  });

  it('says so while the database is read-only, and writes again when it is not', async () => {
    await history.writeHours([someHour({ spendMicros: 1 })]);
    await sql`ALTER SYSTEM SET default_transaction_read_only = on`;
    await sql`SELECT pg_reload_conf()`;
    const second = [someHour({ spendMicros: 2 })];
    await until('writes are refused', async () => {
      const error = await history.writeHours(second).catch((reason: unknown) => reason);
      if (error !== undefined) expect(error).toMatchObject(UNAVAILABLE);
      return error !== undefined;
    });
    const day = { countedFromMs: 0, hourStartMs: HOUR_START_MS };
    const asked = { campaignId: 'camp-001', ...day };
    expect(await history.spentBySource([asked])).toHaveLength(1);
    await sql`ALTER SYSTEM RESET default_transaction_read_only`;
    await sql`SELECT pg_reload_conf()`;
    await written(second);
    expect(await spentMicros()).toBe(2);
  });

  it('does not wait for a locked table longer than its statement timeout', async () => {
    await sql.begin(async (transaction) => {
      await transaction`LOCK TABLE spend_hourly IN ACCESS EXCLUSIVE MODE`;
      await expect(history.writeHours([someHour()])).rejects.toMatchObject(UNAVAILABLE);
    });
    await history.writeHours([someHour({ spendMicros: 3 })]);
    expect(await spentMicros()).toBe(3);
  });

  it('gives up a connection that fell silent, and goes on with another', async () => {
    const wire = await SilentWire.to(server.url);
    const remote = new HistoryStore({ url: wire.url }, { statementTimeoutMs: 300 });
    await remote.writeHours([someHour({ spendMicros: 1 })]);
    wire.silence();
    await expect(remote.writeHours([someHour({ spendMicros: 2 })])).rejects.toMatchObject(UNAVAILABLE);
    wire.speak();
    await remote.writeHours([someHour({ spendMicros: 3 })]);
    expect(await spentMicros()).toBe(3);
    expect(wire.connections).toBe(2);
    await remote.close();
    await wire.close();
  });

  it('answers nothing any more once it is closed', async () => {
    const closing = new HistoryStore({ url: server.url });
    await closing.writeHours([someHour()]);
    await closing.close();
    await expect(closing.writeHours([someHour()])).rejects.toMatchObject(UNAVAILABLE);
  });
});

/** A wire to a server that can fall silent: connections made until then stay open and carry nothing more. */
class SilentWire {
  connections = 0;
  readonly #pairs: [Socket, Socket][] = [];
  readonly #server: Server;
  readonly #target: URL;
  #silent = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((inner) => this.#connect(inner));
  }

  static async to(url: string): Promise<SilentWire> {
    const wire = new SilentWire(new URL(url));
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  silence(): void {
    this.#silent = true;
    for (const [inner, outer] of this.#pairs) {
      inner.unpipe(outer);
      outer.unpipe(inner);
      inner.pause();
    }
  }

  speak(): void {
    this.#silent = false;
  }

  close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #connect(inner: Socket): void {
    this.connections++;
    const outer = connect(Number(this.#target.port), '127.0.0.1');
    this.#pairs.push([inner, outer]);
    for (const socket of [inner, outer]) socket.on('error', () => {});
    if (this.#silent) return;
    inner.pipe(outer);
    outer.pipe(inner);
  }
}
