import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { AlertWatch } from '../../../src/management/live/alert-watch.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A watch, and what it asks of the database, a word for each half second. */
function watched() {
  const asked: string[] = [];
  const live = { clients: 0, alert: vi.fn() };
  let fails = false;
  const ask = (word: string): void => {
    asked.push(word);
    if (fails) throw new AppError('unavailable', 'no database');
  };
  const changes = {
    mark: async () => ask('mark'),
    look: async () => {
      ask('look');
      return [];
    },
  };
  const watch = new AlertWatch(changes, live, pino({ enabled: false }));
  watch.run((error) => {
    throw error;
  });
  return {
    live,
    fail: (so: boolean) => {
      fails = so;
    },
    async after(halfSeconds: number): Promise<string[]> {
      asked.length = 0;
      await vi.advanceTimersByTimeAsync(500 * halfSeconds);
      return [...asked];
    },
  };
}

it('marks its place now and then while nobody is connected, and looks twice a second while somebody is', async () => {
  const { live, after } = watched();
  expect(await after(1)).toEqual(['mark']);
  expect(await after(22)).toEqual(['mark', 'mark']);
  live.clients = 1;
  expect(await after(3)).toEqual(['look', 'look', 'look']);
  live.clients = 0;
  expect(await after(2)).toEqual(['mark']);
});

it('tries to mark again while the database does not answer', async () => {
  const { fail, after } = watched();
  fail(true);
  expect(await after(3)).toEqual(['mark', 'mark', 'mark']);
  fail(false);
  expect(await after(3)).toEqual(['mark']);
});
