/**
 * What more campaigns cost: decisions spread over ten to a hundred thousand of them, in an order that no cache
 * foresees, each number beside a pod with a hundred in the same rounds; and the memory that the pod holds, beside
 * a real Postgres. Campaigns stand in the database before the pod starts.
 *
 * A bare endpoint is sent the same bodies in turn: what it loses with more of them is not the pacer's, but that of a
 * driver and a kernel whose data no longer fit the caches. Another one also touches the memory that a decision cannot do
 * without, of as many campaigns: what it loses is the machine's memory. Pods stand still while others have their turns: a
 * pod paces what was bid for a while longer, which takes a good part of a core when that are 100,000 campaigns.
 */
import { type ResidentMemory, residentMemory } from '../report/resident-memory.ts';
import { median, type Spread, spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import { type Pacer, startPacer } from '../servers/pacer.ts';
import { type RunningServer, startReference } from '../servers/reference.ts';
import { seededDatabase } from '../servers/seeded-database.ts';
import { Servers } from './comparison.ts';
import { allowedNote, denials } from './decisions.ts';
import { judged, limitNotes, requestsPerBusySecond, roundsText, rowOf, spreadText } from './paired-report.ts';
import { PACER, type PairedLoad, pairedRounds, problemsOf, type Run, ratiosOf } from './paired-rounds.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const COUNTS = [10, 100, 1_000, 10_000, 100_000];
const SMOKE_COUNTS = [10, 300];
const BASE = 100;
const CONNECTIONS = 64;
const THROUGHPUT_MIN = 0.95;
/** Campaigns, and the most memory that a pod may hold with them. */
const RESIDENT_MB_MAX = [
  [1_000, 150],
  [100_000, 400],
] as const;

/** What each pod is measured beside. */
interface Beside {
  readonly base: Pacer;
  readonly bare: RunningServer;
  readonly touchingBase: RunningServer;
}

interface Counted {
  readonly campaigns: number;
  readonly readyMs: number;
  readonly idle: ResidentMemory;
  readonly loaded: ResidentMemory;
  /** Those of the pod with so many campaigns, of the one with a hundred beside it, and of the bare endpoints with both. */
  readonly runs: readonly Run[];
}

export const growthCampaignsScenario: Scenario = {
  name: 'growth-campaigns',
  describe: `decisions spread over 10 to 100,000 campaigns, each against ${BASE}, and memory, ${CONNECTIONS} connections`,
  async run(bench: Bench): Promise<Report> {
    const servers = new Servers();
    try {
      const base = servers.keep(await startWith(bench, BASE));
      const bare = servers.keep(await startReference(bench.workshop, 'parse'));
      const touchingBase = servers.keep(await startReference(bench.workshop, 'parse', 1, BASE));
      const found: Counted[] = [];
      for (const campaigns of bench.smoke ? SMOKE_COUNTS : COUNTS) {
        found.push(await measure(bench, { base, bare, touchingBase }, campaigns));
      }
      return report(bench, found);
    } finally {
      await servers.stop();
    }
  },
};

async function startWith({ workshop, databases, root, entry }: Bench, campaigns: number): Promise<Pacer> {
  const options = { DATABASE_URL: await seededDatabase(databases, root, campaigns) };
  return startPacer(workshop, { entry, dataDir: await workshop.subfolder('data'), options });
}

async function measure(bench: Bench, beside: Beside, campaigns: number): Promise<Counted> {
  const { base, bare, touchingBase } = beside;
  const servers = new Servers();
  try {
    const pacer = servers.keep(await startWith(bench, campaigns));
    const touching = servers.keep(await startReference(bench.workshop, 'parse', 1, campaigns));
    const idle = await residentMemory(pacer.pid);
    const targets = [
      { name: PACER, server: pacer, isPacer: true, load: loadOver(campaigns), stands: true },
      { name: baseName, server: base, isPacer: true, load: loadOver(BASE), stands: true },
      { name: BARE, server: bare, isPacer: false, load: loadOver(campaigns) },
      { name: bareBaseName, server: bare, isPacer: false, load: loadOver(BASE) },
      { name: TOUCHING, server: touching, isPacer: false, load: loadOver(campaigns) },
      { name: touchingBaseName, server: touchingBase, isPacer: false, load: loadOver(BASE) },
    ];
    const runs = await pairedRounds(bench, targets, loadOver(BASE));
    return { campaigns, readyMs: pacer.readyMs, idle, loaded: await residentMemory(pacer.pid), runs };
  } finally {
    await servers.stop();
  }
}

const baseName = `pacer, ${BASE} campaigns`;
const BARE = 'bare endpoint';
const bareBaseName = `bare endpoint, bodies of ${BASE} campaigns`;
const TOUCHING = 'bare endpoint that touches memory';
const touchingBaseName = `${TOUCHING}, of ${BASE} campaigns`;

function loadOver(campaigns: number): PairedLoad {
  const bodies = shuffled(campaignIds(campaigns)).map(
    (id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`,
  );
  return { path: '/pacing/decision', connections: CONNECTIONS, bodies: () => bodies };
}

/** The same order each time (Fisher and Yates, driven by a linear congruential generator). */
function shuffled(ids: readonly string[]): string[] {
  const order = [...ids];
  let state = 12_345;
  for (let at = order.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (at + 1));
    [order[at], order[other]] = [order[other] as string, order[at] as string];
  }
  return order;
}

function report(bench: Bench, found: readonly Counted[]): Report {
  const [least] = found;
  const runs = found.flatMap((each) => each.runs);
  return {
    title: `${growthCampaignsScenario.name}: ${growthCampaignsScenario.describe} (driver ${bench.driver.name}, ${roundsText(bench)})`,
    columns: [
      'campaigns',
      'decisions/s',
      `of ${BASE} campaigns`,
      'by its thread’s time',
      'bare endpoint, the same',
      'by its thread’s time',
      'touching memory',
      'by its thread’s time',
      'shard, of a core',
      'p50 ms',
      'p99 ms',
      'ready s',
      'idle MB',
      'loaded MB',
      'KB a campaign',
    ],
    rows: found.map((each) => rowOfCount(each, least)),
    notes: [
      'ratios are medians of the rounds; KB a campaign: what the loaded pod holds above the one with the fewest',
      ...(bench.driver.name === 'autocannon' ? ['autocannon turns round in 2,048 of the campaigns'] : []),
      ...goals(bench, found),
      allowedNote(runs),
      ...limitNotes([PACER], runs),
    ],
    problems: runs.flatMap((run) => [...problemsOf(run), ...denials(run, 1)]),
    figures: { driver: bench.driver.name, counts: found },
  };
}

function throughputRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, PACER, baseName));
}

/** The same by processor time of the busiest thread. */
function timeRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, PACER, baseName, requestsPerBusySecond));
}

/** What the same bodies cost a server that knows no campaigns. */
function bareRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, BARE, bareBaseName));
}

function bareTimeRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, BARE, bareBaseName, requestsPerBusySecond));
}

/** What the memory of as many campaigns costs a server that only touches it. */
function touchingRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, TOUCHING, touchingBaseName));
}

function touchingTimeRatioOf({ runs }: Counted): Spread {
  return spreadOf(ratiosOf(runs, TOUCHING, touchingBaseName, requestsPerBusySecond));
}

/** Of a core, what the busiest thread beside the edge took: it paces the campaigns that were bid for. */
function shardShareOf({ runs }: Counted): number {
  const own = runs.filter(({ target }) => target === PACER);
  return median(own.map(({ cpu }) => cpu?.otherThreadsBusy[0] ?? Number.NaN));
}

function rowOfCount(each: Counted, least: Counted | undefined): string[] {
  const { campaigns, runs, readyMs, idle, loaded } = each;
  const [, requests, p50, , p99] = rowOf(PACER, runs);
  const more = campaigns - (least?.campaigns ?? campaigns);
  const kilobytes = ((loaded.residentMb - (least?.loaded.residentMb ?? 0)) * 1024) / more;
  return [
    whole(campaigns),
    requests ?? '',
    fixed(throughputRatioOf(each).median, 3),
    fixed(timeRatioOf(each).median, 3),
    fixed(bareRatioOf(each).median, 3),
    fixed(bareTimeRatioOf(each).median, 3),
    fixed(touchingRatioOf(each).median, 3),
    fixed(touchingTimeRatioOf(each).median, 3),
    percent(shardShareOf(each)),
    p50 ?? '',
    p99 ?? '',
    fixed(readyMs / 1000, 1),
    fixed(idle.residentMb, 0),
    fixed(loaded.residentMb, 0),
    more < 900 ? '' : fixed(kilobytes, 1),
  ];
}

function goals(bench: Bench, found: readonly Counted[]): string[] {
  const most = found.at(-1);
  if (most === undefined) return [];
  const spread = spreadText(spreadOf(ratiosOf(most.runs, PACER, baseName)));
  return [
    `${whole(most.campaigns)} campaigns / ${BASE} campaigns: ${spread}`,
    `the bare endpoint with as many bodies: ${spreadText(bareRatioOf(most))}, by its thread’s time ${spreadText(bareTimeRatioOf(most))}`,
    `the bare endpoint that touches as much memory as a decision must: ${spreadText(touchingRatioOf(most))}, by its thread’s time ${spreadText(touchingTimeRatioOf(most))}`,
    ...goalNote(
      bench,
      `with ${whole(most.campaigns)} campaigns at least ${THROUGHPUT_MIN} of the decisions/s with ${BASE}`,
      judged(most.runs, throughputRatioOf(most), timeRatioOf(most)) >= THROUGHPUT_MIN,
      `${fixed(throughputRatioOf(most).median, 3)}, by processor time ${fixed(timeRatioOf(most).median, 3)}`,
    ),
    ...RESIDENT_MB_MAX.flatMap(([campaigns, megabytes]) => {
      const { idle, loaded } = found.find((each) => each.campaigns === campaigns) ?? most;
      const residentMb = Math.max(idle.residentMb, loaded.residentMb);
      const goal = `at most ${megabytes} MB with ${whole(campaigns)} campaigns`;
      return goalNote(bench, goal, residentMb <= megabytes, `${fixed(residentMb, 0)} MB`);
    }),
  ];
}
