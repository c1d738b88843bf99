/**
 * What ours must reach in every scenario, on each of its days unless a limit says otherwise: days of few wins are
 * judged by their mean, and by what one in 36 is worse than. They are the floor the product promises: a change of
 * the controller that misses one is no improvement.
 */
import { type DayFigures, type Figure, isGain, type ScenarioFigures } from './metrics.ts';

export interface Limit {
  readonly figure: Figure;
  /** A rare day: all but one in 36. */
  readonly of: 'each day' | 'the mean' | 'a rare day';
  /** At least this for delivered shares, at most this for all else. */
  readonly bound: number;
}

export interface Verdict {
  readonly limit: Limit;
  readonly value: number;
  readonly met: boolean;
}

const HUNTING = 0.13;
const HUNTING_FEW_WINS = 0.2;
const LAST_HALF_HOUR = 0.01;

const delivered = (bound: number): Limit => ({ figure: 'delivered', of: 'each day', bound });
const rmse = (bound: number): Limit => ({ figure: 'rmse', of: 'each day', bound });
const feasible = (bound: number): Limit => ({ figure: 'feasibleRmse', of: 'each day', bound });
const level = (bound: number): Limit => ({ figure: 'levelRmse', of: 'each day', bound });
const furthest = (bound: number): Limit => ({ figure: 'maxError', of: 'each day', bound });
const early = (bound: number): Limit => ({ figure: 'earlyMinutes', of: 'each day', bound });
const hunting = (bound: number): Limit => ({ figure: 'hunting', of: 'each day', bound });

/** Delivered share, RMSE, maximum error, minutes early; with the bounds that all but a few share. */
function ordinary(share: number, root: number, maximum: number, minutes: number): Limit[] {
  return [delivered(share), rmse(root), furthest(maximum), early(minutes), ...calm()];
}

function calm(): Limit[] {
  return [hunting(HUNTING), { figure: 'lastHalfHour', of: 'each day', bound: LAST_HALF_HOUR }];
}

function fewWins(share: number, root: number, maximum: number): Limit[] {
  return [
    { figure: 'delivered', of: 'the mean', bound: share },
    { figure: 'rmse', of: 'the mean', bound: root },
    { figure: 'maxError', of: 'a rare day', bound: maximum },
    hunting(HUNTING_FEW_WINS),
  ];
}

const NO_OVERSPEND: Limit = { figure: 'overspentMicros', of: 'each day', bound: 0 };

const OF_SCENARIO: Readonly<Record<string, readonly Limit[]>> = {
  flat: ordinary(0.997, 0.0015, 0.007, 6),
  diurnal: ordinary(0.997, 0.0015, 0.007, 6),
  spike: ordinary(0.997, 0.0015, 0.007, 6),
  'price-drift': ordinary(0.997, 0.0015, 0.007, 6),
  adaptive: ordinary(0.998, 0.001, 0.003, 6),
  'front-loaded': ordinary(0.998, 0.001, 0.003, 6),
  'budget-cut': ordinary(0.998, 0.001, 0.003, 6),
  'budget-rise': ordinary(0.995, 0.001, 0.006, 6),
  'second-price': ordinary(0.995, 0.001, 0.006, 6),
  '5000-asks': ordinary(0.995, 0.001, 0.006, 6),
  '2000-asks-spikes': ordinary(0.995, 0.001, 0.006, 6),
  fleet: ordinary(0.997, 0.001, 0.004, 5),
  'fleet-few-wins': [delivered(0.98), rmse(0.008), furthest(0.025), early(20), hunting(HUNTING_FEW_WINS)],
  'late-start': ordinary(0.994, 0.002, 0.009, 5),
  cold: ordinary(0.999, 0.0015, 0.003, 4),
  'slow-notices': ordinary(0.988, 0.005, 0.018, 2),
  'slow-with-losses': ordinary(0.999, 0.001, 0.003, 2),
  'win-rate-2': ordinary(0.97, 0.005, 0.03, 2),
  'win-rate-jump': ordinary(0.999, 0.004, 0.015, 14),
  'win-rate-day': [...ordinary(0.995, 0.01, 0.03, 4), feasible(0.003)],
  weekend: ordinary(0.998, 0.009, 0.04, 6),
  collapse: [...ordinary(0.997, 0.02, 0.087, 5), feasible(0.011)],
  'tight-supply': [delivered(0.998), feasible(0.095), furthest(0.15), early(22), ...calm()],
  'evening-drop': [delivered(0.992), level(0.03), furthest(0.19), early(5), ...calm()],
  'short-supply': [
    { figure: 'deliveredOfSupply', of: 'each day', bound: 0.99 },
    feasible(0.007),
    early(0),
    ...calm(),
  ],
  outage: [feasible(0.002), early(0), hunting(HUNTING)],
  '20-wins': fewWins(0.97, 0.042, 0.17),
  '10-wins': fewWins(0.98, 0.058, 0.22),
};

/** The limits of a scenario, the one of every scenario first. @throws Error for one without limits */
export function limitsOf(scenario: string): readonly Limit[] {
  const own = OF_SCENARIO[scenario];
  if (own === undefined) throw new Error(`scenario "${scenario}" has no limits`);
  return [NO_OVERSPEND, ...own];
}

/** Whether a scenario's errors are also held against what the traffic allowed. */
export function isFeasibleMeasured(scenario: string): boolean {
  return limitsOf(scenario).some(
    ({ figure }) => figure === 'feasibleRmse' || figure === 'levelRmse' || figure === 'deliveredOfSupply',
  );
}

export function judge(scenario: string, figures: ScenarioFigures): Verdict[] {
  return limitsOf(scenario).map((limit) => {
    const value = figuresFor(limit, figures)[limit.figure];
    const met = isGain(limit.figure) ? value >= limit.bound : value <= limit.bound;
    return { limit, value, met };
  });
}

function figuresFor(limit: Limit, figures: ScenarioFigures): DayFigures {
  if (limit.of === 'the mean') return figures.mean;
  return limit.of === 'a rare day' ? figures.rare : figures.worst;
}
