/**
 * Entry of a process that holds open dashboards: it asks for `/ws/budget-updates` as browsers do, reads what comes and
 * answers pings. It reads frames by their heads alone, and runs at the lowest priority: dashboards are other people's
 * machines. One of them, which takes no compressed frames, reads the messages too, to see what was told. It tells the
 * port over IPC where `GET /` answers what came since the last time.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, setPriority } from 'node:os';
import type { Duplex } from 'node:stream';
import { FrameReader, PONG_EMPTY } from './frame-reader.ts';

/** What came since the last time that somebody asked. */
export interface DashboardsReading {
  readonly connected: number;
  /** Data frames and bytes, of all dashboards together. */
  readonly frames: number;
  readonly bytes: number;
  /** Rows of campaigns that the one which reads was told of. */
  readonly rows: number;
  /** The longest time that any of them heard nothing, ms. */
  readonly silenceMsMax: number;
}

const OFFER = 'permessage-deflate; client_max_window_bits';
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;

const [url = '', count = '0', query = ''] = process.argv.slice(2);
let connected = 0;
let frames = 0;
let bytes = 0;
let rows = 0;
let silenceMsMax = 0;
const heardAtMs: number[] = [];

setPriority(constants.priority.PRIORITY_LOW);

function hear(dashboard: number): void {
  const nowMs = performance.now();
  silenceMsMax = Math.max(silenceMsMax, nowMs - (heardAtMs[dashboard] ?? nowMs));
  heardAtMs[dashboard] = nowMs;
  frames++;
}

function watch(dashboard: number, socket: Duplex, head: Buffer): void {
  const reads = dashboard === 0;
  connected++;
  const reader = new FrameReader(reads, (opcode, payload) => {
    if (opcode === OPCODE_PING) socket.write(PONG_EMPTY);
    else if (opcode !== OPCODE_CLOSE) hear(dashboard);
    if (opcode === OPCODE_TEXT && payload !== null) {
      rows += (JSON.parse(payload.toString('utf8')) as { campaigns?: unknown[] }).campaigns?.length ?? 0;
    }
  });
  const take = (chunk: Buffer): void => {
    bytes += chunk.length;
    reader.read(chunk);
  };
  socket.on('data', take);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    connected--;
  });
  take(head);
}

function connect(dashboard: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const upgrade = request(`${url}/ws/budget-updates${query}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.from(`dashboard-${String(dashboard).padStart(6, '0')}`).toString(
          'base64',
        ),
        ...(dashboard === 0 ? {} : { 'sec-websocket-extensions': OFFER }),
      },
    });
    upgrade.once('upgrade', (_response, socket, head) => {
      watch(dashboard, socket, head);
      resolve();
    });
    upgrade.once('response', ({ statusCode }) => reject(new Error(`dashboards are answered ${statusCode}`)));
    upgrade.once('error', reject);
    upgrade.end();
  });
}

const stats = createServer((_request, response) => {
  const nowMs = performance.now();
  for (const heard of heardAtMs) silenceMsMax = Math.max(silenceMsMax, nowMs - heard);
  const reading: DashboardsReading = { connected, frames, bytes, rows, silenceMsMax };
  frames = 0;
  bytes = 0;
  rows = 0;
  silenceMsMax = 0;
  heardAtMs.fill(nowMs);
  response.setHeader('connection', 'close').end(JSON.stringify(reading));
});

for (let dashboard = 0; dashboard < Number(count); dashboard++) await connect(dashboard);
stats.listen(0, '127.0.0.1', () => process.send?.({ port: (stats.address() as AddressInfo).port }));
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
