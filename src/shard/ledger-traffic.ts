/**
 * Campaigns' traffic history in the ledger: what this pod has learned by itself, and what was learned from the history
 * of all pods. It is no money: what cannot be written is logged and forgotten.
 */
import type { EndedDay, KnownTraffic, TrafficHistory } from '../domain/day-traffic.ts';
import { learnedDays } from '../domain/learned-shape.ts';
import { expectFrom, learnFrom, readTraffic, writeTraffic } from '../domain/remembered-traffic.ts';
import {
  blendTraffic,
  decodeStoredTraffic,
  encodeStoredTraffic,
  FLEET_SHAPE_ID,
  fleetTraffic,
  type LearnedHere,
  type StoredTraffic,
} from '../domain/stored-traffic.ts';
import type { Log } from '../threads/log.ts';
import type { Ledger } from './ledger.ts';

export class LedgerTraffic implements TrafficHistory {
  private readonly ledger: Ledger;
  private readonly log: Log;
  /** What campaigns without any history are planned by, for each weekday; none before the fleet has a history. */
  private fleet: readonly KnownTraffic[];
  /** Of the last write: those of a turn of the event loop end together, and are told of once. */
  private writing: Promise<unknown> | null = null;

  constructor(ledger: Ledger, log: Log) {
    this.ledger = ledger;
    this.log = log;
    this.fleet = this.storedOfFleet();
  }

  /**
   * Keeps what was learned from the history of all pods. One that cannot be written is not taken in either: after a
   * restart the plan would be another.
   * @returns those that are new here
   */
  async take(shapes: readonly StoredTraffic[]): Promise<StoredTraffic[]> {
    const taken = await Promise.all(shapes.map((shape) => this.takeOne(shape)));
    return shapes.filter((_, at) => taken[at]);
  }

  turn(
    campaignId: string,
    ended: EndedDay | null,
    dayOfWeek: number,
    meanWinMicros: number,
  ): KnownTraffic | null {
    const own = this.learned(campaignId, ended, dayOfWeek, meanWinMicros);
    return blendTraffic(own, this.stored(campaignId), this.fleet[dayOfWeek] ?? null, dayOfWeek);
  }

  keep(campaignId: string, today: Uint8Array): void {
    this.write('today', campaignId, today);
  }

  kept(campaignId: string): Uint8Array | null {
    return this.ledger.traffic('today', campaignId);
  }

  /** What this pod has learned of the campaign by itself, and the days it stands on; null before any history. */
  private learned(
    campaignId: string,
    ended: EndedDay | null,
    dayOfWeek: number,
    meanWinMicros: number,
  ): LearnedHere | null {
    const bytes = this.ledger.traffic('shape', campaignId);
    if (bytes === null && ended === null) return null;
    const remembered = readTraffic(bytes);
    if (ended !== null && learnFrom(remembered, ended)) {
      this.write('shape', campaignId, writeTraffic(remembered));
    }
    const traffic = expectFrom(remembered, dayOfWeek, meanWinMicros);
    return traffic === null ? null : { traffic, days: learnedDays(remembered.memory) };
  }

  private async takeOne(shape: StoredTraffic): Promise<boolean> {
    const { campaignId } = shape;
    const bytes = encodeStoredTraffic(shape);
    const before = this.ledger.traffic('stored', campaignId);
    if (before !== null && Buffer.compare(before, bytes) === 0) return false;
    try {
      await this.ledger.putTraffic('stored', campaignId, bytes);
    } catch (error) {
      this.log.warn({ err: error, campaign: campaignId }, 'a learned shape could not be kept');
      return false;
    }
    if (campaignId === FLEET_SHAPE_ID) this.fleet = this.storedOfFleet();
    return true;
  }

  private stored(campaignId: string): StoredTraffic | null {
    const bytes = this.ledger.traffic('stored', campaignId);
    return bytes === null ? null : decodeStoredTraffic(campaignId, bytes);
  }

  private storedOfFleet(): KnownTraffic[] {
    return fleetTraffic(this.stored(FLEET_SHAPE_ID));
  }

  private write(kind: 'shape' | 'today', campaignId: string, bytes: Uint8Array): void {
    try {
      const writing = this.ledger.putTraffic(kind, campaignId, bytes);
      if (writing === this.writing) return;
      this.writing = writing;
      writing.catch((error: unknown) => this.notKept(error, campaignId));
    } catch (error) {
      this.notKept(error, campaignId);
    }
  }

  private notKept(err: unknown, campaign: string): void {
    this.log.warn({ err, campaign }, 'what was learned of the traffic could not be kept');
  }
}
