/** Between the management thread and a shard: numbered requests, each answered once. */
import type { ErrorCode } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';

export type ShardRequest =
  | { readonly type: 'upsert'; readonly campaign: Campaign }
  | { readonly type: 'status'; readonly campaignId: string };

export interface ManagementToShard {
  readonly number: number;
  readonly request: ShardRequest;
}

export type ShardAnswer =
  | { readonly ok: true; readonly body: string | null }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export interface ShardToManagement {
  readonly number: number;
  readonly answer: ShardAnswer;
}
