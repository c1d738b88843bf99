/** No pacing: every bid passes until the gate has nothing left. */
import { type ControllerKind, passOnly } from './controller.ts';

export const none: ControllerKind = {
  name: 'none',
  label: 'none',
  create: () => ({ tick: (_input, output) => passOnly(output, 1) }),
};
