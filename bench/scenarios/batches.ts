/**
 * What batching gains: one bid request matched against many campaigns in one round trip. Decisions in JSON and in
 * msgpack, and durable spends, in batches of 1 to 1,000, each beside the bare endpoint that parses the same JSON
 * and answers as many constants. Decisions and spends are counted, not requests.
 */
import { Packr } from 'msgpackr';
import { spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, batchesOf, campaignIds, PRICES_A_CAMPAIGN, priceOf } from '../servers/campaigns.ts';
import type { Pacer } from '../servers/pacer.ts';
import { startReference } from '../servers/reference.ts';
import { logNotesOf, PARSING, Servers } from './comparison.ts';
import { denials } from './decisions.ts';
import { limitNotes, requestsPerBusySecond, roundsText, rowOf, spreadText } from './paired-report.ts';
import {
  PACER,
  type PairedLoad,
  pairedRounds,
  problemsOf,
  type Run,
  ratiosOf,
  type Target,
} from './paired-rounds.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';
import { miscounts } from './spends.ts';

const CAMPAIGNS = 1000;
const SIZES = [1, 10, 100, 1000];
const SMOKE_SIZES = [10];
const CONNECTIONS = 32;
const GOAL_SIZE = 100;
const GOAL_A_SECOND = 1_000_000;
const PACKED = 'pacer, msgpack';

const packr = new Packr({ useRecords: false, variableMapSize: true });

interface Kind {
  readonly name: string;
  readonly describe: string;
  readonly path: string;
  readonly field: 'requests' | 'events';
  readonly unit: string;
  readonly packs: boolean;
  readonly element: (id: string, at: number) => string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'batches-decisions',
    describe: 'decisions in batches of 1 to 1,000, JSON and msgpack, over 1,000 campaigns at 16,000 prices',
    path: '/pacing/decisions',
    field: 'requests',
    unit: 'decisions/s',
    packs: true,
    element: (id, at) => `{"campaign_id":"${id}","bid_cents":${priceOf(at)}}`,
  },
  {
    name: 'batches-spends',
    describe: 'durable spends in batches of 1 to 1,000 over 1,000 campaigns',
    path: '/spend/batch',
    field: 'events',
    unit: 'spends/s',
    packs: false,
    element: (id) => `{"campaign_id":"${id}","spend_cents":${BID_CENTS},"impressions":1}`,
  },
];

interface Sized {
  readonly size: number;
  readonly runs: readonly Run[];
}

export const batchScenarios: readonly Scenario[] = KINDS.map((kind) => ({
  name: kind.name,
  describe: kind.describe,
  run: (bench) => runKind(bench, kind),
}));

async function runKind(bench: Bench, kind: Kind): Promise<Report> {
  const servers = new Servers();
  const ids = campaignIds(bench.smoke ? 10 : CAMPAIGNS);
  try {
    const pacer = servers.keep(await bench.pods.start(ids));
    const found: Sized[] = [];
    for (const size of bench.smoke ? SMOKE_SIZES : SIZES) {
      found.push({ size, runs: await runSize(bench, kind, pacer, ids, size) });
    }
    return report(bench, kind, found, logNotesOf(pacer));
  } finally {
    await servers.stop();
  }
}

async function runSize(
  bench: Bench,
  kind: Kind,
  pacer: Pacer,
  ids: readonly string[],
  size: number,
): Promise<Run[]> {
  const elements = Array.from({ length: ids.length * PRICES_A_CAMPAIGN }, (_, at) =>
    kind.element(ids[at % ids.length] as string, at),
  );
  const bodies = batchesOf(kind.field, elements, size);
  const json: PairedLoad = { path: kind.path, connections: CONNECTIONS, bodies: () => bodies };
  const packed = bodies.map((body) => packr.pack(JSON.parse(body)).toString('latin1'));
  const reference = await startReference(bench.workshop, 'parse', size);
  try {
    const targets: Target[] = [
      { name: PACER, server: pacer, isPacer: true },
      { name: PARSING, server: reference, isPacer: false },
    ];
    if (kind.packs) {
      const load: PairedLoad = { ...json, bodies: () => packed, contentType: 'application/msgpack' };
      targets.push({ name: PACKED, server: pacer, isPacer: true, load });
    }
    return await pairedRounds(bench, targets, json);
  } finally {
    await reference.stop();
  }
}

function report(bench: Bench, kind: Kind, found: readonly Sized[], logNotes: readonly string[]): Report {
  const { unit } = kind;
  return {
    title: `${kind.name}: ${kind.describe}, ${CONNECTIONS} connections (driver ${bench.driver.name}, ${roundsText(bench)})`,
    columns: ['batch', 'server', 'requests/s', unit, 'p50 ms', 'p99 ms', 'busiest thread', `its µs for each`],
    rows: found.flatMap(({ size, runs }) => rowsOf(size, runs)),
    notes: [
      ...found.map(({ size, runs }) => {
        const ratio = spreadOf(ratiosOf(runs, PACER, PARSING));
        return `batches of ${whole(size)}: ${PACER} / ${PARSING}: ${spreadText(ratio)}`;
      }),
      ...(kind.packs ? goals(bench, found) : []),
      ...logNotes,
      ...limitNotes(
        [PACER, PARSING],
        found.flatMap(({ runs }) => runs),
      ),
    ],
    problems: found.flatMap(({ size, runs }) =>
      runs.flatMap((run) => [
        ...problemsOf(run),
        ...(kind.field === 'requests' ? denials(run, size) : miscounts(run, CONNECTIONS, size)),
      ]),
    ),
    figures: { driver: bench.driver.name, sizes: found },
  };
}

function rowsOf(size: number, runs: readonly Run[]): string[][] {
  const targets = [...new Set(runs.map((run) => run.target))].sort();
  return targets.map((target) => {
    const [, requests, p50, , p99, , busiest] = rowOf(target, runs);
    const own = runs.filter((run) => run.target === target);
    const each = spreadOf(own.map((run) => 1e6 / (requestsPerBusySecond(run) * size))).median;
    const texts = [requests, whole(perSecond(target, size, runs)), p50, p99, busiest].map(
      (text) => text ?? '',
    );
    return [whole(size), target, ...texts, fixed(each, 2)];
  });
}

/** Decisions or spends a second, the median of the rounds. */
function perSecond(target: string, size: number, runs: readonly Run[]): number {
  const own = runs.filter((run) => run.target === target);
  return size * spreadOf(own.map((run) => run.requestsPerSecond)).median;
}

function goals(bench: Bench, found: readonly Sized[]): string[] {
  const sized = found.find(({ size }) => size === GOAL_SIZE);
  if (sized === undefined) return [];
  return [PACER, PACKED].flatMap((target) => {
    const reached = perSecond(target, GOAL_SIZE, sized.runs);
    const goal = `${whole(GOAL_A_SECOND)} decisions/s in batches of ${GOAL_SIZE}: ${target}`;
    return goalNote(
      bench,
      goal,
      reached >= GOAL_A_SECOND,
      `${whole(reached)}/s, ${percent(reached / GOAL_A_SECOND)}`,
    );
  });
}
