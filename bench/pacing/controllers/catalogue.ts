/** Every controller of the comparison, ours last. */
import type { ControllerKind } from './controller.ts';
import { dualMirrorDescent } from './dual-mirror-descent.ts';
import { feedForward } from './feed-forward.ts';
import { hourlyBucket } from './hourly-bucket.ts';
import { linkedInPassThrough } from './linkedin-ptr.ts';
import { mystique } from './mystique.ts';
import { none } from './none.ts';
import { ours } from './ours.ts';
import { spendRatioPi, spendRatioPiHigh } from './pi-spend-ratio.ts';
import { smartPacingMinute, smartPacingQuarter } from './smart-pacing.ts';

export const controllers: readonly ControllerKind[] = [
  none,
  hourlyBucket,
  linkedInPassThrough,
  smartPacingMinute,
  smartPacingQuarter,
  mystique,
  spendRatioPi,
  spendRatioPiHigh,
  feedForward,
  dualMirrorDescent,
  ours,
];
