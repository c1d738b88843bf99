/** The rows of the comparison, in the order they are shown: a lever behind a gate. */
import type { Gate } from '../budget-account.ts';
import { bidCap, multiplier, throttle } from './controlled.ts';
import type { Lever } from './lever.ts';
import { mystiqueHard, mystiqueSoft } from './mystique.ts';
import { unpaced } from './unpaced.ts';

export interface Row {
  readonly lever: Lever;
  readonly gate: Gate;
}

/** What others run behind `spent < budget` is shown behind both gates; the product has only one. */
export const rows: readonly Row[] = [
  ...[unpaced, mystiqueHard, mystiqueSoft].flatMap((lever): Row[] => [
    { lever, gate: 'spent < budget' },
    { lever, gate: 'reserving' },
  ]),
  ...[throttle, multiplier, bidCap].map((lever): Row => ({ lever, gate: 'reserving' })),
];

/** The product's own levers. */
export const ourRows: readonly Row[] = rows.filter((row) => row.lever.ours);
