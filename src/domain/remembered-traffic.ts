/** Traffic history as bytes: the learned shape and the day it was last taught, folded forward day by day. */
import type { EndedDay, KnownTraffic } from './day-traffic.ts';
import {
  decodeShapeMemory,
  encodeShapeMemory,
  learnDay,
  learnedShape,
  newShapeMemory,
  SHAPE_MEMORY_BYTES,
  type ShapeMemory,
  supplyHours,
} from './learned-shape.ts';

const DAY_MS = 86_400_000;
const HEADER_BYTES = 8;
const written = new Uint8Array(HEADER_BYTES + SHAPE_MEMORY_BYTES);

export interface RememberedTraffic {
  readonly memory: ShapeMemory;
  /** Start of the last day learned, ms; 0 before the first. */
  lastDayMs: number;
}

/** @param bytes null before any history; bytes that cannot be read count as none */
export function readTraffic(bytes: Uint8Array | null): RememberedTraffic {
  const memory = bytes === null ? null : decodeShapeMemory(bytes.subarray(HEADER_BYTES));
  if (bytes === null || memory === null) return { memory: newShapeMemory(), lastDayMs: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { memory, lastDayMs: view.getFloat64(0, true) };
}

/** @returns bytes that the next call writes to again */
export function writeTraffic(traffic: RememberedTraffic): Uint8Array {
  encodeShapeMemory(traffic.memory, written.subarray(HEADER_BYTES));
  new DataView(written.buffer).setFloat64(0, traffic.lastDayMs, true);
  return written;
}

/** Learns from a day that ended. One that was learned already, or is older, is ignored. */
export function learnFrom(traffic: RememberedTraffic, ended: EndedDay): boolean {
  if (ended.startMs <= traffic.lastDayMs) return false;
  const daysSinceLast =
    traffic.lastDayMs === 0 ? 1 : Math.max(1, Math.round((ended.startMs - traffic.lastDayMs) / DAY_MS));
  learnDay(traffic.memory, { ...fieldsOf(ended), daysSinceLast });
  traffic.lastDayMs = ended.startMs;
  return true;
}

/** What to expect of a day of the week; null before any history. */
export function expectFrom(
  traffic: RememberedTraffic,
  dayOfWeek: number,
  meanWinMicros: number,
): KnownTraffic | null {
  const asks = learnedShape(traffic.memory, dayOfWeek);
  return asks === null ? null : { asks, supply: supplyHours(traffic.memory, asks, meanWinMicros) };
}

function fieldsOf({ dayOfWeek, asks, spentMicros, allowedMicros }: EndedDay): Omit<EndedDay, 'startMs'> {
  return { dayOfWeek, asks, spentMicros, allowedMicros };
}
