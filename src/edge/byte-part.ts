/**
 * Bytes that are written again and again between others. They are copied four at a time into a DataView, whose calls V8
 * makes machine instructions of: for some thirty bytes that takes a third of a loop over them, or of `set`. The words
 * stand in a plain array, for of a typed one V8 would look with each whether it was detached.
 */
const WORD_BYTES = 4;

export interface BytePart {
  /** Little-endian, as many as there are whole ones. */
  readonly words: readonly number[];
  /** The last four bytes, some of which stand in the last of the words as well. */
  readonly lastWord: number;
  readonly length: number;
}

/** @param bytes four at least */
export function bytePart(bytes: Uint8Array): BytePart {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = Array.from({ length: Math.floor(bytes.length / WORD_BYTES) }, (_, word) =>
    view.getInt32(word * WORD_BYTES, true),
  );
  return { words, lastWord: view.getInt32(bytes.length - WORD_BYTES, true), length: bytes.length };
}

/** Writes the part. @returns where it ends */
export function putPart(part: BytePart, target: DataView, at: number): number {
  const { words, lastWord } = part;
  for (let word = 0; word < words.length; word++) {
    target.setInt32(at + word * WORD_BYTES, words[word] as number, true);
  }
  const end = at + part.length;
  target.setInt32(end - WORD_BYTES, lastWord, true);
  return end;
}
