import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { crashThread, INSPECTED } from '../../support/pod-crash.ts';
import { Bidder } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';

const TOKEN = 'a-token-for-bidders-of-the-same-pod';
const BODY_BYTES_MAX = 2048;

describe('a pod with a unix domain socket', () => {
  let pod: TestPod;
  let paths: readonly [string, string];
  const bidders: Bidder[] = [];

  function bidder(path: string, token: string | undefined = TOKEN, connections = 1): Bidder {
    const made = new Bidder(path, connections, token);
    bidders.push(made);
    return made;
  }

  beforeAll(async () => {
    pod = await TestPod.prepare({ edgeToken: TOKEN, nodeArguments: INSPECTED });
    const path = join(pod.folder, 'pacer.sock');
    paths = [path, `${path}.1`];
    await pod.restart({
      UNIX_SOCKET: 'pacer.sock',
      EDGE_TOKEN: TOKEN,
      EDGE_THREADS: 2,
      SHARDS: 1,
      MAX_BODY_BYTES: BODY_BYTES_MAX,
    });
    await pod.createCampaign({ id: 'near', daily_budget_cents: 1_000_000 });
  });
  afterAll(async () => {
    for (const each of bidders) each.close();
    await pod.remove();
  });

  it('serves bidders there, on a path for each edge, and on its port as well', async () => {
    for (const path of paths) {
      const near = bidder(path);
      expect(await near.decide('near', 10, `bid-${path.length}`)).toMatchObject({ allow_bid: true });
      expect(await near.lose('near', `bid-${path.length}`)).toBe('released');
      expect(await near.spend({ campaign_id: 'near', spend_cents: 5 })).toBe('success');
      expect((await near.request('GET', '/health/ready')).status).toBe(200);
      expect((await near.metrics()).size).toBeGreaterThan(0);
    }
    expect((await pod.core.status('near')).daily_spent_cents).toBe(10);
  });

  it('asks for the same token and has the same limits there', async () => {
    const stranger = bidder(paths[0], 'another');
    const refused = await stranger.request('POST', '/pacing/decision', { campaign_id: 'near', bid_cents: 1 });
    expect(refused.status).toBe(401);
    expect((await stranger.request('GET', '/health')).status).toBe(200);
    const large = await bidder(paths[1]).request('POST', '/spend/track', Buffer.alloc(BODY_BYTES_MAX + 1));
    expect(large.status).toBe(413);
  });

  it('lets its own user and group connect, and nobody else', () => {
    for (const path of paths) expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  /** Starts another pod that must refuse, and returns the one line it writes. */
  async function refusal(path: string): Promise<string> {
    const other = await TestPod.prepare();
    await other.launch({ UNIX_SOCKET: path, EDGE_THREADS: 2 });
    expect(await other.exited).toEqual({ code: 1, signal: null });
    expect(other.output.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(other.dataDir)).toBe(false);
    const { output } = other;
    await other.remove();
    return output;
  }

  it('stops the start with one line where it cannot listen, and leaves what stands there alone', async () => {
    const file = join(pod.folder, 'a-file');
    await writeFile(file, 'kept');
    const cases: readonly (readonly [path: string, says: string])[] = [
      [file, 'a file stands there'],
      [pod.folder, 'a folder stands there'],
      [join(pod.folder, 'absent', 'pacer.sock'), `the folder ${join(pod.folder, 'absent')} does not exist`],
      [join(file, 'pacer.sock'), `${file} is no folder`],
      ['/proc/pacer.sock', 'cannot be listened on'],
      [`/tmp/${'x'.repeat(101)}`, 'at most 107 bytes'],
      [paths[0], 'in use by another process'],
    ];
    for (const [path, says] of cases) {
      const line = await refusal(path);
      expect(line).toContain(`UNIX_SOCKET=${JSON.stringify(path)}`);
      expect(line).toContain('it takes');
      expect(line).toContain(says);
    }
    expect(readFileSync(file, 'utf8')).toBe('kept');
    expect(await bidder(paths[0]).decide('near', 1)).toMatchObject({ allow_bid: true });
  });

  it('listens there again when an edge has died of a bug', async () => {
    const made = (): number[] => paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const before = made();
    await crashThread(pod, 'edge-thread');
    const isMadeAnew = (): boolean => made().every((at) => at > 0) && made().join() !== before.join();
    await until('one of them is made anew', isMadeAnew);
    await pod.ready();
    for (const path of paths) expect(await bidder(path).decide('near', 1)).toMatchObject({ allow_bid: true });
  });

  it('starts over the sockets of a killed process', async () => {
    await pod.kill();
    for (const path of paths) expect(statSync(path).isSocket()).toBe(true);
    await pod.restart();
    for (const path of paths) expect(await bidder(path).decide('near', 1)).toMatchObject({ allow_bid: true });
  });

  it('loses no spend that was answered there as it ends, and removes the files', async () => {
    const load = bidder(paths[1], TOKEN, 32);
    const before = (await pod.core.status('near')).daily_spent_cents;
    let answered = 0;
    let ending: Promise<unknown> | null = null;
    const spendUntilRefused = async (): Promise<void> => {
      for (;;) {
        await load.spend({ campaign_id: 'near', spend_cents: 1 });
        answered++;
        ending ??= pod.stop();
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: 32 }, spendUntilRefused));
    // Each goes on until its connection is ended, and is never refused.
    const refusals = ends.map((end) => (end.status === 'rejected' ? String(end.reason) : ''));
    expect(refusals.filter((refusal) => refusal === '' || refusal.includes('answered'))).toEqual([]);
    expect(await ending).toEqual({ code: 0, signal: null });
    for (const path of paths) expect(existsSync(path)).toBe(false);
    await pod.restart();
    const counted = (await pod.core.status('near')).daily_spent_cents - before;
    expect(counted).toBeGreaterThanOrEqual(answered);
    expect(counted).toBeLessThanOrEqual(answered + 32);
  });
});
