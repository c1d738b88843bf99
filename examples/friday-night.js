/**
 * Friday night: $10,000, FRONT_LOADED, heavy traffic. Drives `pacer replay` through a whole day in lock step,
 * as a bidder drives the service, and prints what the money did. Needs a build: `npm run build`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PACER = fileURLToPath(new URL('../dist/cli/pacer.js', import.meta.url));
const DAY_MS = Date.UTC(2026, 2, 6); // a Friday
const SECONDS = 86_400;
const BUDGET_MICROS = 10_000_000_000;
const BID_MICROS = 200_000; // 20 cents
const WIN_RATE = 0.25;
const NOTICE_SECONDS_MAX = 12;

/** Bids asked for in each second, by the hour: an evening that nobody's budget is made for. */
function bidsAsked(second) {
  const hour = second / 3600;
  return hour < 17 ? 8 : 8 + Math.round(16 * Math.sin(((hour - 17) / 7) * Math.PI));
}

/** Numbers in [0, 1), the same in each run. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

const pacer = spawn(process.execPath, [PACER, 'replay'], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: pacer.stdout })[Symbol.asyncIterator]();
const random = seeded(7);
const notices = new Map();
let spentMicros = 0;
let reason = '';

function send(lines) {
  pacer.stdin.write(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
}

function clock(second) {
  return new Date(DAY_MS + second * 1000).toISOString().slice(11, 19);
}

function say(second, what) {
  const share = ((100 * spentMicros) / BUDGET_MICROS).toFixed(1);
  console.log(
    `${clock(second)}  $${(spentMicros / 1e6).toFixed(2).padStart(8)}  ${share.padStart(5)}%  ${what}`.trimEnd(),
  );
}

/** A later second in which a bid's win or loss is known. */
function noteLater(second, line) {
  const at = second + 1 + Math.floor(random() * NOTICE_SECONDS_MAX);
  const due = notices.get(at) ?? [];
  due.push({ ...line, t_ms: DAY_MS + at * 1000 });
  notices.set(at, due);
}

function report(second) {
  const due = notices.get(second) ?? [];
  notices.delete(second);
  for (const { spend_micros } of due) spentMicros += spend_micros;
  return due;
}

async function readAnswers(second, bids) {
  for (let bid = 0; bid < bids; bid++) {
    const { value } = await answers.next();
    const { id, allow, max_bid_micros, reason: given } = JSON.parse(value);
    const breaker = given === 'circuit_breaker_open' || given === 'probe' ? given : '';
    if (breaker !== reason) {
      if (breaker === 'circuit_breaker_open')
        say(second, reason === 'probe' ? 'two test bids are out' : 'the breaker trips: nothing may bid');
      else if (breaker === 'probe') say(second, 'the breaker is half-open');
      else say(second, 'the breaker closes, guarded: nine of ten bids are held back');
      reason = breaker;
    }
    const won = random() < WIN_RATE;
    if (allow)
      noteLater(second, {
        type: 'spend',
        bid_id: id,
        campaign_id: 'friday',
        spend_micros: won ? max_bid_micros : 0,
      });
  }
}

const campaign = {
  id: 'friday',
  name: 'Friday night',
  daily_budget_cents: 1_000_000,
  pacing_mode: 'FRONT_LOADED',
};
send([{ type: 'campaign', t_ms: DAY_MS, campaign }]);
for (let second = 0; second < SECONDS; second++) {
  const t_ms = DAY_MS + second * 1000;
  const bids = Array.from({ length: bidsAsked(second) }, (_, bid) => ({
    type: 'bid',
    t_ms,
    id: `${second}-${bid}`,
    campaign_id: 'friday',
    bid_micros: BID_MICROS,
  }));
  send([...report(second), ...bids]);
  await readAnswers(second, bids.length);
  if (second % 7200 === 0 && second > 0) say(second, '');
}
send([...report(SECONDS - 1), { type: 'end', t_ms: DAY_MS + SECONDS * 1000 - 1 }]);
const summary = JSON.parse((await answers.next()).value);
say(SECONDS - 1, `the day ends; overspent $${(summary.overspent_micros / 1e6).toFixed(2)}`);
pacer.stdin.end();
await once(pacer, 'exit');
