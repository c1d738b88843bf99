/**
 * Who a request comes from: the holder of a bearer token, or of the session that a token began. Tokens are
 * compared by their SHA-256 digests, in constant time, against every one that there is.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ANONYMOUS, type ApiRole, type ApiToken, digestOf } from '../config/api-tokens.ts';
import { AppError } from '../domain/app-error.ts';
import { SESSION_SECONDS, Sessions } from './sessions.ts';

export interface Holder {
  readonly name: string;
  readonly role: ApiRole;
}

export interface Caller extends Holder {
  /** By what the caller is known: only a cookie is sent by a browser on its own. */
  readonly by: 'token' | 'session' | 'nothing';
}

const COOKIE = 'pacer_session';
const COOKIE_PATTERN = /(?:^|;)\s*pacer_session=([A-Za-z0-9_-]{43})\s*(?:;|$)/;
const BEARER = /^bearer +(\S+)$/i;

/** Whoever comes while there are no tokens. */
const NOBODY: Caller = { name: ANONYMOUS, role: 'operator', by: 'nothing' };

export class Credentials {
  readonly #tokens: readonly { readonly holder: Holder; readonly digest: Buffer }[];
  readonly #sessions = new Sessions();

  constructor(tokens: readonly ApiToken[]) {
    this.#tokens = tokens.map(({ name, role, digest }) => ({
      holder: { name, role },
      digest: Buffer.from(digest, 'hex'),
    }));
  }

  /** Whether anybody is asked at all. */
  get required(): boolean {
    return this.#tokens.length > 0;
  }

  /**
   * The caller behind a request, or behind a WebSocket's upgrade. A header is looked at before a cookie.
   * @throws AppError `unauthorized` when credentials are wanted, and missing or wrong.
   */
  callerOf(headers: IncomingHttpHeaders, nowMs: number): Caller {
    if (!this.required) return NOBODY;
    if (headers.authorization !== undefined) {
      const token = BEARER.exec(headers.authorization)?.[1];
      const holder = token === undefined ? null : this.#holderOf(token);
      if (holder !== null) return { ...holder, by: 'token' };
      throw new AppError(
        'unauthorized',
        'the Authorization header has no token of API_TOKENS: send Bearer …',
      );
    }
    const id = sessionIdOf(headers);
    const holder = id === null ? null : this.#sessions.holderOf(id, nowMs);
    if (holder !== null) return { ...holder, by: 'session' };
    throw new AppError('unauthorized', 'this port wants Authorization: Bearer with a token, or a login');
  }

  /** Begins a session. @throws AppError `unauthorized`, or `not_found` when there are no tokens. */
  login(token: string, nowMs: number): { readonly holder: Holder; readonly sessionId: string } {
    if (!this.required) throw new AppError('not_found', 'nobody is asked for credentials: there is no login');
    const holder = this.#holderOf(token);
    if (holder === null) throw new AppError('unauthorized', 'this is no token of API_TOKENS', 'token');
    return { holder, sessionId: this.#sessions.begin(holder, nowMs) };
  }

  logout(headers: IncomingHttpHeaders): void {
    const id = sessionIdOf(headers);
    if (id !== null) this.#sessions.end(id);
  }

  /** Compares with every token whatever the first ones say. */
  #holderOf(token: string): Holder | null {
    const given = digestOf(token);
    let found: Holder | null = null;
    for (const { holder, digest } of this.#tokens) if (timingSafeEqual(given, digest)) found = holder;
    return found;
  }
}

export function sessionIdOf(headers: IncomingHttpHeaders): string | null {
  return COOKIE_PATTERN.exec(headers.cookie ?? '')?.[1] ?? null;
}

/** The Set-Cookie header of a session; an empty id ends it. @param secure only over TLS from now on */
export function sessionCookie(sessionId: string, secure: boolean): string {
  const maxAge = sessionId === '' ? 0 : SESSION_SECONDS;
  const flags = `HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return `${COOKIE}=${sessionId}; Path=/; Max-Age=${maxAge}; ${flags}`;
}
