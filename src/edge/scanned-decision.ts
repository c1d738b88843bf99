/** What the scanners of decision requests share: what they fill, and the names and ids that they look for. */

/** Where the parts of a decision request stand in the body; the reader owns and reuses it. */
export interface ScannedDecision {
  /** Of the campaign's id, as hashId gives it. */
  hash: number;
  /** The campaign's id: bytes from `idStart` up to `idEnd`. */
  idStart: number;
  idEnd: number;
  bidMicros: number;
  /** The bid's id in the same way; `bidIdEnd` is 0 when it has none. */
  bidIdStart: number;
  bidIdEnd: number;
}

export function newScannedDecision(): ScannedDecision {
  return { hash: 0, idStart: 0, idEnd: 0, bidMicros: 0, bidIdStart: 0, bidIdEnd: 0 };
}

/** What a scan gives where the bytes are not of the plain form. */
export const UNUSUAL = -1;

export const CAMPAIGN_ID = asciiOf('campaign_id');
export const BID_CENTS = asciiOf('bid_cents');
export const BID_ID = asciiOf('bid_id');
export const REQUESTS = asciiOf('requests');

/** 1 for each byte that an id may hold. */
export const ID_BYTE = new Uint8Array(256);
for (const byte of asciiOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-'))
  ID_BYTE[byte] = 1;

function asciiOf(name: string): Uint8Array {
  return Uint8Array.from(name, (letter) => letter.charCodeAt(0));
}
