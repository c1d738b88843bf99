/**
 * How several pods share one campaign. At every sync they know the same fleet totals, so each computes the
 * same spend rate; this module says what each may do with it until the next sync: a lease it gates on
 * (S_i + R_i + x <= lease_i), its share of the token flow, and its pass probability.
 *
 * Invariant: Σ lease_i = Σ (S_i + R_i) + Σ grant_i <= B, because no deal grants more than the pool
 * B − Σ (S_i + R_i). Pure; money in whole micros; called once per sync, so it may allocate.
 * Equations: docs/ARCHITECTURE.md, "Pacing".
 */

/** A pod wants room for this many of the largest bids… */
const WANTED_BIDS = 2;
/** …or for this many times what it allowed since the last sync. */
const WANTED_GROWTH = 3;

export interface FleetDeal {
  /** Per pod: what it may allow on top of what it has spent and reserved, micros. */
  readonly grantsMicros: Float64Array;
  /** Per pod: its part of the campaign's token flow; they sum to 1, or all are 0 when nothing is left. */
  readonly shares: Float64Array;
  /** Where the next deal begins, so that the last whole bids go round. */
  readonly nextStart: number;
}

/** want_i = max(2 b_max, 3 × the value this pod allowed since the last sync), micros. */
export function leaseWanted(largestBidMicros: number, allowedMicros: number): number {
  return Math.max(WANTED_BIDS * largestBidMicros, WANTED_GROWTH * allowedMicros);
}

/**
 * Deals what is neither spent nor reserved, `poolMicros` = B − Σ (S_i + R_i), to the pods: what each wants
 * while there is enough; else equal parts while each part holds two of the largest bids; else whole bids,
 * one after the other round the pods from `start`, and what is left of a bid to the next in turn.
 *
 * @param wantsMicros {@link leaseWanted} of each pod; at least one pod.
 * @param largestBidMicros b_max; 0 when no bid is known yet.
 */
export function dealLeases(
  poolMicros: number,
  wantsMicros: Float64Array,
  largestBidMicros: number,
  start: number,
): FleetDeal {
  const pods = wantsMicros.length;
  const pool = Math.max(Math.floor(poolMicros), 0);
  const part = Math.floor(pool / pods);
  let wanted = 0;
  for (const want of wantsMicros) wanted += Math.ceil(want);
  if (wanted > 0 && pool >= wanted) return equalShares(Float64Array.from(wantsMicros, Math.ceil), start);
  if (part > 0 && part >= WANTED_BIDS * largestBidMicros) {
    return equalShares(new Float64Array(pods).fill(part), start);
  }
  return dealWholeBids(pool, pods, Math.max(Math.ceil(largestBidMicros), 1), start);
}

/** p_i = min(1, p · n · share_i): a pod with more than its equal part passes more of its asks. */
export function podPassProbability(passProbability: number, pods: number, share: number): number {
  return Math.min(1, passProbability * pods * share);
}

function equalShares(grantsMicros: Float64Array, start: number): FleetDeal {
  const pods = grantsMicros.length;
  return { grantsMicros, shares: new Float64Array(pods).fill(1 / pods), nextStart: (start + 1) % pods };
}

function dealWholeBids(pool: number, pods: number, bidMicros: number, start: number): FleetDeal {
  const grantsMicros = new Float64Array(pods);
  const shares = new Float64Array(pods);
  const bids = Math.floor(pool / bidMicros);
  const rest = pool - bids * bidMicros;
  for (let turn = 0; turn < pods; turn++) {
    const pod = (start + turn) % pods;
    const dealt = Math.floor(bids / pods) + (turn < bids % pods ? 1 : 0);
    grantsMicros[pod] = dealt * bidMicros + (turn === bids % pods ? rest : 0);
    shares[pod] = pool > 0 ? (grantsMicros[pod] ?? 0) / pool : 0;
  }
  return { grantsMicros, shares, nextStart: (start + Math.max(bids % pods, 1)) % pods };
}
