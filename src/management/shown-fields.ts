/** The field types of answers, as zod schemas. */
import { z } from 'zod';

export const shownCents = z.number().min(0).meta({ description: 'Cents, with at most four decimals.' });

/** ISO 8601, UTC. */
export const shownTime = z.string().meta({ format: 'date-time' });

/** `YYYY-MM-DD`. */
export const shownDate = z.string().meta({ format: 'date' });

export const shownCount = z.int().min(0);

export const shownRatio = z.number().min(0).max(1);

/** Of a breaker. */
export const shownBreaker = z.enum(['CLOSED', 'OPEN', 'HALF_OPEN']);
