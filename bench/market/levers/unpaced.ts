/** No pacing at all: every campaign bids its value until the gate closes. */
import type { Lever } from './lever.ts';

export const unpaced: Lever = {
  name: 'none',
  title: 'none',
  ours: false,
  startPacer: () => ({
    bid: (valueMicros) => valueMicros,
    allowed: () => undefined,
    endSecond: () => undefined,
    beginDay: () => undefined,
  }),
};
