/**
 * What decisions are answered: bytes written into buffers that are used again and again.
 *
 * Budget: some 60 ns a decision; nothing is allocated but a view of each batch's reply.
 */
import type { Decision } from '../table/pacing-table.ts';
import {
  DECISION_BYTES_MAX,
  type DecisionForm,
  decisionBytes,
  JSON_FORM,
  PACKED_FORM,
  putDecision,
} from './decision-forms.ts';
import { packed } from './msgpack.ts';

/** The reply to one decision. */
export class DecisionReply {
  private readonly form: DecisionForm;
  /** One for each length: uWebSockets.js takes a whole buffer faster than a view of one. */
  private readonly targets: readonly DataView[] = Array.from(
    { length: DECISION_BYTES_MAX },
    (_, bytes) => new DataView(new ArrayBuffer(bytes)),
  );

  constructor(form: DecisionForm) {
    this.form = form;
  }

  /** The whole reply, valid until the next one. */
  bytes(decision: Decision): ArrayBuffer {
    const target = this.targets[decisionBytes(this.form, decision)] as DataView<ArrayBuffer>;
    putDecision(this.form, decision, target, 0);
    return target.buffer;
  }
}

const ENDS_BYTES_MAX = 32;

/** The reply to a batch, put together in one buffer. */
export abstract class BatchReply {
  protected readonly buffer: Uint8Array;
  protected readonly target: DataView;
  protected end = 0;

  constructor(decisionsMax: number) {
    this.buffer = new Uint8Array(decisionsMax * DECISION_BYTES_MAX + ENDS_BYTES_MAX);
    this.target = new DataView(this.buffer.buffer);
  }

  protected begun(head: Uint8Array): void {
    this.buffer.set(head);
    this.end = head.length;
  }

  /** @param decisions how many will be added */
  abstract begin(decisions: number): void;

  abstract add(decision: Decision): void;

  /** @returns the whole reply, valid until the next begins */
  abstract finish(): Uint8Array;
}

const encoder = new TextEncoder();
const JSON_HEAD = encoder.encode('{"decisions":[');
const JSON_TAIL = encoder.encode(']}');
const COMMA = 0x2c;

export class JsonBatchReply extends BatchReply {
  begin(): void {
    this.begun(JSON_HEAD);
  }

  add(decision: Decision): void {
    if (this.end > JSON_HEAD.length) this.buffer[this.end++] = COMMA;
    this.end = putDecision(JSON_FORM, decision, this.target, this.end);
  }

  finish(): Uint8Array {
    this.buffer.set(JSON_TAIL, this.end);
    return this.buffer.subarray(0, this.end + JSON_TAIL.length);
  }
}

const SMALL_ARRAY = 0x90;
const SMALL_ARRAY_MAX = 15;
const ARRAY_16 = 0xdc;
/** A map of one entry with its key; the array follows. */
const PACKED_HEAD = new Uint8Array(packed({ decisions: [] })).slice(0, -1);

export class PackedBatchReply extends BatchReply {
  begin(decisions: number): void {
    this.begun(PACKED_HEAD);
    if (decisions <= SMALL_ARRAY_MAX) {
      this.buffer[this.end++] = SMALL_ARRAY + decisions;
    } else {
      this.buffer[this.end++] = ARRAY_16;
      this.buffer[this.end++] = decisions >>> 8;
      this.buffer[this.end++] = decisions;
    }
  }

  add(decision: Decision): void {
    this.end = putDecision(PACKED_FORM, decision, this.target, this.end);
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }
}
