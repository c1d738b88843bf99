/** What the audit log says of a change: who asked for it and how, and the fields that it changed. */
import type { FastifyRequest } from 'fastify';
import type { Campaign } from '../domain/campaign.ts';
import type { ChangeNote } from '../sinks/postgres/audit-store.ts';
import { wireCampaign, wirePacingConfig } from './campaign-schema.ts';
import type { JsonObject } from './request-body.ts';

export type ChangeAction =
  | 'campaign.create'
  | 'campaign.replace'
  | 'campaign.patch'
  | 'campaign.delete'
  /** A creation that no shard had room for. */
  | 'campaign.take_back'
  | 'budget.adjust'
  | 'budget.reset'
  | 'alert.resolve'
  | 'pacing.mode'
  | 'pacing.config';

/** A change as it was asked for. */
export interface ChangeOrder {
  readonly action: ChangeAction;
  readonly actor: string;
  readonly requestId: string;
  readonly reason: string | null;
}

export function orderOf(request: FastifyRequest, action: ChangeAction, reason?: string | null): ChangeOrder {
  return { action, actor: request.actor, requestId: request.id, reason: reason ?? null };
}

/** What a reset changes: the day's count and its breaker. @param status of the campaign before it, as JSON */
export function noteOfReset(order: ChangeOrder, status: string): ChangeNote {
  const { daily_spent_cents, circuit_breaker_state } = JSON.parse(status) as JsonObject;
  return {
    ...order,
    before: { daily_spent_cents, circuit_breaker_state },
    after: { daily_spent_cents: 0, circuit_breaker_state: 'CLOSED' },
  };
}

export function noteOfResolution(
  order: ChangeOrder,
  alert: { readonly id: number; readonly alert_type: string; readonly message: string },
  resolvedAt: Date,
): ChangeNote {
  const { id, alert_type, message } = alert;
  return {
    ...order,
    before: { alert_id: id, alert_type, message, resolved_at: null },
    after: { alert_id: id, resolved_at: resolvedAt.toISOString() },
  };
}

/** Fields that every change moves, or none. */
const UNNOTED: readonly string[] = ['id', 'version', 'created_at', 'updated_at'];

/** @param before null of a creation, whose fields that are set are noted then */
export function noteOf(order: ChangeOrder, before: Campaign | null, after: Campaign): ChangeNote {
  const was = before === null ? null : fieldsOf(before);
  const is = fieldsOf(after);
  const changed = Object.keys(is).filter((field) => textOf(is[field]) !== textOf(was?.[field] ?? null));
  return { ...order, before: was === null ? null : picked(was, changed), after: picked(is, changed) };
}

function fieldsOf(campaign: Campaign): JsonObject {
  const { pacing_configs } = wirePacingConfig(campaign);
  const fields = { ...wireCampaign(campaign), pacing_configs: campaign.hourMultipliers && pacing_configs };
  return Object.fromEntries(Object.entries(fields).filter(([field]) => !UNNOTED.includes(field)));
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

function picked(fields: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
}
