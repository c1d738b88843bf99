/** The structured log: one JSON line an event on standard output, each with the thread that wrote it. */
import { type Logger, pino } from 'pino';

export type Log = Logger;

export function createLog(level: string, thread: string): Log {
  return pino({ level, base: { thread } }, pino.destination({ fd: 1, sync: true }));
}
