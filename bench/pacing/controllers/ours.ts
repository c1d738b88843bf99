/** The production controller, as src/domain has it: no equation of it is repeated here. */
import { newController, tick } from '../../../src/domain/controller.ts';
import type { ControllerKind } from './controller.ts';

export const ours: ControllerKind = {
  name: 'ours',
  label: 'ours',
  create: (known) => {
    const state = newController(known);
    return { hasRhythm: true, tick: (input, output) => tick(state, input, output) };
  },
};
