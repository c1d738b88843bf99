/**
 * The browsers that are logged in, in this thread's memory: a random id in a cookie stands for a token's holder,
 * never the token itself. Bounded in time and, for each token, in number: whoever logs in again and again ends only
 * sessions of the same token. A restart ends them all.
 */
import { randomBytes } from 'node:crypto';
import type { Holder } from './credentials.ts';

export const SESSION_SECONDS = 12 * 3_600;

/** Of one token; there are at most 100 tokens. */
const SESSIONS_MAX = 100;
const ID_BYTES = 32;

interface Session {
  readonly holder: Holder;
  readonly endsAtMs: number;
}

export class Sessions {
  /** In the order in which they began. */
  readonly #sessions = new Map<string, Session>();
  readonly #sessionsMax: number;

  constructor(sessionsMax = SESSIONS_MAX) {
    this.#sessionsMax = sessionsMax;
  }

  /** Begins a session and returns its id; when its holder has too many, the oldest of them ends. */
  begin(holder: Holder, nowMs: number): string {
    const own: string[] = [];
    for (const [id, session] of this.#sessions) {
      if (session.endsAtMs <= nowMs) this.#sessions.delete(id);
      else if (session.holder.name === holder.name) own.push(id);
    }
    for (const id of own.slice(0, Math.max(0, own.length + 1 - this.#sessionsMax))) this.#sessions.delete(id);
    const id = randomBytes(ID_BYTES).toString('base64url');
    this.#sessions.set(id, { holder, endsAtMs: nowMs + SESSION_SECONDS * 1_000 });
    return id;
  }

  holderOf(id: string, nowMs: number): Holder | null {
    const session = this.#sessions.get(id);
    if (session === undefined) return null;
    if (session.endsAtMs > nowMs) return session.holder;
    this.#sessions.delete(id);
    return null;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }
}
