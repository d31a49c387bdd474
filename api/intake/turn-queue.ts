/** Runs work of many users one task at a time: round-robin between users, in order within one. */
export class TurnQueue {
  private readonly waiting = new Map<string, (() => void)[]>();
  private busy = false;

  /** Runs work in the user's turn. The turn ends with the work, or earlier if the work calls `endTurn`. */
  async run<Result>(userId: string, work: (endTurn: () => void) => Promise<Result>): Promise<Result> {
    await this.turn(userId);
    let ended = false;
    const endTurn = () => {
      if (ended) return;
      ended = true;
      this.next();
    };
    try {
      return await work(endTurn);
    } finally {
      endTurn();
    }
  }

  private turn(userId: string): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = this.waiting.get(userId);
    if (own === undefined) this.waiting.set(userId, [resolve]);
    else own.push(resolve);
    return promise;
  }

  private next(): void {
    const [first] = this.waiting;
    if (first === undefined) {
      this.busy = false;
      return;
    }
    const [userId, own] = first;
    const [next, ...rest] = own;
    // To the end of the users, with what is left.
    this.waiting.delete(userId);
    if (rest.length > 0) this.waiting.set(userId, rest);
    next?.();
  }
}
