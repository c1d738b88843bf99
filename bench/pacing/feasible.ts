/**
 * What the traffic allowed, whatever the controller, seen from the day's end: the spend of an unthrottled day;
 * the fastest path to the target, F(t + 1) = min(G(t + 1), F(t) + what the notices of that second could bring);
 * and the evenest path to the budget, min(L c, what could be brought) with the level L that reaches it.
 */
import { targetAt } from '../../src/domain/plan.ts';
import { planOf } from './campaign-day.ts';
import { STEP } from './random.ts';
import { DAY_SECONDS, type Scenario } from './scenario.ts';
import {
  askCounter,
  auctionBits,
  clearingMicros,
  isWon,
  kindOf,
  noticeCounter,
  noticeDelay,
  type Traffic,
} from './traffic.ts';

const LEVEL_MAX = 1000;
const BISECTIONS = 50;

export interface FeasibleDay {
  /** F at the end of each minute of the day, micros. */
  readonly pathMicros: Float64Array;
  /** The evenest path at the end of each minute; all that there was, where that is under the budget. */
  readonly levelMicros: Float64Array;
  /** All that the day could have spent. */
  readonly potentialMicros: number;
}

/** For a scenario whose budget does not change. */
export function feasibleDay(of: Scenario, traffic: Traffic): FeasibleDay {
  const noticed = noticedBySecond(of, traffic);
  const plan = planOf(of);
  const dayStartMs = plan.curve.startMs;
  const pathMicros = new Float64Array(DAY_SECONDS / 60);
  const wanted = new Float64Array(DAY_SECONDS / 60);
  const allowed = new Float64Array(DAY_SECONDS / 60);
  let path = 0;
  let potentialMicros = 0;
  for (let second = 0; second < noticed.length; second++) {
    const spend = noticed[second] ?? 0;
    potentialMicros += spend;
    if (second >= DAY_SECONDS) continue;
    const minute = Math.floor(second / 60);
    const target = targetAt(plan, dayStartMs + (second + 1) * 1000);
    path = Math.min(target, path + spend);
    pathMicros[minute] = path;
    wanted[minute] = (wanted[minute] ?? 0) + target - targetAt(plan, dayStartMs + second * 1000);
    allowed[minute] = (allowed[minute] ?? 0) + spend;
  }
  return { pathMicros, potentialMicros, levelMicros: evenestPath(wanted, allowed, of.budgetMicros) };
}

/** Cumulative Σ min(L · wanted, allowed), with L so that it ends at the budget. */
function evenestPath(wanted: Float64Array, allowed: Float64Array, budgetMicros: number): Float64Array {
  let low = 0;
  let high = LEVEL_MAX;
  for (let step = 0; step < BISECTIONS; step++) {
    const level = (low + high) / 2;
    if ((filled(wanted, allowed, level).at(-1) ?? 0) < budgetMicros) low = level;
    else high = level;
  }
  return filled(wanted, allowed, high);
}

function filled(wanted: Float64Array, allowed: Float64Array, level: number): Float64Array {
  let sum = 0;
  return wanted.map((want, minute) => {
    sum += Math.min(level * want, allowed[minute] ?? 0);
    return sum;
  });
}

function noticedBySecond(of: Scenario, traffic: Traffic): Float64Array {
  const noticed = new Float64Array(DAY_SECONDS + of.ttlSeconds + 2);
  const { cells, cellAsks } = traffic;
  for (let cell = of.startHour * 3600 * cells; cell < cellAsks.length; cell++) {
    const second = Math.floor(cell / cells);
    const asks = cellAsks[cell] ?? 0;
    let counter = askCounter(traffic.seed, cell);
    for (let at = 0; at < asks; at++) {
      const bits = auctionBits(counter);
      const kind = kindOf(bits);
      if (isWon(traffic, second, kind, bits)) {
        const notice = noticeCounter(counter);
        const due = second + 1 + Math.floor(noticeDelay(traffic, notice));
        const bid = traffic.bidMicros[3 * second + kind] ?? 0;
        noticed[due] = (noticed[due] ?? 0) + clearingMicros(traffic, notice, bid);
      }
      counter = (counter + 2 * STEP) | 0;
    }
  }
  return noticed;
}
