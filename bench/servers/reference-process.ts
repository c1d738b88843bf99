/**
 * Entry of a reference server: bare uWebSockets.js on one thread, which collects each body, parses it when
 * told `parse`, and answers a constant of a real answer's shape and headers. It is what an answer costs
 * before any pacing, and the yardstick of every ratio. It tells its port over IPC.
 */
import { App, type HttpResponse, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';

const parses = process.argv[2] === 'parse';
const batch = Number(process.argv[3]);
const DECISION = '{"allow_bid":true,"max_bid_cents":0.15,"throttle_rate":0,"reason":"within_budget"}';
const DECISIONS = `{"decisions":[${Array.from({ length: batch }, () => DECISION).join(',')}]}`;
const SPEND = '{"status":"success"}';
const SPENDS = `{"results":[${Array.from({ length: batch }, () => SPEND).join(',')}]}`;

function reply(res: HttpResponse, body: Buffer, answer: string): void {
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
