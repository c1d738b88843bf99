/** What lists have in common: the parameters of a page. Those that a route does not know are ignored, as proxies add some. */
import { z } from 'zod';
import { queryNumber } from './field-rules.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
const CURSOR_ACCEPTED = 'the X-Next-Cursor of the page before';

/** Rows of a page. */
export const pageLimit = queryNumber(1, LIMIT_MAX).default(LIMIT_DEFAULT).describe('Rows of the page.');

/** Where a page begins, of a list whose rows have numbers: the number of the row before. */
export const numberCursor = z
  .string({ error: CURSOR_ACCEPTED })
  .regex(/^[1-9][0-9]{0,14}$/, { error: CURSOR_ACCEPTED })
  .transform(Number)
  .pipe(z.int().min(1))
  .optional()
  .describe('The `X-Next-Cursor` of the page before.');
