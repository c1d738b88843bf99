/**
 * Accounts that were bid for and are to be told of, by their places among the shard's slots. Turns go round the places, so
 * that an account waits for no more turns than there are others. A byte a place: under load nearly all accounts are in it.
 */
export class AskedAccounts {
  private readonly waits: Uint8Array;
  private count = 0;
  private next = 0;

  constructor(places: number) {
    this.waits = new Uint8Array(places);
  }

  /** Accounts that wait. */
  get size(): number {
    return this.count;
  }

  add(place: number): void {
    if (this.waits[place] === 1) return;
    this.waits[place] = 1;
    this.count++;
  }

  delete(place: number): void {
    if (this.waits[place] !== 1) return;
    this.waits[place] = 0;
    this.count--;
  }

  /** The places whose turn it is, at most so many; they wait no longer. */
  take(max: number): number[] {
    const taken: number[] = [];
    const { waits } = this;
    while (taken.length < max && this.count > 0) {
      if (waits[this.next] === 1) {
        this.delete(this.next);
        taken.push(this.next);
      }
      this.next = (this.next + 1) % waits.length;
    }
    return taken;
  }
}
