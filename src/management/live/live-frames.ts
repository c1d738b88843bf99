/**
 * The messages of the WebSocket as frames. A frame is made once and shared by all clients that want it; a row's
 * JSON is made once for each of its changes.
 */
import { Packr } from 'msgpackr';
import type { JsonObject } from '../request-body.ts';
import type { LiveRow } from './live-rows.ts';

export const ENCODINGS = ['json', 'msgpack'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Plain maps that any msgpack library reads. */
const packr = new Packr({ useRecords: false });

/** All rows that a client is to have. */
export function snapshotFrame(
  encoding: Encoding,
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): Buffer {
  return frame(encoding, 'snapshot', at, rows, totals);
}

/** The rows that changed, whole. */
export function updateFrame(
  encoding: Encoding,
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): Buffer {
  return frame(encoding, 'update', at, rows, totals);
}

export function alertFrame(encoding: Encoding, alert: JsonObject): Buffer {
  const message = { type: 'alert', ...alert };
  return encoding === 'msgpack' ? packr.pack(message) : Buffer.from(JSON.stringify(message));
}

function frame(
  encoding: Encoding,
  type: 'snapshot' | 'update',
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): Buffer {
  if (encoding === 'msgpack') {
    return packr.pack({ type, at, campaigns: rows.map(({ wire }) => wire), totals });
  }
  const campaigns = rows.map((row) => {
    row.json ??= JSON.stringify(row.wire);
    return row.json;
  });
  return Buffer.from(
    `{"type":"${type}","at":"${at}","campaigns":[${campaigns.join(',')}],"totals":${JSON.stringify(totals)}}`,
  );
}
