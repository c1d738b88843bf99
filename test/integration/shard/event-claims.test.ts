/** A shard in a fleet asks whether others have counted a spend's event, and never waits long for the answer. */
import { afterEach, describe, expect, it } from 'vitest';
import { OUTCOME_DUPLICATE, OUTCOME_SUCCESS, OUTCOME_UNAVAILABLE } from '../../../src/messages/edge-shard.ts';
import type { FleetEvents } from '../../../src/shard/event-claims.ts';
import { EVENT_CLAIMED, EVENT_COUNTED, EVENT_PENDING } from '../../../src/sinks/redis/event-claims.ts';
import { until } from '../../support/pod-wait.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;

/** What the fleet is said to know, and what it was asked and told. */
class Events implements FleetEvents {
  reachable = true;
  readonly asked: string[][] = [];
  readonly counted: string[] = [];
  readonly forgone: string[] = [];
  verdict: (event: string) => number | Promise<number> = () => EVENT_CLAIMED;

  claimEvents(events: readonly string[]): Promise<number[]> {
    this.asked.push([...events]);
    return Promise.all(events.map((event) => this.verdict(event)));
  }

  eventsEnded(events: Iterable<string>, committed: boolean): void {
    (committed ? this.counted : this.forgone).push(...events);
  }
}

let harness: ShardHarness;

afterEach(() => harness.close());

async function shardWith(events: Events): Promise<ShardHarness> {
  harness = new ShardHarness({ fleetEvents: events });
  const added = harness.upsert(campaignOf('c', 1_000 * CENT));
  await harness.committed();
  await added;
  return harness;
}

function spentCents(): number {
  return harness.status('c').daily_spent_cents;
}

describe('a spend with an event id', () => {
  it('is counted when its event is this pod’s, and the fleet is told once it is in the ledger', async () => {
    const events = new Events();
    const { spend, send } = bound(await shardWith(events));
    const outcomes = [spend('e1'), spend('e2'), spend('e1')];
    send();
    expect(spentCents()).toBe(0);
    expect(await Promise.all(outcomes)).toEqual([OUTCOME_SUCCESS, OUTCOME_SUCCESS, OUTCOME_DUPLICATE]);
    expect(events.asked).toEqual([['c/e1', 'c/e2', 'c/e1']]);
    expect(events.counted).toEqual(['c/e1', 'c/e2']);
    expect(spentCents()).toBe(20);
    const again = spend('e2');
    send();
    expect(await again).toBe(OUTCOME_DUPLICATE); // this pod knows by itself
    expect(events.asked).toHaveLength(1);
  });

  it('is a duplicate when another pod has counted it, and nothing is counted', async () => {
    const events = new Events();
    events.verdict = (event) => (event === 'c/e1' ? EVENT_COUNTED : EVENT_CLAIMED);
    const { spend, send } = bound(await shardWith(events));
    const outcomes = [spend('e1'), spend('e2')];
    send();
    expect(await Promise.all(outcomes)).toEqual([OUTCOME_DUPLICATE, OUTCOME_SUCCESS]);
    expect(spentCents()).toBe(10);
    expect(events.counted).toEqual(['c/e2']);
  });

  it('waits while another pod is about to count it, and is refused when that takes too long', async () => {
    const events = new Events();
    events.verdict = () => EVENT_PENDING;
    const { spend, send } = bound(await shardWith(events));
    const [counted, refused] = [spend('e1'), spend('e2')];
    send();
    await until('it is asked again', () => events.asked.length >= 3);
    events.verdict = (event) => (event === 'c/e1' ? EVENT_COUNTED : EVENT_PENDING);
    expect(await counted).toBe(OUTCOME_DUPLICATE);
    harness.steadyMs += 1_001;
    expect(await refused).toBe(OUTCOME_UNAVAILABLE);
    expect(spentCents()).toBe(0);
  });

  it('is counted all the same when Redis does not answer, fails, or cannot be reached', async () => {
    const events = new Events();
    events.verdict = () => new Promise(() => undefined);
    const { spend, send } = bound(await shardWith(events));
    const silent = spend('e1');
    send();
    expect(await silent).toBe(OUTCOME_SUCCESS);
    events.verdict = () => Promise.reject(new Error('it failed'));
    const failed = spend('e2');
    send();
    expect(await failed).toBe(OUTCOME_SUCCESS);
    events.reachable = false;
    const alone = spend('e3');
    send();
    expect(await alone).toBe(OUTCOME_SUCCESS);
    expect(events.asked).toHaveLength(2);
    expect(spentCents()).toBe(30);
    expect(events.counted).toEqual(['c/e1', 'c/e2', 'c/e3']);
  });

  it('that could not be written is another pod’s to count', async () => {
    const events = new Events();
    const { spend, send } = bound(await shardWith(events));
    harness.failure = new Error('the disk is full');
    const outcome = spend('e1');
    send();
    expect(await outcome).toBe(OUTCOME_UNAVAILABLE);
    harness.failure = null;
    expect(events.forgone).toEqual(['c/e1']);
    expect(events.counted).toEqual([]);
  });
});

function bound(of: ShardHarness) {
  return {
    spend: (eventId: string) => of.spend('c', 10 * CENT, '', eventId),
    send: () => of.send(),
  };
}
