/** What is away at the moment, and what was a moment ago: by it an answer is judged. */

/** How long after a part is back others may still find their connections to it broken. */
const GRACE_MS = 20_000;

export class Outages {
  readonly #endedAtMs = new Map<string, number>();

  begin(part: string): void {
    this.#endedAtMs.set(part, Number.POSITIVE_INFINITY);
  }

  end(part: string): void {
    this.#endedAtMs.set(part, performance.now());
  }

  isAway(part: string): boolean {
    return this.#endedAtMs.get(part) === Number.POSITIVE_INFINITY;
  }

  /** Whether it is away or has been until lately. */
  excuses(part: string): boolean {
    return performance.now() < (this.#endedAtMs.get(part) ?? 0) + GRACE_MS && this.#endedAtMs.has(part);
  }
}

/** A pod's name as a part. */
export function podPart(at: number): string {
  return `pod ${at}`;
}
