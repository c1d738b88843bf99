/** The few messages of the Postgres protocol that the wire server reads or writes itself. Pure functions. */

const QUERY = 0x51;
const PARSE = 0x50;
const CLOSE = 0x43;
const SYNC = 0x53;
const FUNCTION_CALL = 0x46;
const TERMINATE = 0x58;
const STATEMENT = 0x53;
const HEADER_BYTES = 5;

/** Whether the database reports itself ready after this message, so that a turn may end. */
export function endsTurn(message: Uint8Array): boolean {
  const type = message[0];
  // A start-up message begins with the high byte of its length, which is 0.
  return type === SYNC || type === QUERY || type === FUNCTION_CALL || type === 0;
}

/** Whether the client says goodbye. */
export function isTerminate(message: Uint8Array): boolean {
  return message[0] === TERMINATE;
}

/** The statement this message prepares or closes under a name, or null. */
export function namedStatement(message: Uint8Array): { name: string; prepared: boolean } | null {
  const prepared = message[0] === PARSE;
  if (!prepared && !(message[0] === CLOSE && message[HEADER_BYTES] === STATEMENT)) return null;
  const start = prepared ? HEADER_BYTES : HEADER_BYTES + 1;
  const end = message.indexOf(0, start);
  if (end <= start) return null;
  return { name: Buffer.from(message.subarray(start, end)).toString('latin1'), prepared };
}

export function sync(): Uint8Array {
  return encode(SYNC, '');
}

export function rollback(): Uint8Array {
  return encode(QUERY, 'ROLLBACK\0');
}

export function closeStatement(name: string): Uint8Array {
  return encode(CLOSE, `S${name}\0`);
}

function encode(type: number, body: string): Uint8Array {
  const bytes = Buffer.from(body, 'latin1');
  const message = new Uint8Array(HEADER_BYTES + bytes.length);
  message[0] = type;
  new DataView(message.buffer).setUint32(1, 4 + bytes.length);
  message.set(bytes, HEADER_BYTES);
  return message;
}
