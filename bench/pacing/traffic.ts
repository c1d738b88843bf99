/**
 * The traffic of one scenario and seed: per second how many asks come, what they bid and how likely they
 * win. Everything random of an ask is a function of (seed, second, its place in the second), so each
 * controller meets the same asks, win draws, prices and delays, whatever it did before.
 */
import { mix, normal, poisson, STEP, streamOf, unit } from './random.ts';
import {
  BIDS,
  bidMoments,
  DAY_SECONDS,
  type Notices,
  type OfHour,
  type Scenario,
  WIN_FACTORS,
} from './scenario.ts';

const ASK_STREAM = 1 << 23;
const HOUR_STREAM = 1 << 24;
/** A second of many asks is split by their pass draws into so many cells, so that most need not be drawn. */
const CELLS = 32;
const CELLS_FROM_ASKS = 100;
/** A bid of the largest kind wins 1.4 times as often. */
const WIN_RATE_MAX = 0.7;
/** An hour's win rate lies this far from the usual one, at most. */
const WIN_RATE_DEVIATION = 0.1;
const WIN_DRAWS = 1 << 22;
/** Normal quantile of 99%. */
const P99 = 2.3263478740408408;

export interface Traffic {
  readonly seed: number;
  readonly cells: number;
  /** Asks by second and cell: those of cell c have pass draws from c/cells to (c + 1)/cells. */
  readonly cellAsks: Uint16Array;
  /** By second: asks, what they bid in all, and the highest bid. */
  readonly asks: Uint16Array;
  readonly askedMicros: Float64Array;
  readonly largestBidMicros: Float64Array;
  /** Chance that a base bid wins, of each second. */
  readonly winRate: Float64Array;
  /** Three per second: what each kind of bid asks for, whole micros. */
  readonly bidMicros: Float64Array;
  readonly winFactors: readonly [number, number, number];
  /** What the ordinary day could spend, micros, expected. */
  readonly potentialMicros: number;
  /** Yesterday's spend per allowed micro at midnight. */
  readonly rhoAtMidnight: number;
  /** 24 weights of the ordinary day: asks × spend per ask. */
  readonly hourlyWeights: readonly number[];
  readonly clearing: readonly [from: number, to: number];
  readonly delayLogMedian: number;
  readonly delayLogDeviation: number;
  readonly delaySecondsMax: number;
}

/** Which kind of bid an ask makes: 0, 1 or 2, with weights .3, .5 and .2. */
export function kindOf(second: number): 0 | 1 | 2 {
  const part = second & 1023;
  return part < 307 ? 0 : part < 819 ? 1 : 2;
}

/** The counter of the first ask in a cell (second · cells + its number); each ask takes two steps. */
export function askCounter(seed: number, cell: number): number {
  return streamOf(seed, ASK_STREAM + cell);
}

/** The bits from which an ask's kind (the low 10) and its win (the high 22) are drawn. */
export function auctionBits(counter: number): number {
  return mix((counter + STEP) | 0);
}

/** Whether an ask wins, were it let through. */
export function isWon(traffic: Traffic, second: number, kind: 0 | 1 | 2, bits: number): boolean {
  return bits >>> 10 < (traffic.winRate[second] ?? 0) * traffic.winFactors[kind] * WIN_DRAWS;
}

/** Turns the counter of an ask into one of its notice, so that neither draws what the other drew. */
export function noticeCounter(counter: number): number {
  return counter ^ 0x5bf03635;
}

/** Seconds from the decision to the notice. */
export function noticeDelay(traffic: Traffic, counter: number): number {
  const delay = Math.exp(traffic.delayLogMedian + traffic.delayLogDeviation * normal(counter));
  return Math.min(delay, traffic.delaySecondsMax);
}

/** What a win of `bidMicros` costs, whole micros. */
export function clearingMicros(traffic: Traffic, counter: number, bidMicros: number): number {
  const [from, to] = traffic.clearing;
  if (from === 1) return bidMicros;
  return Math.round(bidMicros * (from + (to - from) * unit(mix((counter + 3 * STEP) | 0))));
}

export function makeTraffic(of: Scenario, seed: number): Traffic {
  const moments = bidMoments(of);
  const perBaseMicro = dayMean((hour) => of.traffic(hour) * of.winRate(hour) * of.price(hour));
  const asksOfDay = of.asksPerSecond * DAY_SECONDS;
  const baseBidMicros =
    of.baseBidMicros ?? (of.supply * of.budgetMicros) / (asksOfDay * moments.spend * perBaseMicro);
  const { p50Seconds, p99Seconds, maxSeconds }: Notices = of.notices;
  const cells = of.asksPerSecond < CELLS_FROM_ASKS ? 1 : CELLS;
  const traffic: Traffic = {
    seed,
    cells,
    cellAsks: new Uint16Array(DAY_SECONDS * cells),
    asks: new Uint16Array(DAY_SECONDS),
    askedMicros: new Float64Array(DAY_SECONDS),
    largestBidMicros: new Float64Array(DAY_SECONDS),
    winRate: new Float64Array(DAY_SECONDS),
    bidMicros: new Float64Array(3 * DAY_SECONDS),
    winFactors: of.equalBids ? [1, 1, 1] : [...WIN_FACTORS],
    potentialMicros: asksOfDay * moments.spend * perBaseMicro * baseBidMicros,
    rhoAtMidnight: (of.winRate(0) * moments.spend) / moments.bid,
    hourlyWeights: Array.from({ length: 24 }, (_, hour) => of.traffic(hour + 0.5) * of.winRate(hour + 0.5)),
    clearing: of.clearing,
    delayLogMedian: Math.log(p50Seconds),
    delayLogDeviation: Math.log(p99Seconds / p50Seconds) / P99,
    delaySecondsMax: maxSeconds,
  };
  for (let second = 0; second < DAY_SECONDS; second++) drawSecond(of, traffic, second, baseBidMicros);
  return traffic;
}

function drawSecond(of: Scenario, traffic: Traffic, second: number, baseBidMicros: number): void {
  const { seed, cells, bidMicros } = traffic;
  const hour = (second + 0.5) / 3600;
  const chance = of.winRate(hour) * of.eventWinRate(hour) * hourDeviation(of, seed, hour);
  traffic.winRate[second] = Math.min(chance, WIN_RATE_MAX);
  for (let kind = 0; kind < 3; kind++) {
    const size = of.equalBids ? 1 : (BIDS[kind] ?? 1);
    bidMicros[3 * second + kind] = Math.max(Math.round(baseBidMicros * of.price(hour) * size), 1);
  }
  const asksOfCell = (of.asksPerSecond * of.traffic(hour) * of.eventTraffic(hour)) / cells;
  let asks = 0;
  let askedMicros = 0;
  let largestBidMicros = 0;
  for (let cell = second * cells; cell < (second + 1) * cells; cell++) {
    const count = poisson(streamOf(seed, cell), asksOfCell);
    traffic.cellAsks[cell] = count;
    asks += count;
    let counter = askCounter(seed, cell);
    for (let at = 0; at < count; at++) {
      const bid = bidMicros[3 * second + kindOf(auctionBits(counter))] ?? 0;
      askedMicros += bid;
      if (bid > largestBidMicros) largestBidMicros = bid;
      counter = (counter + 2 * STEP) | 0;
    }
  }
  traffic.asks[second] = asks;
  traffic.askedMicros[second] = askedMicros;
  traffic.largestBidMicros[second] = largestBidMicros;
}

/** An hour wins somewhat better or worse than usual, and no controller is told. */
function hourDeviation(of: Scenario, seed: number, hour: number): number {
  if (of.equalBids) return 1;
  const draw = unit(mix(streamOf(seed, HOUR_STREAM + Math.floor(hour))));
  return 1 + WIN_RATE_DEVIATION * (2 * draw - 1);
}

function dayMean(of: OfHour): number {
  const minutes = 1440;
  let sum = 0;
  for (let minute = 0; minute < minutes; minute++) sum += of((minute + 0.5) / 60);
  return sum / minutes;
}
