import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

const MODULE = new URL('../../../dist/threads/startup-garbage.js', import.meta.url).href;
const THREADS = 6;
const COLLECTIONS = 40;

describe('the garbage of a start', () => {
  it('is collected by threads that start in the same moment', async () => {
    const body = `import(${JSON.stringify(MODULE)}).then(({ collectStartupGarbage }) => {
      for (let i = 0; i < ${COLLECTIONS}; i++) collectStartupGarbage();
      require('node:worker_threads').parentPort.postMessage('collected');
    });`;
    const threads = Array.from({ length: THREADS }, () => new Worker(body, { eval: true }));
    try {
      // A thread that throws has `once` reject with its error.
      const told = await Promise.all(threads.map((thread) => once(thread, 'message')));
      expect(told).toEqual(threads.map(() => ['collected']));
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
  });
});
