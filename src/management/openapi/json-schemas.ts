/**
 * JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them) of zod schemas. One with an id, `.meta({ id: 'Campaign' })`,
 * stands once in the document's components, wherever it is used.
 */
import { z } from 'zod';
import type { JsonObject } from '../request-body.ts';

/** `input`: what is accepted; `output`: what it is read as, such as the number that a query's text stands for. */
type Side = 'input' | 'output';

export class JsonSchemas {
  readonly #components = new Map<string, JsonObject>();

  /** By id, in the order of their names. */
  get components(): JsonObject {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** @throws Error when two schemas have one id and differ. */
  of(schema: z.ZodType, side: Side): JsonObject {
    const made = z.toJSONSchema(schema, { io: side, unrepresentable: 'any' });
    const { $schema, $defs = {}, ...own } = withComponentRefs(made);
    for (const [id, component] of Object.entries($defs as Record<string, JsonObject>))
      this.#add(id, component);
    return own;
  }

  #add(id: string, { id: _id, ...component }: JsonObject): void {
    const known = this.#components.get(id);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(component)) {
      throw new Error(`two schemas have the id ${id}`);
    }
    this.#components.set(id, component);
  }
}

function withComponentRefs(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonObject;
}
