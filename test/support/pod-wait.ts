/** Waiting for a condition with a deadline, and a place and time of day where nothing turns meanwhile. */

const DEADLINE_MS = 30_000;
const POLL_MS = 25;

/** Asks until the answer is neither undefined, null nor false, and returns it. */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | null | false> | Answer | undefined | null | false,
  deadlineMs = DEADLINE_MS,
): Promise<Answer> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await pause(POLL_MS);
  }
}

/** Lets time pass where the passing of time is what is tested. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const ZONES = ['UTC', 'Asia/Kolkata', ...Array.from({ length: 12 }, (_, at) => `Etc/GMT-${at + 1}`)];
const HALF_HOUR_ZONES = ['Asia/Kabul', 'Asia/Yangon', 'Australia/Darwin', 'Pacific/Marquesas'];

/** A zone in which neither the day nor the hour turns within the next minutes. */
export function calmZone(nowMs = Date.now()): string {
  const zone = [...ZONES, ...HALF_HOUR_ZONES].find((name) => {
    const { hour, minute } = timeIn(name, nowMs);
    return hour >= 1 && hour <= 22 && minute >= 1 && minute < 50;
  });
  if (zone === undefined) throw new Error('no zone is calm now');
  return zone;
}

/** Local hour and minute. */
export function timeIn(zone: string, nowMs: number): { readonly hour: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  const [hour, minute] = format.format(nowMs).split(':');
  return { hour: Number(hour), minute: Number(minute) };
}
