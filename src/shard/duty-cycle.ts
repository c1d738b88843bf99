/**
 * A shard's duty cycle: it keeps the accounts that are bid for supplied and paced, and lets time pass for all.
 *
 *   every 50 ms      accounts that edges called for: see what was taken, refill; accounts whose time has come
 *   every second     each account that is active: its pacing controller (spread over the second's 20 cycles)
 *   every 5 seconds  the same for each that is asked for seldom (domain/tick-rhythm.ts)
 *
 * An account that nobody bids for and that has nothing in flight comes to rest: it is paced every half minute, so that its
 * tokens fill up for the next bid, and after an hour falls idle: it then costs nothing but a look at its due time.
 */
import type { Clock } from '../domain/clock.ts';
import { isAskedSeldom, SELDOM_TICK_MS, TICK_MS } from '../domain/tick-rhythm.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import type { Account } from './account.ts';
import type { AccountBook } from './account-book.ts';
import { PacingTick } from './pacing-tick.ts';

export const CYCLE_MS = 50;
const CYCLES_A_SECOND = TICK_MS / CYCLE_MS;
/** After this long without a bid an account is paced less often, and after that long no more. */
const QUIET_MS = 60_000;
const IDLE_MS = 3_600_000;
const QUIET_SECONDS = 30;
/** An account that is asked for seldom, or that rests, has its turn in one of so many cycles. */
const CYCLES_A_SELDOM_TICK = SELDOM_TICK_MS / CYCLE_MS;
const CYCLES_A_REST = QUIET_SECONDS * CYCLES_A_SECOND;
/**
 * Neighbours that have their turns in the same cycle. Accounts were opened in the order of their places and mostly lie so
 * in memory, as their slots and lanes do: of 100,000 a tick takes 0.7 µs so, 1.8 µs were the cycle to take each twentieth
 * place, and 2.5 µs in no order, of which most is waiting for memory.
 */
const BLOCK = 128;
/**
 * At midnight every account of a zone is due, and a new day costs some 20 µs: so many take a tenth of a cycle, so that
 * spends do not wait for all of them. Those that are bid for have their day turned with their controller's turn, if that comes first.
 */
const DUE_A_CYCLE_MAX = 200;
const SOON_MS = 1000;

/** How often an account is paced: not at all, each second, every five, each half minute. */
const IDLE = 0;
const ACTIVE = 1;
const SELDOM = 2;
const RESTING = 3;

export interface DutyParts {
  readonly table: OwnerTable;
  readonly accounts: AccountBook;
  /** The account was bid for, which others are to be told. */
  readonly asked: (account: Account, clock: Clock) => void;
  /** The account changed in a way that is to be in the ledger. */
  readonly touch: (account: Account, clock: Clock) => void;
  /** The ledger is to have the account's record again, which then covers more allowance. */
  readonly record: (account: Account) => void;
  /** The account of a deleted campaign has come to rest. */
  readonly close: (account: Account, clock: Clock) => void;
  /** What paces an account; as a rule its controller. */
  readonly pacing?: Pick<PacingTick, 'begin' | 'run'>;
}

export class DutyCycle {
  private readonly parts: DutyParts;
  private readonly pacing: Pick<PacingTick, 'begin' | 'run'>;
  /** By place, from which its cycle of the second, of the five, or of the half minute follows as well. */
  private readonly rhythm: Uint8Array;
  /** Active accounts without a place of their own, which were reopened for late spend. */
  private readonly placeless = new Set<Account>();
  private readonly dueSoon = new Set<Account>();
  private cycles = 0;

  constructor(parts: DutyParts) {
    this.parts = parts;
    this.pacing = parts.pacing ?? new PacingTick(parts.table);
    this.rhythm = new Uint8Array(parts.table.slotCount);
  }

  /** Takes an account in that was opened. */
  begin(account: Account, clock: Clock): void {
    this.pacing.begin(account);
    this.pace(account, clock);
  }

  /** Runs the account's controller out of its turn. */
  pace(account: Account, clock: Clock): void {
    this.pacing.run(account, clock);
  }

  /** The account is paced each second from the next cycle on. */
  woken(account: Account, clock: Clock): void {
    account.activity.touchedMs = clock.steadyMs;
    if (this.hasPlace(account)) this.rhythm[this.placeOf(account)] = ACTIVE;
    else this.placeless.add(account);
  }

  forget(account: Account): void {
    if (this.hasPlace(account)) this.rhythm[this.placeOf(account)] = IDLE;
    this.placeless.delete(account);
    this.dueSoon.delete(account);
  }

  /** One turn of the cycle. @returns whether a second's first */
  turn(clock: Clock): boolean {
    const { cycles } = this;
    const phase = cycles % CYCLES_A_SECOND;
    this.cycles++;
    this.supplyCalled(clock);
    this.lookForDue(phase, clock);
    this.advanceDue(clock);
    this.tickThose(RESTING, cycles % CYCLES_A_REST, CYCLES_A_REST, clock);
    this.tickThose(SELDOM, cycles % CYCLES_A_SELDOM_TICK, CYCLES_A_SELDOM_TICK, clock);
    this.tickThose(ACTIVE, phase, CYCLES_A_SECOND, clock);
    if (phase === 0) for (const account of this.placeless) this.tick(account, clock);
    return phase === 0;
  }

  /** Those of every so many blocks: a cycle must not pass over the others. */
  private tickThose(rhythm: number, from: number, step: number, clock: Clock): void {
    const { accounts } = this.parts;
    for (let first = from * BLOCK; first < accounts.places; first += step * BLOCK) {
      for (let place = first; place < first + BLOCK; place++) {
        if (this.rhythm[place] !== rhythm) continue;
        const account = accounts.at(place);
        if (account !== undefined) this.tick(account, clock);
      }
    }
  }

  private hasPlace(account: Account): boolean {
    return this.parts.accounts.at(this.placeOf(account)) === account;
  }

  private placeOf(account: Account): number {
    return account.slot - this.parts.table.firstSlot;
  }

  private supplyCalled(clock: Clock): void {
    const { table, accounts, asked, record } = this.parts;
    const words = table.slotCount / 32;
    for (let word = 0; word < words; word++) {
      let bits = table.takeActivity(word);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits ^= 1 << bit;
        const account = accounts.at(word * 32 + bit);
        if (account === undefined) continue;
        if (account.listens) {
          this.woken(account, clock);
          account.heard(true);
        }
        account.supply(clock);
        asked(account, clock);
        if (account.allowanceShort) record(account);
      }
    }
  }

  /** Looks at a twentieth of all accounts for those due within the next second. */
  private lookForDue(phase: number, clock: Clock): void {
    const { accounts } = this.parts;
    const { dueAtMs, places } = accounts;
    for (let first = phase * BLOCK; first < places; first += CYCLES_A_SECOND * BLOCK) {
      for (let place = first; place < first + BLOCK && place < places; place++) {
        if ((dueAtMs[place] as number) > clock.wallMs + SOON_MS) continue;
        const account = accounts.at(place);
        if (account !== undefined) this.dueSoon.add(account);
      }
    }
  }

  private advanceDue(clock: Clock): void {
    let room = DUE_A_CYCLE_MAX;
    for (const account of this.dueSoon) {
      const isDue = account.dueAtMs <= clock.wallMs;
      if (isDue && room-- === 0) return;
      if (isDue) {
        account.advance(clock);
        this.parts.touch(account, clock);
      }
      // It has had its turn, just now or meanwhile with its controller's.
      if (account.dueAtMs > clock.wallMs + SOON_MS) this.dueSoon.delete(account);
    }
  }

  private tick(account: Account, clock: Clock): void {
    const { asked, record } = this.parts;
    const { activity } = account;
    account.advance(clock);
    const elapsedSeconds = (clock.steadyMs - account.tickedMs) / 1000;
    const asks = this.pacing.run(account, clock);
    if (asks > 0) {
      activity.touchedMs = clock.steadyMs;
      asked(account, clock);
    }
    account.heard(asks > 0);
    if (account.allowanceShort) record(account);
    if (account.atRest && clock.steadyMs - activity.touchedMs >= QUIET_MS) this.rest(account, clock);
    else if (this.hasPlace(account)) {
      this.rhythm[this.placeOf(account)] = isAskedSeldom(asks, elapsedSeconds) ? SELDOM : ACTIVE;
    }
  }

  private rest(account: Account, clock: Clock): void {
    const quietMs = clock.steadyMs - account.activity.touchedMs;
    if (account.campaign.status === 'DELETED') this.parts.close(account, clock);
    else if (this.hasPlace(account)) {
      this.rhythm[this.placeOf(account)] = quietMs >= IDLE_MS ? IDLE : RESTING;
    }
  }
}
