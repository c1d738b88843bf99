import { expect, test } from 'vitest';
import { DayTraffic } from '../../../src/domain/day-traffic.ts';

const DAY_MS = Date.UTC(2026, 2, 2);

test('the days of many campaigns share arrays, and none disturbs another', () => {
  const days = Array.from({ length: 200 }, () => new DayTraffic(DAY_MS, 1));
  const counted = days.map(() => ({ asks: 0, allowedMicros: 0, spentMicros: 0 }));
  for (let round = 0; round < 5; round++) {
    days.forEach((day, at) => {
      const more = { asks: at + round, allowedMicros: 1000.5 * at, spentMicros: at / 3 };
      day.count((at + round) % 24, more.asks, more.allowedMicros, more.spentMicros);
      const sum = counted[at] as typeof more;
      for (const name of ['asks', 'allowedMicros', 'spentMicros'] as const) sum[name] += more[name];
    });
  }
  days.forEach((day, at) => {
    for (const name of ['asks', 'allowedMicros', 'spentMicros'] as const) {
      const sum = day[name].reduce((total, hour) => total + hour, 0);
      expect(sum).toBeCloseTo(counted[at]?.[name] ?? 0, 1);
      expect(day[name]).toHaveLength(24);
    }
    expect(DayTraffic.decode(day.encode(), 'UTC')?.encode()).toEqual(day.encode());
  });
});
