/** The campaigns of the demo, and what the market pays for them. Money in cents. */
import type { PacingMode } from '../domain/campaign.ts';

export interface SampleCampaign {
  readonly body: {
    readonly id: string;
    readonly name: string;
    readonly daily_budget_cents: number;
    readonly timezone: string;
    readonly pacing_mode: PacingMode;
    readonly creative: { readonly demo: true };
  };
  /** Bid requests a second that it matches, on average. */
  readonly asksPerSecond: number;
  /** Mean bid; bids vary around it. */
  readonly bidCents: number;
  /** Share of its bids that win, at the mean bid. */
  readonly winRate: number;
  /** Whether its made-up history ends with yesterday, so that its whole day is seen. */
  readonly startsDayAnew?: true;
}

const mark = { demo: true } as const;

/** Steady, front-loaded, and one so small that its breaker is seen at work within minutes. */
export function sampleCampaigns(timezone: string): readonly SampleCampaign[] {
  return [
    {
      body: {
        id: 'demo-spring-sale',
        name: 'Spring sale (demo)',
        daily_budget_cents: 240_000,
        timezone,
        pacing_mode: 'EVEN',
        creative: mark,
      },
      asksPerSecond: 14,
      bidCents: 4,
      winRate: 0.42,
    },
    {
      body: {
        id: 'demo-weekend-stream',
        name: 'Weekend stream (demo)',
        daily_budget_cents: 360_000,
        timezone: 'America/New_York',
        pacing_mode: 'FRONT_LOADED',
        creative: mark,
      },
      asksPerSecond: 18,
      bidCents: 5,
      winRate: 0.35,
    },
    {
      body: {
        id: 'demo-flash-offer',
        name: 'Flash offer (demo)',
        daily_budget_cents: 6_000,
        timezone,
        pacing_mode: 'ASAP',
        creative: mark,
      },
      asksPerSecond: 8,
      bidCents: 3,
      winRate: 0.5,
      startsDayAnew: true,
    },
  ];
}

/** Where the machine is, which is where somebody looks at the demo. */
export function hostTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
