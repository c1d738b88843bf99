/** Mutated requests for the management API: each operation that /openapi.json has, with and without credentials. */
import { ApiContract, type ApiDocument, examplesOf, type Operation } from '../api-contract.ts';
import { Dice } from './dice.ts';
import { FuzzRun, together } from './fuzz-run.ts';
import { type Answer, HttpStream, requestBytes } from './http-stream.ts';
import { mutatedBytes, mutatedTarget, mutatedValue, oddHeaders } from './mutations.ts';

/** What any path may answer; a 503 only where it is documented. */
const ALLOWED = new Set([200, 201, 303, 400, 401, 403, 404, 409, 413, 429, 431]);
const IDS = ['api-0', 'api-1', 'api-2', 'api-3', 'money-0', '1', 'none'];
const QUERY_VALUES = [
  '',
  'x',
  '0',
  '-1',
  '10',
  '1e9',
  'true',
  'ACTIVE',
  'money-0',
  '2026-11-22',
  '%00',
  '%ff',
  '%',
  "'",
  '999999999999999999999',
];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'QUERY'];
/** Jobs of a thread of their own take the machine from what is to be tested. */
const HEAVY = ['simulatePacing', 'learnTrafficShape'];

export interface ApiFuzzParts {
  readonly port: number;
  readonly document: ApiDocument;
  /** Operators; each has a rate of its own. */
  readonly tokens: readonly string[];
}

interface ApiRequest {
  readonly bytes: Buffer;
  readonly isHead: boolean;
  readonly allowed: ReadonlySet<number>;
  /** Null where the path or the method is another than documented. */
  readonly operation: Operation | null;
}

export class ApiFuzz {
  readonly #parts: ApiFuzzParts;
  readonly #contract: ApiContract;
  readonly #operations: readonly Operation[];
  #tokenAt = 0;

  constructor(parts: ApiFuzzParts) {
    this.#parts = parts;
    this.#contract = new ApiContract(parts.document);
    this.#operations = this.#contract.operations.filter(({ operationId }) => operationId !== 'watchBudgets');
  }

  async run(requests: number, seed: number): Promise<FuzzRun> {
    const run = new FuzzRun('all of :8000', requests);
    const { port } = this.#parts;
    await together(16, async (worker) => {
      const dice = new Dice(seed + 2_000 + worker);
      let stream = await HttpStream.open(port);
      while (run.take()) {
        if (stream.closed) stream = await HttpStream.open(port);
        const request = this.#request(dice);
        try {
          const answer = await stream.ask(request.bytes, request.isHead);
          run.note(answer, request.allowed, request.bytes);
          if (answer !== null && request.operation !== null)
            this.#check(run, request.operation, answer, request);
        } catch (error) {
          run.fault(String(error), request.bytes);
        }
      }
      stream.close();
    });
    return run;
  }

  /** Holds an answer against the document. */
  #check(run: FuzzRun, operation: Operation, { status, headers, body }: Answer, { bytes }: ApiRequest): void {
    if (headers['content-encoding'] !== undefined || status === 431) return;
    const text = body.toString('utf8');
    try {
      const json = headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : undefined;
      // A browser that is not logged in gets the form in place of a 401.
      if (status === 401 && json === undefined) return;
      this.#contract.check(operation, { status, headers, text, body: json });
    } catch (error) {
      run.fault(String(error).slice(0, 600), bytes);
    }
  }

  #request(dice: Dice): ApiRequest {
    let operation = dice.pick(this.#operations);
    if (HEAVY.includes(operation.operationId) && dice.chance(0.9)) operation = dice.pick(this.#operations);
    const isOddMethod = dice.chance(0.03);
    const method = isOddMethod ? dice.pick(METHODS) : operation.method;
    const path = operation.path.replace('{id}', dice.pick(IDS)) + queryOf(dice, operation);
    const isOddPath = dice.chance(0.15);
    const target = isOddPath ? mutatedTarget(dice, path) : path;
    const body = operation.requestBody === undefined && !dice.chance(0.05) ? null : bodyOf(dice, operation);
    const headers = this.#credentials(dice) + (dice.chance(0.3) ? oddHeaders(dice) : '');
    const chunks = dice.chance(0.05) ? [1 + dice.int(50)] : [];
    return {
      bytes: requestBytes(method, target, headers, body, chunks),
      isHead: method === 'HEAD',
      allowed: '503' in operation.responses ? new Set([...ALLOWED, 503]) : ALLOWED,
      operation: isOddMethod || isOddPath || /^upgrade:/im.test(headers) ? null : operation,
    };
  }

  #credentials(dice: Dice): string {
    const { tokens } = this.#parts;
    const kind = dice.int(20);
    if (kind === 0) return '';
    if (kind === 1) {
      const wrong = ['Bearer x', 'Basic eDp5', 'Bearer', '', 'Bearer \xff', `Bearer ${'x'.repeat(500)}`];
      return `authorization: ${dice.pick(wrong)}\r\n`;
    }
    this.#tokenAt = (this.#tokenAt + 1) % tokens.length;
    return `authorization: Bearer ${tokens[this.#tokenAt]}\r\n`;
  }
}

function queryOf(dice: Dice, { parameters = [] }: Operation): string {
  const given = parameters.filter(({ in: where }) => where === 'query' && dice.chance(0.4));
  const pairs = given.map(({ name }) => `${name}=${dice.pick(QUERY_VALUES)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function bodyOf(dice: Dice, operation: Operation): Buffer {
  const example = named(dice, dice.pick(examplesOf(operation)) ?? {});
  const value = dice.chance(0.8) ? mutatedValue(dice, example) : example;
  const bytes = Buffer.from(JSON.stringify(value) ?? '', 'utf8');
  return dice.chance(0.2) ? mutatedBytes(dice, bytes) : bytes;
}

/** An example that names one of the campaigns that there are. */
function named(dice: Dice, example: unknown): unknown {
  const fields = { ...(example as Record<string, unknown>) };
  if ('campaign_id' in fields) fields.campaign_id = dice.pick(IDS);
  if ('id' in fields) fields.id = dice.chance(0.3) ? dice.pick(IDS) : `new-${dice.int(300)}`;
  if ('version' in fields && dice.chance(0.7)) delete fields.version;
  if ('hours_ahead' in fields) fields.hours_ahead = 1;
  return fields;
}
