/**
 * Between the supervisor (main thread) and each thread it starts: what a thread is given at its start and
 * what the two tell each other afterwards.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/config.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import type { TableMemory } from '../table/layout.ts';
import type { PodStateMemory } from '../table/pod-state.ts';

/** Shared memory of a pod. */
export interface PodMemory {
  readonly table: TableMemory;
  readonly state: PodStateMemory;
  /** What edges have answered and not posted yet (table/edge-turns.ts). */
  readonly edgeTurns: SharedArrayBuffer;
  /** What is left of MAX_QPS (table/decision-limit.ts). */
  readonly decisionLimit: SharedArrayBuffer;
  /** One for each edge. */
  readonly edgeMeters: readonly SharedArrayBuffer[];
  /** One for each shard. */
  readonly shardMeters: readonly SharedArrayBuffer[];
  /** The management thread's event-loop lag, seconds, one float64. */
  readonly managementLag: SharedArrayBuffer;
}

export interface EdgeStart {
  readonly config: Config;
  readonly memory: PodMemory;
  readonly edge: number;
}

export interface ShardStart {
  readonly config: Config;
  readonly memory: PodMemory;
  readonly shard: number;
}

export interface ManagementStart {
  readonly config: Config;
  /** Whether the traffic is simulated. */
  readonly isDemo: boolean;
  readonly memory: PodMemory;
}

/** Connects a thread with another: sent when either of them starts. */
export type SupervisorToThread =
  | { readonly type: 'shard-port'; readonly shard: number; readonly port: MessagePort }
  | { readonly type: 'edge-port'; readonly edge: number; readonly port: MessagePort }
  | { readonly type: 'management-port'; readonly port: MessagePort }
  | { readonly type: 'database'; readonly address: PostgresAddress }
  | { readonly type: 'stop' };

export type ThreadToSupervisor =
  | { readonly type: 'ready' }
  /** The thread cannot do its work at all, such as a port in use; the supervisor stops the pod. */
  | { readonly type: 'fatal'; readonly message: string }
  | { readonly type: 'stopped' };
