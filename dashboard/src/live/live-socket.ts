/**
 * The page's one WebSocket: it fills the store, notices when nothing comes any more, and connects again by itself,
 * a little later after each failure.
 */
import type { Alert } from '../api/types.ts';
import { type LiveCampaign, live, type Totals } from './live-store.ts';
import { traces } from './traces.ts';

const PATH = '/ws/budget-updates';
/** Nothing for so long: what is shown is called stale. The server says something at least every 5 s. */
const STALE_MS = 7_000;
const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 8_000;

type Message =
  | {
      readonly type: 'snapshot' | 'update';
      readonly campaigns: readonly LiveCampaign[];
      readonly totals?: Totals;
    }
  | ({ readonly type: 'alert' } & Alert);

/** A connection that is not there by then, as after a change of networks, is given up. */
const CONNECT_MS_MAX = 10_000;

let retryMs = RETRY_MS_FIRST;
let askedAtMs = 0;
let socket: WebSocket | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;

export function startLive(): void {
  connect();
  setInterval(lookForSilence, 500);
  addEventListener('online', connectNow);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && live.connection === 'stale') connectNow();
  });
}

function connectNow(): void {
  if (socket !== null && socket.readyState <= WebSocket.OPEN && live.connection === 'live') return;
  clearTimeout(retry);
  retryMs = RETRY_MS_FIRST;
  connect();
}

function connect(): void {
  socket?.close();
  const url = new URL(PATH, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const opened = new WebSocket(url);
  askedAtMs = Date.now();
  socket = opened;
  opened.onmessage = ({ data }: MessageEvent<string>) => {
    if (socket !== opened) return;
    retryMs = RETRY_MS_FIRST;
    take(JSON.parse(data) as Message);
  };
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = null;
    setConnection('stale');
    retry = setTimeout(connect, retryMs);
    retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
  };
}

function take(message: Message): void {
  live.heardAtMs = Date.now();
  if (message.type === 'alert') {
    live.alertsSeen++;
  } else {
    if (message.type === 'snapshot') {
      replaceAll(message.campaigns);
      live.alertsSeen++; // of those before it nobody told
    } else for (const row of message.campaigns) takeRow(row);
    if (message.totals !== undefined) live.totals = message.totals;
  }
  live.connection = 'live';
  live.changed();
}

function replaceAll(rows: readonly LiveCampaign[]): void {
  const present = new Set(rows.map((row) => row.campaign_id));
  for (const id of live.campaigns.keys()) if (!present.has(id)) live.drop(id);
  for (const row of rows) takeRow(row);
  live.loaded = true;
}

function takeRow(row: LiveCampaign): void {
  if (row.status === 'DELETED') live.drop(row.campaign_id);
  else {
    live.put(row);
    traces.note(row.campaign_id, live.heardAtMs, row);
  }
}

function setConnection(connection: typeof live.connection): void {
  if (live.connection === connection) return;
  live.connection = connection;
  live.changed();
}

function lookForSilence(): void {
  if (live.connection === 'live') {
    if (Date.now() - live.heardAtMs <= STALE_MS) return;
    setConnection('stale');
    connectNow();
    return;
  }
  const hangs = socket?.readyState === WebSocket.CONNECTING && Date.now() - askedAtMs > CONNECT_MS_MAX;
  if (hangs) {
    setConnection('stale');
    connect();
  }
  live.changed();
}
