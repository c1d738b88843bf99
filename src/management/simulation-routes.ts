/** `POST /pacing/simulate`. A viewer may ask it: it changes nothing, and the pool bounds what it costs. */
import type { FastifyInstance } from 'fastify';
import { addOperation } from './operation.ts';
import { SIMULATION_EXAMPLES, shownSimulation, simulationBody } from './simulation-bodies.ts';
import type { Simulations } from './simulations.ts';

export function addSimulationRoutes(app: FastifyInstance, simulations: Simulations): void {
  addOperation(
    app,
    {
      method: 'POST',
      url: '/pacing/simulate',
      operationId: 'simulatePacing',
      tag: 'Pacing',
      summary: 'What a campaign would do',
      description:
        'The coming hours of a campaign that exists or is proposed, or a past day of one, by the production ' +
        'controller on simulated bids: for each slot what is planned and spent and how much is held back, the total, ' +
        'and when a budget would be exhausted. `compare` runs other modes and budgets on the same bids. The same ' +
        'question on the same data with the same seed has the same answer. Nothing is changed or kept.',
      access: 'viewer',
      body: simulationBody,
      bodyExamples: SIMULATION_EXAMPLES,
      answer: { description: 'What came out.', body: shownSimulation },
      errors: ['campaign_not_found', 'unavailable', 'rate_limited'],
    },
    ({ body }) => simulations.run(body),
  );
}
