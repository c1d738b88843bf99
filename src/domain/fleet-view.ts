/**
 * What a pod knows of its fleet for one campaign, as of the last sync: what the other pods have spent, and what
 * all of them were asked for and allowed. With it every pod computes the same spend rate from the same totals and
 * takes its own share of it, so that the fleet follows one curve.
 */

import { Lease } from './lease.ts';

/** Sums over all pods of a fleet for the local day, from zero at its beginning; money in micros. */
export interface FleetTotals {
  readonly spentDayMicros: number;
  /** Of the local hour. */
  readonly spentHourMicros: number;
  readonly spentTotalMicros: number;
  readonly asks: number;
  readonly askedMicros: number;
  readonly allowedMicros: number;
  readonly wins: number;
  /** Pods with a lease, this one among them. */
  readonly sources: number;
}

/** What happened since the last tick. */
export interface FlowCounts {
  asks: number;
  askedMicros: number;
  allowedMicros: number;
  wins: number;
  spendMicros: number;
}

/** This pod's own part of the totals when it asked for them. */
export interface OwnSpent {
  readonly dayMicros: number;
  readonly hourMicros: number;
  readonly totalMicros: number;
}

const SHARE_MEMORY_SECONDS = 60;
const SHARE_MIN = 0.001;

export class FleetView {
  readonly lease = new Lease();
  othersDayMicros = 0;
  othersHourMicros = 0;
  othersTotalMicros = 0;
  /** This pod's part of what is asked for, 0–1. */
  share = 1;
  private sources = 1;
  private latest: FleetTotals | null = null;
  private ticked: FleetTotals | null = null;
  private ownAskedMicros = 0;
  private fleetAskedMicros = 0;

  /** Takes in the reply of a sync. */
  learn(totals: FleetTotals, own: OwnSpent): void {
    this.othersDayMicros = Math.max(0, totals.spentDayMicros - own.dayMicros);
    this.othersHourMicros = Math.max(0, totals.spentHourMicros - own.hourMicros);
    this.othersTotalMicros = Math.max(0, totals.spentTotalMicros - own.totalMicros);
    this.sources = Math.max(1, totals.sources);
    this.latest = totals;
    this.ticked ??= totals;
  }

  /** A new local hour begins at zero. */
  beginHour(): void {
    this.othersHourMicros = 0;
  }

  /** A new local day begins at zero. @param spentMicros what this pod spent of the last one */
  beginDay(spentMicros: number): void {
    this.lease.beginDay(spentMicros);
    this.othersDayMicros = 0;
    this.latest = null;
    this.ticked = null;
  }

  /**
   * Turns this pod's counts of a tick into the fleet's: what all pods reported since the last one. While Redis
   * cannot be reached, what this pod saw stands for the rest in proportion.
   */
  widen(counts: FlowCounts, seconds: number, connected: boolean): void {
    const ownAskedMicros = counts.askedMicros;
    const { latest, ticked } = this;
    if (!connected || latest === null || ticked === null) {
      scale(counts, 1 / this.share);
      return;
    }
    counts.asks = Math.max(0, latest.asks - ticked.asks);
    counts.askedMicros = Math.max(0, latest.askedMicros - ticked.askedMicros);
    counts.allowedMicros = Math.max(0, latest.allowedMicros - ticked.allowedMicros);
    counts.wins = Math.max(0, latest.wins - ticked.wins);
    counts.spendMicros = Math.max(0, latest.spentDayMicros - ticked.spentDayMicros);
    this.ticked = latest;
    this.followShare(ownAskedMicros, counts.askedMicros, seconds);
  }

  /** The share follows the part of the asked value that came to this pod; equal parts while nothing is asked. */
  private followShare(ownMicros: number, fleetMicros: number, seconds: number): void {
    const kept = Math.exp(-seconds / SHARE_MEMORY_SECONDS);
    this.ownAskedMicros = kept * this.ownAskedMicros + ownMicros;
    this.fleetAskedMicros = kept * this.fleetAskedMicros + fleetMicros;
    const asked = Math.max(this.fleetAskedMicros, this.ownAskedMicros);
    const share = asked > 0 ? this.ownAskedMicros / asked : 1 / this.sources;
    this.share = Math.min(1, Math.max(SHARE_MIN, share));
  }
}

function scale(counts: FlowCounts, factor: number): void {
  counts.asks *= factor;
  counts.askedMicros *= factor;
  counts.allowedMicros *= factor;
  counts.wins *= factor;
  counts.spendMicros *= factor;
}
