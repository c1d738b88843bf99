/**
 * What a seed decides before its history begins: the fleet, the campaigns, the weather between pods and Redis, and
 * which kinds of trouble it meets. One theme at a time finds what many at once would hide.
 */
import type { Campaign } from '../../../src/domain/campaign.ts';
import { micros } from '../../../src/domain/money.ts';
import { campaignOf } from '../../support/shard-harness.ts';
import type { Weather } from './pod-link.ts';

export const STEPS = [
  'bid',
  'win',
  'lose',
  'wait',
  'raise',
  'reset',
  'zone',
  'cut',
  'stand still',
  'kill',
  'kill in a commit',
  'restart',
  'lose a pod',
  'wipe',
  'save',
  'restore',
  'hours',
  'idle',
] as const;
export type Step = (typeof STEPS)[number];
type Weights = Partial<Record<Step, number>>;

const EVERY_DAY: Weights = { bid: 40, win: 26, lose: 5, wait: 10, raise: 2, reset: 1 };

const THEMES: Readonly<Record<string, Weights>> = {
  calm: {},
  cuts: { cut: 10 },
  'long cuts': { cut: 8, hours: 4 },
  crashes: { kill: 6, 'kill in a commit': 6, restart: 4, hours: 1 },
  losses: { 'lose a pod': 3, kill: 3, cut: 3, hours: 3 },
  wipes: { wipe: 4, cut: 3, kill: 2 },
  snapshots: { save: 5, restore: 4, cut: 2, kill: 3 },
  stalls: { 'stand still': 9, cut: 3, hours: 1 },
  idleness: { idle: 3, cut: 5 },
  zones: { zone: 4, hours: 3, idle: 2, cut: 4, kill: 3, restart: 2, wipe: 1, 'stand still': 2 },
  storm: {
    cut: 4,
    'stand still': 3,
    kill: 2,
    'kill in a commit': 2,
    restart: 2,
    'lose a pod': 1,
    wipe: 1,
    save: 1,
    restore: 1,
    hours: 2,
  },
};

const HOUR_MS = 3_600_000;
/** From east to west. */
export const ZONES = ['Pacific/Kiritimati', 'Asia/Kolkata', 'UTC', 'America/New_York', 'Pacific/Niue'];

export interface Plan {
  readonly theme: string;
  readonly weights: Readonly<Weights>;
  readonly pods: number;
  readonly steps: number;
  readonly reservationTtlMs: number;
  readonly flushMs: number;
  readonly weather: Weather;
  /** Ms since the epoch. */
  readonly epochMs: number;
  readonly campaigns: readonly Campaign[];
}

export function drawPlan(seed: number, random: () => number): Plan {
  const names = Object.keys(THEMES);
  const theme = names[Math.floor(random() * names.length)] ?? 'calm';
  const rough = random() < 0.4;
  // Some begin a few seconds before midnight.
  const midnight = Date.parse('2026-03-02T00:00:00Z');
  const epochMs = random() < 0.25 ? midnight - 500 - Math.floor(random() * 8_000) : midnight + 12 * HOUR_MS;
  const count = random() < 0.6 ? 1 : 2;
  return {
    theme,
    weights: { ...EVERY_DAY, ...THEMES[theme] },
    pods: 2 + Math.floor(random() * 3),
    steps: 45,
    reservationTtlMs: random() < 0.5 ? 2_000 : 5_000,
    flushMs: 100 + Math.floor(random() * 300),
    weather: {
      loss: rough ? 0.1 : 0,
      lateness: rough ? 0.08 : 0,
      delayMsMax: random() < 0.7 ? 20 : 200,
    },
    epochMs,
    campaigns: Array.from({ length: count }, (_, at) =>
      drawCampaign(`c${seed}-${at}`, theme, epochMs, random),
    ),
  };
}

function drawCampaign(id: string, theme: string, epochMs: number, random: () => number): Campaign {
  const dailyBudgetMicros = 1_000 + Math.floor(random() * 100_000);
  const total = random() < 0.3 ? Math.floor(dailyBudgetMicros * (0.6 + random())) : null;
  // Half of them are brand new.
  const ageMs = random() < 0.5 ? 0 : 30 * 24 * HOUR_MS;
  return campaignOf(id, dailyBudgetMicros, {
    // In the east, from where zones can bring the date back.
    timezone: theme === 'zones' ? (ZONES[0] ?? 'UTC') : 'UTC',
    totalBudgetMicros: total === null ? null : micros(total),
    createdAt: new Date(epochMs - ageMs).toISOString(),
  });
}
