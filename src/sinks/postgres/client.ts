/**
 * The connection to Postgres, real or embedded, and the rule that turns its failures into values:
 * whatever says "the database cannot serve now" becomes AppError `unavailable`, anything else is a bug.
 * Every wait is bounded, and the password of a DATABASE_URL appears in no message.
 */
import postgres from 'postgres';
import { AppError } from '../../domain/app-error.ts';

/** A real server by URL, or the embedded one by the unix socket it listens on. */
export type PostgresAddress = { readonly url: string } | { readonly socketPath: string };

/** postgres.js with bigint columns as exact numbers. */
export type Sql = postgres.Sql<{ bigint: number }>;

export type TransactionSql = postgres.TransactionSql<{ bigint: number }>;

export interface PostgresOptions {
  /** Most connections at once; 5 when absent. */
  readonly connectionsMax?: number;
  /** Bound of one statement on the server, and a little later on the client; 10,000 when absent. */
  readonly statementTimeoutMs?: number;
  /** Connections stay open while they are idle, as one that listens must. */
  readonly keepOpen?: boolean;
  /** A notification arrived on one of the connections. */
  readonly onNotify?: (channel: string, payload: string) => void;
  /** One of the connections ended, or could not be made. */
  readonly onClose?: () => void;
}

/** The cause of `unavailable` when nothing was answered in time: the connection may be dead. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

const CONNECTIONS_MAX = 5;
const CONNECT_TIMEOUT_SECONDS = 5;
const IDLE_TIMEOUT_SECONDS = 60;
const RECONNECT_DELAY_SECONDS = 0.2;
const STATEMENT_TIMEOUT_MS = 10_000;
const BIGINT_OID = 20;

/** How much later than the server the client gives up, so that the server's own answer usually wins. */
const ANSWER_MARGIN_MS = 2_000;

/** SQLSTATE classes and codes of a server that cannot serve now, though the statement is right. */
const SQLSTATE_UNAVAILABLE = /^(?:08|28|3D|40|53|57|58)|^25006$|^55P03$/;

/** Codes of Node's sockets and resolver, and of postgres.js itself. */
const CONNECTION_LOST =
  /^(?:E(?:CONN|PIPE|TIMEDOUT|NOTFOUND|HOST|NET|ADDRNOTAVAIL|ACCES|NOENT|MFILE|NFILE)|ENOENT$|EAI_|CONNECTION_|CONNECT_TIMEOUT|ERR_SOCKET|ERR_TLS|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/;

/**
 * Opens a lazy pool: nothing connects before the first query.
 * @throws AppError `invalid_request` when the URL is not one; the message does not repeat it.
 */
export function openPostgres(address: PostgresAddress, options: PostgresOptions = {}): Sql {
  const settings = {
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    ...(options.keepOpen === true
      ? { idle_timeout: 0, max_lifetime: 0 }
      : { idle_timeout: IDLE_TIMEOUT_SECONDS }),
    // The default backs off to 20 s, which would keep campaign changes refused long after a restart.
    backoff: () => RECONNECT_DELAY_SECONDS,
    onnotice: () => {},
    onnotify: options.onNotify,
    onclose: () => options.onClose?.(),
    connection: {
      application_name: 'budget-pacer',
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    },
    types: { bigint: { to: BIGINT_OID, from: [BIGINT_OID], parse: exactNumber, serialize: String } },
  };
  if ('socketPath' in address) {
    return postgres({ ...settings, path: address.socketPath, username: 'postgres', database: 'postgres' });
  }
  try {
    return postgres(address.url, settings);
  } catch {
    // The cause is left out on purpose: it carries the URL, and with it the password.
    throw new AppError('invalid_request', 'DATABASE_URL must be postgres://user:password@host:port/database');
  }
}

/** Ends the pool: statements under way get `graceMs`, then their connections are cut. */
export async function closePostgres(sql: Sql, graceMs = 2_000): Promise<void> {
  await sql.end({ timeout: graceMs / 1_000 });
}

/** Where an address points, for logs: host, port and database, never a user or a password. */
export function describeAddress(address: PostgresAddress): string {
  if ('socketPath' in address) return `embedded at ${address.socketPath}`;
  if (!URL.canParse(address.url)) return 'an invalid URL';
  const { host, pathname } = new URL(address.url);
  return `${host}${pathname}`;
}

/**
 * Awaits a statement or a transaction, for a bounded time.
 * @throws AppError `unavailable` when the database cannot be reached, refuses to serve, or does not answer
 *   in time. After that last case the statement may still have taken effect.
 */
export async function answered<T>(statement: PromiseLike<T>, timeoutMs = STATEMENT_TIMEOUT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable(new Silence())), timeoutMs + ANSWER_MARGIN_MS);
  });
  try {
    return await Promise.race([statement, deadline]);
  } catch (error) {
    throw isUnavailable(error) ? unavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The SQLSTATE of a statement the server refused, or '' for any other error. */
export function sqlStateOf(error: unknown): string {
  return error instanceof postgres.PostgresError ? error.code : '';
}

function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'the campaign database cannot be reached; try again', undefined, cause);
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof AppError || !(error instanceof Error)) return false;
  if (error instanceof postgres.PostgresError) return SQLSTATE_UNAVAILABLE.test(error.code);
  // Several addresses of one host that all refuse arrive as one AggregateError with a code of its own.
  return 'code' in error && typeof error.code === 'string' && CONNECTION_LOST.test(error.code);
}

/** Parses a bigint; one that a float64 cannot hold exactly is a bug, since every column bounds its values. */
function exactNumber(text: string): number {
  const value = Number(text);
  if (String(value) !== text) throw new RangeError('bigint out of range');
  return value;
}
