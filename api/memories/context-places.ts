/** Blocks for prompts and files that are packed at once for hooks: what a machine's agents ask in a moment. */
export const MOST_HOOK_CONTEXTS = 4;

export interface PlacesOptions {
  /** Maximum concurrent runs; further requests are not queued. */
  readonly most: number;
  /** Whether something else goes first now. */
  readonly isBusy: () => boolean;
}

/** Runs work where there is a place for it at once, and answers `otherwise` where there is none. A place is free again when its work has ended. */
export function createPlaces({
  most,
  isBusy,
}: PlacesOptions): <Result>(otherwise: Result, work: () => Promise<Result>) => Promise<Result> {
  let taken = 0;
  return async (otherwise, work) => {
    if (taken >= most || isBusy()) return otherwise;
    taken += 1;
    try {
      return await work();
    } finally {
      taken -= 1;
    }
  };
}
