/** Campaigns' traffic history in the ledger. It is no money: what cannot be written is logged and forgotten. */
import type { EndedDay, KnownTraffic, TrafficHistory } from '../domain/day-traffic.ts';
import { expectFrom, learnFrom, readTraffic, writeTraffic } from '../domain/remembered-traffic.ts';
import type { Log } from '../threads/log.ts';
import type { Ledger } from './ledger.ts';

export class LedgerTraffic implements TrafficHistory {
  private readonly ledger: Ledger;
  private readonly log: Log;

  constructor(ledger: Ledger, log: Log) {
    this.ledger = ledger;
    this.log = log;
  }

  turn(
    campaignId: string,
    ended: EndedDay | null,
    dayOfWeek: number,
    meanWinMicros: number,
  ): KnownTraffic | null {
    const traffic = readTraffic(this.ledger.traffic('shape', campaignId));
    if (ended !== null && learnFrom(traffic, ended)) this.write('shape', campaignId, writeTraffic(traffic));
    return expectFrom(traffic, dayOfWeek, meanWinMicros);
  }

  keep(campaignId: string, today: Uint8Array): void {
    this.write('today', campaignId, today);
  }

  kept(campaignId: string): Uint8Array | null {
    return this.ledger.traffic('today', campaignId);
  }

  private write(kind: 'shape' | 'today', campaignId: string, bytes: Uint8Array): void {
    this.ledger.putTraffic(kind, campaignId, bytes).catch((error: unknown) => {
      this.log.warn(
        { err: error, campaign: campaignId },
        'what was learned of the traffic could not be kept',
      );
    });
  }
}
