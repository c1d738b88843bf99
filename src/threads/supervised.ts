/** A thread's side of its supervision: what it was started with, and its line to the supervisor. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SupervisorToThread, ThreadToSupervisor } from '../messages/supervision.ts';
import { collectStartupGarbage } from './startup-garbage.ts';

export interface Supervised<Start> {
  readonly start: Start;
  tell(message: ThreadToSupervisor): void;
  onMessage(listener: (message: SupervisorToThread) => void): void;
  /** Ends the line, so that nothing of it keeps the thread alive. */
  close(): void;
}

/** @throws Error when this is not a thread that the supervisor started */
export function supervised<Start>(): Supervised<Start> {
  if (parentPort === null) throw new Error('this file is the entry of a thread; start the pod with main.js');
  const line = parentPort;
  return {
    start: workerData as Start,
    tell: (message) => {
      if (message.type === 'ready') collectStartupGarbage();
      line.postMessage(message);
    },
    onMessage: (listener) => {
      line.on('message', listener);
    },
    close: () => line.close(),
  };
}
