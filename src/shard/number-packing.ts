/**
 * A list of numbers as bytes, of which those that are 0 take a bit. Numbers come back as they were, bit by bit, −0 and
 * NaN too. Numbers may be appended to the list: a shorter one that was written before reads the missing ones as 0, and
 * whoever knows fewer numbers passes over those that he does not know.
 *
 *   byte 0         form n: 8n − 1 bytes stand before the numbers
 *   byte 1…        a bit for each number, the lowest first: whether it follows
 *   byte 8n − 1…   the numbers that are not 0, float64, little-endian
 *
 * Before there were forms every number was written. Such a list is a multiple of eight bytes long, which these never are.
 */
const NUMBER_BYTES = 8;
/** Bytes of the packing's own beside the bits: the form, and the one that keeps lengths off the multiples of eight. */
const OTHER_BYTES = 2;

export class NumberPacking {
  /** What is packed, and what was unpacked: to be filled and read within one call. */
  readonly numbers: Float64Array;
  private readonly words: Int32Array;
  private readonly form: number;
  /** One byte of nothing, the form, the bits, and the numbers that follow: those are then in step with `following`. */
  private readonly bytes: Uint8Array;
  private readonly following: Float64Array;
  /** What is to be copied when so many numbers follow: making it each time takes as long as the rest. */
  private readonly lengths: readonly Uint8Array[];

  constructor(count: number) {
    this.form = Math.ceil((count / 8 + OTHER_BYTES) / NUMBER_BYTES);
    this.numbers = new Float64Array(count);
    this.following = new Float64Array(this.form + count + 1);
    this.words = new Int32Array(this.numbers.buffer);
    const { buffer } = this.following;
    this.bytes = new Uint8Array(buffer);
    this.lengths = Array.from(
      { length: count + 1 },
      (_, follow) => new Uint8Array(buffer, 1, (this.form + follow) * NUMBER_BYTES - 1),
    );
  }

  /** Packs `numbers` into a buffer of the caller's. */
  pack(): Buffer {
    const { numbers, words, form, bytes, following } = this;
    const count = numbers.length;
    bytes[1] = form;
    let end = form;
    for (let byte = OTHER_BYTES, at = 0; byte < form * NUMBER_BYTES; byte++) {
      let bits = 0;
      for (let bit = 0; bit < 8 && at < count; bit++, at++) {
        // By its bits, so that −0 is none, and without a branch that no processor foresees.
        const follows = ((words[2 * at] as number) | (words[2 * at + 1] as number)) === 0 ? 0 : 1;
        following[end] = numbers[at] as number;
        end += follows;
        bits |= follows << bit;
      }
      bytes[byte] = bits;
    }
    // Of the pool: a buffer with memory of its own takes twice as much.
    const packed = Buffer.allocUnsafe(end * NUMBER_BYTES - 1);
    packed.set(this.lengths[end - form] as Uint8Array);
    return packed;
  }

  /** Fills `numbers`. @throws Error for bytes that no packing has written */
  unpack(packed: Buffer): void {
    this.numbers.fill(0);
    if (packed.length % NUMBER_BYTES === 0) this.unpackAll(packed);
    else this.unpackFollowing(packed);
  }

  private unpackFollowing(packed: Buffer): void {
    const { numbers } = this;
    const first = (packed[0] as number) * NUMBER_BYTES - 1;
    let from = first;
    for (let at = 0; at < (first - 1) * 8; at++) {
      if (((packed[1 + (at >> 3)] as number) & (1 << (at & 7))) === 0) continue;
      if (at < numbers.length) numbers[at] = packed.readDoubleLE(from);
      from += NUMBER_BYTES;
    }
    if (from !== packed.length) throw new Error('packed numbers are cut off');
  }

  private unpackAll(packed: Buffer): void {
    const { numbers } = this;
    const count = Math.min(numbers.length, packed.length / NUMBER_BYTES);
    for (let at = 0; at < count; at++) numbers[at] = packed.readDoubleLE(at * NUMBER_BYTES);
  }
}
