/**
 * The demo's bidder: makes the sample campaigns through the API, then asks, wins and loses as a bidder does, on the
 * pod's own loopback ports. Bounded: one request of each kind under way, and bids in flight up to a limit. It holds
 * nothing that matters; the supervisor ends it with the process.
 */
import { workerData } from 'node:worker_threads';
import { seededRandom } from '../domain/seeded-random.ts';
import { arrivals, bidFor, outcomeOf, tideAt } from './market.ts';
import { hostTimezone, type SampleCampaign, sampleCampaigns } from './sample-campaigns.ts';

export interface BidderStart {
  /** Where the core service and the management API are: `http://127.0.0.1:8080`. */
  readonly core: string;
  readonly api: string;
}

interface Pending {
  readonly campaignId: string;
  readonly bidId: string;
  readonly spendCents: number;
  readonly isClicked: boolean;
  readonly dueMs: number;
}

const TURN_MS = 100;
const RETRY_MS = 500;
const ANSWER_DEADLINE_MS = 10_000;
const IN_FLIGHT_MAX = 2_000;

const { core, api } = workerData as BidderStart;
const random = seededRandom(Date.now());
const run = Date.now().toString(36);
let pending: Pending[] = [];
let bids = 0;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function post<Body>(url: string, body: unknown): Promise<{ status: number; body: Body }> {
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  });
  return { status: answer.status, body: (await answer.json()) as Body };
}

/** The pod makes the campaigns itself when it is new, with their history; they are there when it is ready. */
async function untilReady(): Promise<void> {
  for (;;) {
    const isReady = await fetch(`${core}/health/ready`, {
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await pause(RETRY_MS);
  }
}

/** Tries until the pod is there; a campaign that exists already stays as it is. */
async function createCampaigns(campaigns: readonly SampleCampaign[]): Promise<void> {
  for (const { body } of campaigns) {
    for (;;) {
      const status = await post(`${api}/campaigns`, body).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 201 || status === 409) break;
      await pause(RETRY_MS);
    }
  }
}

async function ask(campaigns: readonly SampleCampaign[], nowMs: number): Promise<void> {
  const asked = campaigns.flatMap((campaign) =>
    Array.from(
      { length: arrivals((campaign.asksPerSecond * tideAt(nowMs) * TURN_MS) / 1000, random) },
      () => ({
        campaign,
        request: {
          campaign_id: campaign.body.id,
          bid_cents: bidFor(campaign, random),
          bid_id: `${run}-${++bids}`,
        },
      }),
    ),
  );
  if (asked.length === 0 || pending.length > IN_FLIGHT_MAX) return;
  const { status, body } = await post<{
    decisions: readonly { allow_bid: boolean; max_bid_cents: number }[];
  }>(`${core}/pacing/decisions`, { requests: asked.map(({ request }) => request) });
  if (status !== 200) return;
  for (const [at, { campaign, request }] of asked.entries()) {
    const decision = body.decisions[at];
    if (decision?.allow_bid !== true) continue;
    const { spendCents, noticeMs, isClicked } = outcomeOf(campaign, decision.max_bid_cents, random);
    pending.push({
      campaignId: request.campaign_id,
      bidId: request.bid_id,
      spendCents,
      isClicked,
      dueMs: nowMs + noticeMs,
    });
  }
}

/** Reports what is due. What cannot be told now is told with the next turn. */
async function report(nowMs: number): Promise<void> {
  const due = pending.filter(({ dueMs }) => dueMs <= nowMs).slice(0, 500);
  if (due.length === 0) return;
  const wins = due.filter(({ spendCents }) => spendCents > 0);
  const events = wins.map(({ campaignId, bidId, spendCents, isClicked }) => ({
    campaign_id: campaignId,
    spend_cents: spendCents,
    impressions: 1,
    clicks: isClicked ? 1 : 0,
    event_id: bidId,
    bid_id: bidId,
  }));
  if (events.length > 0) {
    const { status } = await post(`${core}/spend/batch`, { events });
    if (status !== 200) return;
  }
  const told = new Set(due);
  pending = pending.filter((bid) => !told.has(bid));
  for (const { campaignId, bidId, spendCents } of due) {
    if (spendCents === 0) await post(`${core}/bid/lost`, { bid_id: bidId, campaign_id: campaignId });
  }
}

async function bid(): Promise<void> {
  const campaigns = sampleCampaigns(hostTimezone());
  await untilReady();
  await createCampaigns(campaigns);
  for (;;) {
    const startedMs = Date.now();
    try {
      await report(startedMs);
      await ask(campaigns, startedMs);
      await pause(Math.max(1, TURN_MS - (Date.now() - startedMs)));
    } catch {
      // The pod starts, ends or is busy: a bidder goes on when it is there again.
      await pause(RETRY_MS);
    }
  }
}

void bid();
