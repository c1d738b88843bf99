/**
 * One seed's history of a fleet: bidders that ask, win, lose or say nothing on whichever pod they like, and the
 * plan's kinds of trouble, step by step; after each step everything is audited. At the end all is healed, and then
 * every pod and Redis must tell the same sum, to the last answered micro, and no budget may be stuck.
 */
import type { Redis } from 'ioredis';
import { movedDay, resetsOn } from '../../../src/domain/budget-day.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { micros } from '../../../src/domain/money.ts';
import { seededRandom } from '../../../src/domain/seeded-random.ts';
import { OUTCOME_SUCCESS } from '../../../src/messages/edge-shard.ts';
import { audit, freeMicros } from './audit.ts';
import { type Bid, Books } from './books.ts';
import { drawPlan, type Plan, STEPS, type Step, ZONES } from './plan.ts';
import type { Weather } from './pod-link.ts';
import { SimulatedPod } from './simulated-pod.ts';
import { SimulatedRedis } from './simulated-redis.ts';
import { Timeline } from './timeline.ts';

const SLICE_MS = 50;
/** How far a clock may be from the true time, at most. */
const CLOCKS_APART_MS = 500;
const CALM: Weather = { loss: 0, lateness: 0, delayMsMax: 20 };
/** While hours pass, pods that can flush do so this often. */
const LEAP_MS = 100_000;

export class History {
  readonly plan: Plan;
  /** What has happened, for whoever looks for the reason. */
  readonly story: string[] = [];
  private readonly random: () => number;
  private readonly timeline = new Timeline();
  private readonly redis: SimulatedRedis;
  private readonly pods: SimulatedPod[];
  private readonly lost = new Set<SimulatedPod>();
  private readonly books: Books[];
  private weather: Weather;
  private count = 0;

  constructor(seed: number, client: Redis, script: string, folder: string) {
    this.random = seededRandom(seed);
    this.plan = drawPlan(seed, this.random);
    this.weather = this.plan.weather;
    const { epochMs, reservationTtlMs, flushMs } = this.plan;
    this.redis = new SimulatedRedis(
      client,
      script,
      this.timeline,
      epochMs + this.between(-CLOCKS_APART_MS, CLOCKS_APART_MS),
    );
    this.pods = Array.from({ length: this.plan.pods }, (_, at) => {
      return new SimulatedPod({
        name: `pod-${at}`,
        folder,
        timeline: this.timeline,
        reservationTtlMs,
        flushMs,
        clockRate: 0.995 + this.random() * 0.01,
        epochMs: epochMs + this.between(-CLOCKS_APART_MS, CLOCKS_APART_MS),
        link: {
          redis: this.redis,
          random: this.random,
          weather: () => this.weather,
          heard: (name, flush) => {
            for (const books of this.books) books.heard(name, flush, this.timeline.nowMs);
          },
          published: (released) => {
            for (const pod of this.pods) {
              if (pod.up && !pod.cut && this.random() >= this.weather.loss)
                this.timeline.after(this.random() * 50, () => pod.hearReleased(released));
            }
          },
        },
      });
    });
    const names = this.pods.map(({ name }) => name);
    this.books = this.plan.campaigns.map((campaign) => new Books(campaign, reservationTtlMs, names));
    for (const books of this.books) books.at(epochMs - CLOCKS_APART_MS);
  }

  /** @throws Error that says which step broke what */
  async play(): Promise<void> {
    await this.redis.wipe();
    for (const { campaign } of this.books) {
      if (Date.parse(campaign.createdAt) === this.plan.epochMs) await this.redis.announce(campaign);
    }
    for (const pod of this.pods) await pod.start();
    for (const pod of this.pods) this.tellCampaigns(pod);
    await this.pass(this.between(0, 3_000));
    for (let step = 1; step <= this.plan.steps; step++) {
      const kind = this.draw();
      this.story.push(`${step}. ${Math.round(this.timeline.nowMs)} ms: ${kind}`);
      await this.take(kind);
      await this.pass(this.random() < 0.5 ? 0 : this.between(0, 400));
      await this.audit();
    }
    await this.heal();
  }

  async end(): Promise<void> {
    for (const pod of this.pods) if (pod.up) await pod.kill();
  }

  private async take(kind: Step): Promise<void> {
    const pod = this.pick(this.pods);
    const books = this.pick(this.books);
    if (kind === 'bid') for (let bids = this.between(1, 4); bids > 0; bids--) this.bid(pod, books);
    else if (kind === 'win') for (let wins = this.between(1, 2); wins > 0; wins--) await this.win(books);
    else if (kind === 'lose') this.lose(pod, books);
    else if (kind === 'wait') await this.pass(this.between(500, this.plan.reservationTtlMs * 1.6));
    else if (kind === 'raise') this.raise(books);
    else if (kind === 'reset') this.reset(books);
    else if (kind === 'zone') this.changeZone(books);
    else if (kind === 'cut') this.cut(pod);
    else if (kind === 'stand still') this.standStill(pod);
    else if (kind === 'kill') await this.kill(pod, this.between(50, 6_000));
    else if (kind === 'kill in a commit') await this.killInCommit(pod, books);
    else if (kind === 'restart') await this.restart(pod);
    else if (kind === 'lose a pod') await this.loseForEver(pod);
    else if (kind === 'wipe') await this.forget(false);
    else if (kind === 'save') await this.save();
    else if (kind === 'restore') await this.forget(true);
    else if (kind === 'hours') await this.leap(this.between(200_000, 900_000));
    else await this.leap(this.between(3_700_000, 4_500_000));
  }

  private bid(pod: SimulatedPod, books: Books): void {
    if (!pod.up) return;
    const { dailyBudgetMicros, id } = books.campaign;
    const part = this.random() < 0.2 ? 0.7 : 0.25;
    const bidMicros = 1 + Math.floor(this.random() * part * dailyBudgetMicros);
    const bidId = this.random() < 0.5 ? `b${this.count++}` : '';
    const maxMicros = pod.decide(id, bidMicros, bidId);
    this.story.push(`   ${pod.name} ${id} bid ${bidMicros} ${bidId}: ${maxMicros}`);
    if (maxMicros > 0) books.bids.push({ id: bidId, pod: pod.name, maxMicros, bornMs: this.timeline.nowMs });
  }

  /** Wins one of the bids, and reports it to its own pod or to another. */
  private async win(books: Books, whole = this.random() < 0.5): Promise<void> {
    const bid = this.takeBid(books);
    if (bid === undefined) return;
    const own = this.pods.find(({ name }) => name === bid.pod);
    const pod = this.random() < 0.5 && own?.up ? own : this.pick(this.pods);
    if (!pod.up) {
      books.bids.push(bid);
      return;
    }
    const price = whole ? bid.maxMicros : 1 + Math.floor(this.random() * bid.maxMicros);
    this.story.push(`   ${pod.name} win ${price} of ${bid.pod} ${bid.id}`);
    books.reported.push(bid);
    pod.spend(books.campaign.id, price, bid.id, `e${this.count++}`, (outcome, day) => {
      if (outcome !== OUTCOME_SUCCESS) throw new Error(`a win was answered with ${outcome}`);
      books.reported = books.reported.filter((each) => each !== bid);
      books.spent(pod.name, price, day, bid);
    });
    await this.timeline.settled();
  }

  private lose(pod: SimulatedPod, books: Books): void {
    const bid = this.takeBid(books);
    if (bid === undefined) return;
    // A loss needs an id; the bidder of one without says nothing more.
    const own = this.pods.find(({ name }) => name === bid.pod);
    const told = this.random() < 0.7 && own !== undefined ? own : pod;
    this.story.push(`   ${told.name} loss of ${bid.pod} ${bid.id}`);
    if (bid.id !== '' && told.up) told.lose(books.campaign.id, bid.id);
  }

  private raise(books: Books): void {
    const { campaign } = books;
    const more = 1 + Math.floor(this.random() * 0.4 * campaign.dailyBudgetMicros);
    const total = campaign.totalBudgetMicros;
    books.campaign = {
      ...campaign,
      dailyBudgetMicros: micros(campaign.dailyBudgetMicros + more),
      totalBudgetMicros: total === null ? null : micros(total + Math.floor(more / 2)),
      version: campaign.version + 1,
    };
    this.tellLater(books);
  }

  /** The day's counters begin anew: on each pod when it hears of that. */
  private reset(books: Books): void {
    const { campaign } = books;
    const { date } = localDayAt(campaign.timezone, this.wallMs);
    const dayReset = {
      date,
      count: resetsOn(campaign, date) + 1,
      at: new Date(this.redis.nowMs).toISOString(),
    };
    books.campaign = { ...campaign, dayReset, version: campaign.version + 1 };
    books.at(this.wallMs);
    this.story.push(`   ${campaign.id} ${date} ${dayReset.count}`);
    this.tellLater(books);
  }

  /** To a zone with the same local date, or one in which the day goes on: a later date would be a new day. */
  private changeZone(books: Books): void {
    const { campaign } = books;
    const timezone = this.pick(ZONES);
    const change = movedDay(campaign, timezone, this.wallMs);
    const [before, after] = [campaign.timezone, timezone].map((zone) => localDayAt(zone, this.wallMs).date);
    if (before !== after && change.zoneChange === undefined) return;
    books.campaign = { ...campaign, timezone, ...change, version: campaign.version + 1 };
    this.story.push(`   ${campaign.id} ${timezone} ${before} ${after} ${JSON.stringify(change)}`);
    this.tellLater(books);
  }

  private tellLater(books: Books): void {
    for (const pod of this.pods)
      if (pod.up) this.timeline.after(this.between(0, 900), () => pod.tell(books.campaign));
  }

  private cut(pod: SimulatedPod): void {
    const ms = this.random() < 0.3 ? this.between(500_000, 1_500_000) : this.between(200, 8_000);
    this.story.push(`   ${pod.name} for ${ms} ms`);
    pod.cut = true;
    this.timeline.after(ms, () => {
      pod.cut = false;
    });
  }

  private standStill(pod: SimulatedPod): void {
    const ms = this.between(200, 6_000);
    this.story.push(`   ${pod.name} for ${ms} ms`);
    if (pod.up) pod.standStill(ms);
  }

  private async kill(pod: SimulatedPod, downMs: number): Promise<void> {
    if (!pod.up) return;
    this.story.push(`   ${pod.name} for ${downMs} ms`);
    await pod.kill();
    this.timeline.after(downMs, () => this.start(pod));
  }

  /** The pod dies while it records a win: the bidder hears nothing, gives up or reports it to another pod. */
  private async killInCommit(pod: SimulatedPod, books: Books): Promise<void> {
    const bid = this.takeBid(books);
    if (bid === undefined || !pod.up || pod.standsStill) {
      if (bid !== undefined) books.bids.push(bid);
      return;
    }
    const price = bid.maxMicros;
    const day = pod.dayOf(books.campaign.id);
    pod.disk = this.random() < 0.5 ? 'lost' : 'silent';
    this.story.push(`   ${pod.name} win ${price} of ${bid.pod} ${bid.id}, ${pod.disk}`);
    pod.spend(books.campaign.id, price, bid.id, `e${this.count++}`, () => {
      throw new Error('answered by the dead');
    });
    // Whatever it flushes meanwhile must not tell of it.
    await this.pass(this.between(0, 500));
    const recorded = pod.disk === 'silent';
    await this.kill(pod, this.between(50, 4_000));
    if (recorded) books.spent(pod.name, price, day, bid);
    if (this.random() < 0.5) {
      // It is won, and reported once more.
      books.bids.push(bid);
      if (recorded) books.repeated(bid.maxMicros, day);
    } else if (!recorded) books.bids.push(bid);
  }

  private async restart(pod: SimulatedPod): Promise<void> {
    if (!pod.up || pod.standsStill) return;
    this.story.push(`   ${pod.name}`);
    await pod.end();
    this.timeline.after(this.between(50, 3_000), () => this.start(pod));
  }

  private async loseForEver(pod: SimulatedPod): Promise<void> {
    if (this.lost.has(pod) || this.pods.length - this.lost.size === 1) return;
    this.story.push(`   ${pod.name}`);
    this.lost.add(pod);
    if (pod.up) await pod.kill();
  }

  private async start(pod: SimulatedPod): Promise<void> {
    if (pod.up || this.lost.has(pod)) return;
    await pod.start();
    this.tellCampaigns(pod);
  }

  private tellCampaigns(pod: SimulatedPod): void {
    for (const { campaign } of this.books) pod.tell(campaign);
  }

  private async save(): Promise<void> {
    await this.redis.save();
    for (const books of this.books) books.saved();
  }

  private async forget(restored: boolean): Promise<void> {
    const { nowMs } = this.timeline;
    for (const books of this.books) {
      books.forget(restored, nowMs, (name) => {
        const pod = this.pods.find((each) => each.name === name) as SimulatedPod;
        const day = pod.dayOf(books.campaign.id) || books.today;
        return { day, openMicros: books.openMicros(name) + freeMicros(pod, books.campaign.id) };
      });
    }
    if (restored) await this.redis.restore();
    else await this.redis.wipe();
    if (restored) for (const pod of this.pods) pod.lostRedis();
  }

  /** Hours pass, and pods that can do so renew their leases. */
  private async leap(ms: number): Promise<void> {
    await this.pass(1_000);
    for (let passed = 0; passed < ms; passed += LEAP_MS) {
      await this.timeline.passTo(this.timeline.nowMs + LEAP_MS);
      await this.pass(1_000);
    }
  }

  private async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += SLICE_MS) {
      await this.timeline.passTo(this.timeline.nowMs + SLICE_MS);
      for (const pod of this.pods) pod.turn();
      await this.timeline.settled();
    }
  }

  private async audit(): Promise<void> {
    for (const books of this.books) {
      books.pass(this.timeline.nowMs);
      books.at(this.wallMs + CLOCKS_APART_MS);
      await audit(books, this.pods, this.redis);
    }
  }

  /** Everything is well again. */
  private async heal(): Promise<void> {
    this.story.push('healed');
    this.weather = CALM;
    for (const pod of this.pods) {
      pod.cut = false;
      pod.standStill(0);
      await this.start(pod);
    }
    await this.pass(this.plan.reservationTtlMs + 4_000);
    await this.audit();
    for (const books of this.books) await this.checkSums(books);
    // The leases of pods that are gone for ever come back.
    if (this.lost.size > 0) await this.leap(800_000);
    for (const books of this.books) await this.spendTheRest(books);
    await this.audit();
  }

  private async checkSums(books: Books): Promise<void> {
    const { id } = books.campaign;
    const totals = await this.redis.totals(id);
    let sum = 0;
    for (const pod of this.pods) {
      const { toldMicros, spentMicros } = books.pod(pod.name);
      const expected = this.lost.has(pod) ? toldMicros : spentMicros;
      if ((totals.get(pod.name) ?? 0) !== expected)
        throw new Error(`${id}: Redis has ${totals.get(pod.name)} of ${pod.name}, which spent ${expected}`);
      sum += expected;
    }
    for (const pod of this.pods) {
      if (!pod.up) continue;
      let told = -1;
      pod.totalSpent(id, (spent) => {
        told = spent;
      });
      await this.pass(1_000);
      if (told !== sum) throw new Error(`${id}: ${pod.name} says that ${told} is spent, not ${sum}`);
    }
  }

  /** What is left of the budget can be bid on some pod, to the last micro. */
  private async spendTheRest(books: Books): Promise<void> {
    const { id, dailyBudgetMicros, totalBudgetMicros } = books.campaign;
    const told = (pod: SimulatedPod) => books.pod(pod.name).toldMicros;
    for (let round = 0; round < 80; round++) {
      const spent = this.pods.reduce((sum, pod) => sum + told(pod), 0);
      const total = (totalBudgetMicros ?? Number.POSITIVE_INFINITY) - spent;
      if (Math.min(total, dailyBudgetMicros - books.spentOf(books.today)) <= 0) return;
      for (const pod of this.pods) {
        const max = pod.up ? pod.decide(id, Math.ceil(dailyBudgetMicros / 4), '') : 0;
        if (max > 0) books.bids.push({ id: '', pod: pod.name, maxMicros: max, bornMs: this.timeline.nowMs });
      }
      while (books.bids.length > 0) await this.win(books, true);
      await this.pass(round < 20 ? 300 : this.plan.reservationTtlMs / 2);
    }
    throw new Error(`${id}: a part of the budget cannot be spent any more`);
  }

  /** The true time, ms since the epoch. */
  private get wallMs(): number {
    return this.plan.epochMs + this.timeline.nowMs;
  }

  private takeBid(books: Books): Bid | undefined {
    books.pass(this.timeline.nowMs);
    const bid = this.pick(books.bids);
    books.bids = books.bids.filter((each) => each !== bid);
    return bid;
  }

  private draw(): Step {
    const { weights } = this.plan;
    const sum = STEPS.reduce((all, step) => all + (weights[step] ?? 0), 0);
    let drawn = this.random() * sum;
    for (const step of STEPS) {
      drawn -= weights[step] ?? 0;
      if (drawn < 0) return step;
    }
    return 'wait';
  }

  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }

  private between(least: number, most: number): number {
    return Math.floor(least + this.random() * (most - least + 1));
  }
}
