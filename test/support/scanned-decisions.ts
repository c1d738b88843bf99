/** What a scanner of decision requests found, and what the parser and the checks make of the same, to be compared. */
import { expect } from 'vitest';
import { AppError } from '../../src/domain/app-error.ts';
import { type DecisionRequest, readDecision } from '../../src/edge/requests.ts';
import type { ScannedDecision } from '../../src/edge/scanned-decision.ts';
import { hashId } from '../../src/table/hash.ts';

/** What the checks of requests.ts make of a parsed element; null when they refuse it. */
export function decisionParsed(value: unknown): DecisionRequest | null {
  const into: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
  return value instanceof AppError || readDecision(value, '', into) !== null ? null : into;
}

export function decisionScanned(bytes: Uint8Array, of: ScannedDecision): DecisionRequest {
  const text = (start: number, end: number): string => Buffer.from(bytes).toString('latin1', start, end);
  const campaignId = text(of.idStart, of.idEnd);
  expect(of.hash).toBe(hashId(campaignId));
  const bidId = of.bidIdEnd > 0 ? text(of.bidIdStart, of.bidIdEnd) : '';
  return { campaignId, bidMicros: of.bidMicros, bidId };
}
