/**
 * What must hold after every step. What bidders may still win, what pods may still allow without asking anybody, and
 * what was answered as spent is never more than the budget and the bound that books.ts allows; every answered spend is
 * in its pod's ledger; no pod uses more of a lease than Redis keeps for it.
 */
import type { Books } from './books.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import type { SimulatedRedis, StoredLease } from './simulated-redis.ts';

/** What the pod can still allow of its lease without another word from Redis, micros. */
export function freeMicros(pod: SimulatedPod, campaignId: string): number {
  const account = pod.up ? pod.account(campaignId) : undefined;
  if (account === undefined) return 0;
  const { paced } = account;
  const usable = paced.fleet?.lease.usable(pod.readClock().steadyMs) ?? 0;
  const onTable = pod.onTableMicros(campaignId);
  if (usable === 0 && pod.standsStill) return 0; // it takes what is on the table back before it goes on
  const unseen = account.onTableMicros - onTable;
  const reserved = paced.reservations.totalMicros + unseen;
  const ofLease = usable - paced.counters.spentDayMicros - reserved;
  const ofBudget = paced.budgetMicros - paced.spentDayMicros - reserved;
  return Math.max(onTable, Math.min(ofLease, ofBudget), 0);
}

/** @throws Error that says what is broken */
export async function audit(
  books: Books,
  pods: readonly SimulatedPod[],
  redis: SimulatedRedis,
): Promise<void> {
  const { days } = books;
  const { id } = books.campaign;
  auditLedgers(books, pods);
  auditBudgets(books, pods);
  const leases = new Map(
    await Promise.all(days.map(async (day) => [day, await redis.leases(id, day)] as const)),
  );
  for (const pod of pods) {
    const account = pod.up ? pod.account(id) : undefined;
    if (account === undefined || books.pod(pod.name).forgotten !== null) continue;
    const usable = account.paced.fleet?.lease.usable(pod.readClock().steadyMs) ?? 0;
    const stored = leases.get(pod.dayOf(id))?.get(pod.name);
    const eve = newestBefore(leases, pod.dayOf(id))?.get(pod.name);
    let kept = 0;
    if (stored !== undefined) kept = stored.endsAtMs > redis.nowMs ? stored.leaseMicros : 0;
    else if (eve !== undefined && eve.endsAtMs > redis.nowMs)
      kept = Math.max(eve.leaseMicros, eve.floorMicros) - eve.spentMicros;
    if (usable > kept) throw new Error(`${id}: ${pod.name} uses a lease of ${usable}, Redis keeps ${kept}`);
  }
}

function auditLedgers(books: Books, pods: readonly SimulatedPod[]): void {
  const { id } = books.campaign;
  for (const pod of pods) {
    const account = pod.up ? pod.account(id) : undefined;
    if (account === undefined) continue;
    const { spentTotalMicros, spentDayMicros } = account.paced.counters;
    const { spentMicros, spentByDay } = books.pod(pod.name);
    if (pod.standsStill) continue; // what stands in its ports was not answered
    if (spentTotalMicros !== spentMicros)
      throw new Error(`${id}: ${pod.name} counts ${spentTotalMicros}, and answered ${spentMicros}`);
    const day = pod.dayOf(id);
    if (spentDayMicros !== (spentByDay.get(day) ?? 0))
      throw new Error(`${id}: ${pod.name} counts ${spentDayMicros} of ${day}, and answered otherwise`);
  }
}

function auditBudgets(books: Books, pods: readonly SimulatedPod[]): void {
  const { id, dailyBudgetMicros, totalBudgetMicros } = books.campaign;
  let free = 0;
  for (const pod of pods) free += freeMicros(pod, id);
  const open = books.openMicros() + free;
  const { days, today } = books;
  for (const day of days) {
    const spent = books.spentOf(day);
    const bound = books.boundOf(day);
    const over = spent + (day === today ? open : 0) - dailyBudgetMicros;
    if (over > bound)
      throw new Error(
        `${id}: ${day} may be over by ${over}, at most ${bound} is allowed: spent ${spent}, in flight ${books.openMicros()}, free ${free}, budget ${dailyBudgetMicros}`,
      );
  }
  if (totalBudgetMicros === null) return;
  const over = books.spentMicros + open - totalBudgetMicros;
  if (over > books.boundMicros)
    throw new Error(
      `${id}: the total may be over by ${over}, at most ${books.boundMicros} is allowed: spent ${books.spentMicros}, in flight ${books.openMicros()}, free ${free}, budget ${totalBudgetMicros}`,
    );
}

/** The leases of the newest day before one that has any. */
function newestBefore(
  leases: ReadonlyMap<string, ReadonlyMap<string, StoredLease>>,
  day: string,
): ReadonlyMap<string, StoredLease> | undefined {
  const older = [...leases].filter(([name, stored]) => name < day && stored.size > 0).map(([name]) => name);
  return leases.get(older.sort().at(-1) ?? '');
}
