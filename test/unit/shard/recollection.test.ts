import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Recollection } from '../../../src/shard/recollection.ts';

/** A campaign's lease: it may grow when the hold is over. */
class Lease {
  heldUntilMs = Number.NEGATIVE_INFINITY;
  told = 0;

  holdLeaseUntil(steadyMs: number): void {
    this.heldUntilMs = steadyMs;
  }
}

let steadyMs: number;
let asked: Lease[][];
/** How the questions end. */
let answers: { resolve: () => void; reject: (error: Error) => void }[];
let recollection: Recollection<Lease>;

beforeEach(() => {
  steadyMs = 1000;
  asked = [];
  answers = [];
  recollection = new Recollection<Lease>({
    restore: (leases) => {
      asked.push([...leases]);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
    restored: (lease) => {
      lease.told++;
    },
    readClock: () => ({ wallMs: 0, steadyMs }),
    log: pino({ level: 'silent' }),
  });
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const mayGrow = (lease: Lease): boolean => steadyMs >= lease.heldUntilMs;

describe('a lease in doubt', () => {
  it('grows once the history was told, and is told to Redis again', async () => {
    const lease = new Lease();
    recollection.doubt(lease);
    recollection.turn();
    recollection.turn(); // one question at a time
    expect(asked).toEqual([[lease]]);
    expect(mayGrow(lease)).toBe(false);
    answers[0]?.resolve();
    await settled();
    expect(mayGrow(lease)).toBe(true);
    expect(lease.told).toBe(1);
    recollection.turn();
    expect(asked).toHaveLength(1);
  });

  it('does not wait for ever for a history that cannot be read, which is asked again until it can', async () => {
    const lease = new Lease();
    recollection.doubt(lease);
    recollection.turn();
    answers[0]?.reject(new Error('away'));
    await settled();
    recollection.turn();
    expect(asked).toHaveLength(1); // not at once
    steadyMs += 1000;
    recollection.turn();
    expect(asked).toHaveLength(2);
    expect(mayGrow(lease)).toBe(false);
    steadyMs += 4000;
    expect(mayGrow(lease)).toBe(true);
    answers[1]?.resolve();
    await settled();
    expect(lease.told).toBe(1);
  });

  it('that is doubted again meanwhile waits for another answer', async () => {
    const lease = new Lease();
    recollection.doubt(lease);
    recollection.turn();
    steadyMs += 10;
    recollection.doubt(lease);
    answers[0]?.resolve();
    await settled();
    expect(mayGrow(lease)).toBe(false);
    recollection.turn();
    answers[1]?.resolve();
    await settled();
    expect(mayGrow(lease)).toBe(true);
  });
});
