/**
 * Bytes that are hardly HTTP, on connections of their own: requests with bytes changed anywhere, several in a row,
 * other protocols, noise. Each must be answered or its connection closed; nothing is known of what they do.
 */
import { connect } from 'node:net';
import { Dice } from './dice.ts';
import { FuzzRun, together } from './fuzz-run.ts';
import { mutatedBytes } from './mutations.ts';

const DEADLINE_MS = 25_000;
/** HTTP/9.9 is answered 505 by HTTP's own rules. */
const ALLOWED = /^(1\d\d|2\d\d|30[13]|4\d\d|505)$/;

const body = (text: string): string => `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const SPEND = '{"campaign_id":"raw","spend_cents":1}';

function wholeRequests(authorization: string): readonly string[] {
  const head = `host: 127.0.0.1\r\n${authorization}`;
  const chunked = `transfer-encoding: chunked\r\n\r\n5\r\n{"cam\r\n20\r\npaign_id":"raw","spend_cents":1}\r\n0\r\n\r\n`;
  return [
    `POST /spend/track HTTP/1.1\r\n${head}${body(SPEND)}`,
    `POST /spend/track HTTP/1.1\r\n${head}${chunked}`,
    `POST /pacing/decision HTTP/1.1\r\n${head}${body('{"campaign_id":"raw","bid_cents":1}')}`,
    `POST /campaigns HTTP/1.1\r\n${head}${body('{"name":"raw","daily_budget_cents":1}')}`,
    `PATCH /campaigns/raw HTTP/1.1\r\n${head}${body('{"name":"raw again"}')}`,
    `GET /budget/status/raw?explain=true HTTP/1.1\r\n${head}\r\n`,
    `GET /campaigns?limit=1 HTTP/1.1\r\n${head}\r\n`,
    `GET / HTTP/1.1\r\n${head}accept: text/html\r\n\r\n`,
    `HEAD /health HTTP/1.1\r\n${head}\r\n`,
    `GET /ws/budget-updates HTTP/1.1\r\n${head}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\x01\x02\x03\x04helloo\x88\x80abcd`,
    `GET /health HTTP/1.1\r\n${head}connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n`,
    `POST /login HTTP/1.1\r\n${head}${body('token=x')}`,
    `POST /spend/track HTTP/1.1\r\n${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n${head}\r\n`,
    `POST /spend/track HTTP/1.1\r\n${head}content-length: 1\r\ncontent-length: 37\r\n\r\n${SPEND}`,
    `POST /spend/track HTTP/1.1\r\n${head}content-length: 99999999999999999999\r\n\r\n${SPEND}`,
    `POST /spend/track HTTP/1.1\r\n${head}expect: 100-continue\r\n${body(SPEND)}`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
    '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
    'GET /health\r\n\r\n',
    `GET http://127.0.0.1/health HTTP/1.1\r\n${head}\r\n`,
    `OPTIONS * HTTP/1.1\r\n${head}\r\n`,
    `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${head}\r\n`,
  ];
}

export async function fuzzRaw(port: number, token: string, seed: number, requests: number): Promise<FuzzRun> {
  const run = new FuzzRun(`bytes to :${port}`, requests);
  const whole = wholeRequests(`authorization: Bearer ${token}\r\n`);
  await together(64, async (worker) => {
    const dice = new Dice(seed + 3_000 + port + worker);
    for (;;) {
      const inARow = 1 + dice.int(6);
      if (!run.take(inARow)) return;
      const parts = Array.from({ length: inARow }, () => {
        if (dice.chance(0.03)) return dice.bytes(1 + dice.int(300));
        const bytes = Buffer.from(dice.pick(whole), 'latin1');
        return dice.chance(0.5) ? mutatedBytes(dice, bytes) : bytes;
      });
      const bytes = Buffer.concat(parts);
      const said = await exchange(port, bytes, dice.chance(0.1));
      if (said === null) run.fault('neither answered nor closed', bytes);
      else noteStatuses(run, said, bytes);
    }
  });
  return run;
}

/** What came back until the connection was closed, at the latest because this side has closed its own; null = never. */
function exchange(port: number, bytes: Buffer, cut: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const late = setTimeout(() => {
      resolve(null);
      socket.destroy();
    }, DEADLINE_MS);
    let said = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      resolve(said);
    });
    if (cut) socket.write(bytes, () => socket.resetAndDestroy());
    else socket.end(bytes);
  });
}

function noteStatuses(run: FuzzRun, said: string, bytes: Buffer): void {
  const statuses = [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1] as string);
  if (statuses.length === 0) run.closed++;
  for (const status of statuses) {
    run.statuses.set(Number(status), (run.statuses.get(Number(status)) ?? 0) + 1);
    if (!ALLOWED.test(status)) run.fault(`answered ${status}: ${said.slice(0, 300)}`, bytes);
  }
}
