import { expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { OrderedShards } from '../../../src/management/ordered-shards.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

/** Shards that finish a campaign's change when the test says so. */
class SlowShards extends RecordingShards {
  readonly begun: string[] = [];
  readonly finish: (() => void)[] = [];

  override async upsert(campaign: Campaign): Promise<void> {
    this.begun.push(`${campaign.id}@${campaign.version}`);
    await new Promise<void>((resolve) => this.finish.push(resolve));
    await super.upsert(campaign);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets a change wait for the one of the same campaign before it, alone or in a list', async () => {
  const slow = new SlowShards();
  const shards = new OrderedShards(slow);
  const ended: string[] = [];
  const tell = (name: string, told: Promise<unknown>): Promise<unknown> =>
    told.finally(() => void ended.push(name));
  const all = [
    tell('list', shards.upsertAll([someCampaign({ id: 'a' })])),
    tell('same again', shards.upsert(someCampaign({ id: 'a' }))),
    tell('other', shards.upsert(someCampaign({ id: 'b' }))),
    tell('both', shards.upsertAll([someCampaign({ id: 'b', version: 2 }), someCampaign({ id: 'c' })])),
  ];
  await turn();
  expect(slow.begun).toEqual(['a@1', 'b@1']);
  for (let at = 0; at < 5; at++) {
    while (slow.finish.length <= at) await turn();
    slow.finish[at]?.();
    await turn();
  }
  await Promise.all(all);
  expect(ended.indexOf('list')).toBeLessThan(ended.indexOf('same again'));
  expect(ended.indexOf('other')).toBeLessThan(ended.indexOf('both'));
  expect([...slow.campaigns.values()].map(({ id, version }) => `${id}@${version}`).sort()).toEqual([
    'a@1',
    'b@2',
    'c@1',
  ]);
});

it('goes on after a change that failed, and tells its failure only to who brought it', async () => {
  const recording = new RecordingShards();
  const shards = new OrderedShards(recording);
  recording.refusal = new AppError('unavailable', 'the shard is starting');
  const failing = shards.upsert(someCampaign());
  const next = shards.upsert(someCampaign({ version: 2 }));
  await expect(failing).rejects.toMatchObject({ code: 'unavailable' });
  recording.refusal = null;
  await expect(next).resolves.toBeUndefined();
  expect(recording.campaigns.get('camp-001')?.version).toBe(2);
});
