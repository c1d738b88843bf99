/**
 * Entry of a reference server: bare uWebSockets.js on one thread, which collects each body, parses it when
 * told `parse`, and answers a constant of a real answer's shape and headers. It is what an answer costs
 * before any pacing, and the yardstick of every ratio. It tells its port over IPC.
 *
 * Told a number of campaigns it also touches, with each request, what a decision on one of so many cannot do without: a
 * place in an index, the two cache lines of a slot, and a lane. What that costs is the machine's memory, not the pacer.
 */
import { App, type HttpResponse, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { LANE_FIELDS, SLOT_BYTES, SLOT_WORDS, WORD_ALLOWANCE } from '../../src/table/layout.ts';

const parses = process.argv[2] === 'parse';
const batch = Number(process.argv[3]);
const campaigns = Number(process.argv[4]);
const DECISION = '{"allow_bid":true,"max_bid_cents":0.15,"throttle_rate":0,"reason":"within_budget"}';
const DECISIONS = `{"decisions":[${Array.from({ length: batch }, () => DECISION).join(',')}]}`;
const SPEND = '{"status":"success"}';
const SPENDS = `{"results":[${Array.from({ length: batch }, () => SPEND).join(',')}]}`;

let draw = 1;
/** Slots and lanes as table/layout.ts has them; an index leads to them, in an order that no cache foresees. */
const index = shuffledPlaces(campaigns);
const slots = new Int32Array(new SharedArrayBuffer(campaigns * SLOT_BYTES)).fill(1);
const lanes = new Float64Array(new SharedArrayBuffer(campaigns * LANE_FIELDS * 8)).fill(1);

function shuffledPlaces(count: number): Int32Array {
  const places = new Int32Array(count).map((_, place) => place);
  for (let at = count - 1; at > 0; at--) {
    const other = drawBelow(at + 1);
    [places[at], places[other]] = [places[other] as number, places[at] as number];
  }
  return places;
}

function drawBelow(limit: number): number {
  draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((draw / 2 ** 32) * limit);
}

function touch(): void {
  const slot = index[drawBelow(campaigns)] as number;
  const word = slot * SLOT_WORDS;
  Atomics.sub(slots, word + WORD_ALLOWANCE, 1);
  const lane = slot * LANE_FIELDS;
  lanes[lane] = (lanes[lane] as number) + (slots[word] as number);
}

function reply(res: HttpResponse, body: Buffer, answer: string): void {
  if (campaigns > 0) touch();
  if (parses && JSON.parse(body.toString('utf8')) === null) throw new Error('a body held nothing');
  res.writeHeader('content-type', 'application/json').end(answer);
}

function answerWith(answer: string): (res: HttpResponse) => void {
  return (res) => {
    let parts: Buffer | null = null;
    res.onAborted(() => undefined);
    res.onData((chunk, isLast) => {
      const piece = Buffer.from(chunk);
      if (isLast) reply(res, parts === null ? piece : Buffer.concat([parts, piece]), answer);
      // uWebSockets.js takes the chunk back: concat copies it.
      else parts = parts === null ? Buffer.concat([piece]) : Buffer.concat([parts, piece]);
    });
  };
}

const app = App();
app.post('/pacing/decision', answerWith(DECISION));
app.post('/pacing/decisions', answerWith(DECISIONS));
app.post('/spend/track', answerWith(SPEND));
app.post('/spend/batch', answerWith(SPENDS));
app.listen('127.0.0.1', 0, (socket) => {
  if (socket === false) throw new Error('the reference cannot listen');
  const end = (): void => {
    us_listen_socket_close(socket);
    app.close();
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', end);
  process.once('disconnect', end);
  process.send?.({ port: us_socket_local_port(socket) });
});
