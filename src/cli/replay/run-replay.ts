/**
 * `pacer replay`: lines from a file or standard input, answers to standard output. Each piece of input is
 * answered whole before the next is read, so that another program can drive it in lock step.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { parseArgs } from 'node:util';
import { ConfigError, environmentFrom, readConfig } from '../../config/config.ts';
import { Replay } from './replay.ts';
import { LineError } from './replay-line.ts';

const PIECE_BYTES = 1 << 18;
const LINE_LENGTH_MAX = 16 * 1024 * 1024;
const SEED_MAX = 2 ** 32 - 1;
/** What the service is configured by and replay honours too. */
const PACING_VARIABLES = ['RESERVATION_TTL_MS', 'BREAKER_RECOVERY_MS', 'BREAKER_PROBES'];

/** A line that cannot be replayed ends it; the answers to the lines before it are written first. */
class BadLine extends Error {
  readonly answers: string;

  constructor(number: number, cause: LineError, answers: string) {
    super(`replay: line ${number}: ${cause.message}`);
    this.answers = answers;
  }
}

export async function runReplay(words: readonly string[]): Promise<void> {
  const { input, seed } = optionsOf(words);
  const lines = new ReplayedLines(new Replay({ seed, ...pacingConfig() }));
  const source = input === '-' ? process.stdin : createReadStream(input, { highWaterMark: PIECE_BYTES });
  try {
    for await (const piece of source) await print(lines.take(piece as Buffer));
    await print(lines.end());
  } catch (error) {
    if (error instanceof BadLine) await print(error.answers);
    throw error;
  }
}

/** Puts lines together from pieces of input and has them replayed. */
class ReplayedLines {
  private readonly replay: Replay;
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private number = 0;

  constructor(replay: Replay) {
    this.replay = replay;
  }

  /** Returns the answers to the lines that this piece completes. @throws BadLine */
  take(piece: Buffer): string {
    const text = this.rest + this.decoder.write(piece);
    let answers = '';
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      answers = this.line(text.slice(from, to), answers);
      from = to + 1;
    }
    this.rest = text.slice(from);
    if (this.rest.length <= LINE_LENGTH_MAX) return answers;
    throw new BadLine(this.number + 1, new LineError(`it is over ${LINE_LENGTH_MAX} characters`), answers);
  }

  /** The input is over: its last line may lack a line break. */
  end(): string {
    return this.line(this.rest + this.decoder.end(), '');
  }

  private line(text: string, answers: string): string {
    this.number++;
    if (text.trim() === '') return answers;
    try {
      return answers + this.replay.take(text);
    } catch (error) {
      if (error instanceof LineError) throw new BadLine(this.number, error, answers);
      throw error;
    }
  }
}

function optionsOf(words: readonly string[]): { readonly input: string; readonly seed: number } {
  const options = {
    input: { type: 'string', default: '-' },
    seed: { type: 'string', default: '1' },
  } as const;
  let values: { input: string; seed: string };
  try {
    values = parseArgs({ args: [...words], options }).values;
  } catch (error) {
    throw new ConfigError(`replay: ${error instanceof Error ? error.message : String(error)}`);
  }
  const seed = Number(values.seed);
  if (/^\d+$/.test(values.seed) && seed <= SEED_MAX) return { input: values.input, seed };
  throw new ConfigError(`replay: --seed takes a whole number from 0 to ${SEED_MAX}`);
}

function pacingConfig(): { reservationTtlMs: number; breakerRecoveryMs: number; breakerProbes: number } {
  const environment = environmentFrom(process.env, process.cwd());
  const pacing = PACING_VARIABLES.map((variable) => [variable, environment[variable]]);
  const { reservationTtlMs, breakerRecoveryMs, breakerProbes } = readConfig(Object.fromEntries(pacing));
  return { reservationTtlMs, breakerRecoveryMs, breakerProbes };
}

/** Waits while the reader of a long answer is slow. */
async function print(answers: string): Promise<void> {
  if (answers !== '' && !process.stdout.write(answers)) await once(process.stdout, 'drain');
}
