/** Between the management thread and a shard: numbered requests, each answered once. */
import type { ErrorCode } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { StoredTraffic } from '../domain/stored-traffic.ts';

export type ShardRequest =
  | { readonly type: 'announce'; readonly campaign: Campaign }
  | { readonly type: 'upsert'; readonly campaign: Campaign }
  | { readonly type: 'upsert-all'; readonly campaigns: readonly Campaign[] }
  | { readonly type: 'status'; readonly campaignId: string; readonly explained: boolean }
  | { readonly type: 'describe'; readonly campaignIds: readonly string[] }
  | { readonly type: 'learn'; readonly shapes: readonly StoredTraffic[] };

export interface ManagementToShard {
  readonly number: number;
  readonly request: ShardRequest;
}

export type ShardAnswer =
  | {
      readonly ok: true;
      /** Of a status: the status as JSON, or null for an unknown campaign. Of describe: the campaigns. */
      readonly body: string | null;
      /** Of an upsert-all: campaigns for which there was no room. */
      readonly refused: number;
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export interface ShardToManagement {
  readonly number: number;
  readonly answer: ShardAnswer;
}
