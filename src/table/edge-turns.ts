/**
 * Which edges have answered bids whose reservations they have not posted yet. An edge answers a decision at once and
 * posts the bid's id to its owner at the end of its event-loop turn; within that time the win may be reported over
 * another edge. The owner then asks here whether a reservation may still be on its way, and waits for it.
 *
 *   one pair of words for each edge   begun: turns with a reservation, counted before the reply (that edge)
 *                                     posted: those whose reservations are in the owners' ports (that edge)
 */
const WORDS = 2;
const BEGUN = 0;
const POSTED = 1;

export function allocateEdgeTurns(edges: number): SharedArrayBuffer {
  return new SharedArrayBuffer(edges * WORDS * 4);
}

/** An edge's side. */
export class EdgeTurn {
  private readonly words: Int32Array;
  private readonly at: number;
  private begun = false;

  /** Begins with nothing outstanding: what an earlier thread of this edge did not post is lost. */
  constructor(memory: SharedArrayBuffer, edge: number) {
    this.words = new Int32Array(memory);
    this.at = edge * WORDS;
    this.end();
  }

  /** A reservation will be posted at the end of this turn; to be called before the bid is answered. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    Atomics.add(this.words, this.at + BEGUN, 1);
  }

  /** Everything is posted. */
  end(): void {
    this.begun = false;
    Atomics.store(this.words, this.at + POSTED, Atomics.load(this.words, this.at + BEGUN));
  }
}

/** An owner's side. */
export class EdgeTurns {
  private readonly words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  /** The edges' turns as they stand; null when every reservation of a bid that was answered is posted. */
  outstanding(): readonly number[] | null {
    const begun: number[] = [];
    let posted = true;
    for (let at = 0; at < this.words.length; at += WORDS) {
      const turns = Atomics.load(this.words, at + BEGUN);
      begun.push(turns);
      if (Atomics.load(this.words, at + POSTED) !== turns) posted = false;
    }
    return posted ? null : begun;
  }

  /** Whether all that was outstanding then is posted now. */
  posted(begun: readonly number[]): boolean {
    // The difference is right also after the count has wrapped round.
    return begun.every((turns, edge) => ((Atomics.load(this.words, edge * WORDS + POSTED) - turns) | 0) >= 0);
  }
}
