/** Numbers and times in words and figures, by the browser's locale. Money comes in cents. */

const CURRENCY = 'USD';
const money2 = new Intl.NumberFormat(undefined, { style: 'currency', currency: CURRENCY });
const money0 = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: CURRENCY,
  maximumFractionDigits: 0,
});
const money4 = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: CURRENCY,
  minimumFractionDigits: 2,
  maximumFractionDigits: 4,
});
const compactMoney = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: CURRENCY,
  notation: 'compact',
  maximumFractionDigits: 1,
});
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

export const CURRENCY_SIGN = money0.formatToParts(0).find((part) => part.type === 'currency')?.value ?? '$';

export const NOTHING = '–';

/** `$1,234.50`; whole dollars from a hundred thousand on. */
export function money(cents: number): string {
  return (Math.abs(cents) >= 10_000_000 ? money0 : money2).format(cents / 100);
}

/** As {@link money}, with up to four decimals where the amount is small: prices of impressions. */
export function price(cents: number): string {
  return (Math.abs(cents) < 100 ? money4 : money2).format(cents / 100);
}

/** For axes: `$1.2K`. */
export function shortMoney(cents: number): string {
  const size = Math.abs(cents);
  if (size >= 100_000) return compactMoney.format(cents / 100);
  return (size >= 1_000 || size === 0 ? money0 : money2).format(cents / 100);
}

/** For axes of a small range: `$1,915`, with cents between dollars. */
export function axisMoney(cents: number): string {
  const isWhole = Math.abs(cents - 100 * Math.round(cents / 100)) < 1e-6;
  return (isWhole ? money0 : money2).format(cents / 100);
}

export function count(value: number): string {
  return Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value);
}

export function rate(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

/** A share 0–1 as percent. */
export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function formatter(timezone: string, options: Intl.DateTimeFormatOptions, key: string): Intl.DateTimeFormat {
  const name = `${key} ${timezone}`;
  const known = clocks.get(name);
  if (known !== undefined) return known;
  if (clocks.size > 200) clocks.clear();
  const made = new Intl.DateTimeFormat(undefined, { timeZone: timezone, hourCycle: 'h23', ...options });
  clocks.set(name, made);
  return made;
}

const HM: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };

/** `14:05` on the wall of a zone. */
export function clockIn(timezone: string, at: number | Date): string {
  return formatter(timezone, HM, 'hm').format(at);
}

export function clockSecondsIn(timezone: string, at: number | Date): string {
  return formatter(timezone, { ...HM, second: '2-digit' }, 'hms').format(at);
}

/** `22 Nov, 14:05` on the wall of a zone. */
export function momentIn(timezone: string, at: number | Date | string): string {
  const options: Intl.DateTimeFormatOptions = { ...HM, day: 'numeric', month: 'short' };
  return formatter(timezone, options, 'dmhm').format(new Date(at));
}

/** `Sun 22 Nov` of a `YYYY-MM-DD`. */
export function dayName(date: string): string {
  const options: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric', month: 'short' };
  return formatter('UTC', options, 'wdm').format(new Date(`${date}T00:00:00Z`));
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** `FRONT_LOADED` as `Front-loaded`. */
const WORDS: Readonly<Record<string, string>> = {
  EVEN: 'Even',
  ASAP: 'ASAP',
  FRONT_LOADED: 'Front-loaded',
  ADAPTIVE: 'Adaptive',
  ACTIVE: 'Active',
  PAUSED: 'Paused',
  ENDED: 'Ended',
  DELETED: 'Deleted',
  THROTTLE: 'Throttle',
  BID: 'Bid',
  CLOSED: 'Closed',
  OPEN: 'Open',
  HALF_OPEN: 'Half-open',
};

export function word(term: string): string {
  return WORDS[term] ?? plain(term);
}

/** `circuit_breaker` as `Circuit breaker`. */
export function plain(term: string): string {
  const text = term.replaceAll(/[_.]/g, ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
