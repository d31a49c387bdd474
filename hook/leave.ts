import { existsSync } from 'node:fs';

/** What takes the place of this process and succeeds at once. */
const PROGRAMS_THAT_SUCCEED = [
  ['/bin/true', ['true']],
  ['/usr/bin/true', ['true']],
  ['/bin/sh', ['sh', '-c', ':']],
] as const;

let held = false;

/** Says that a thread of Node's pool may wait for something that never comes (a pipe, a name look-up, a disk), or no longer does. */
export function holdThread(busy: boolean): void {
  held = busy;
}

/**
 * Whether this process can end although a thread of the pool hangs. A Node before 22.15 cannot: there nothing that may hang is left to
 * the pool but what is written to the disk.
 */
export function mayHoldThread(): boolean {
  return typeof process.execve === 'function';
}

/**
 * Ends the process with 0, now. The usual exit waits for the threads of the pool, however long: where one of them may hang, another
 * program takes the place of this one instead.
 */
export function leave(): never {
  if (held && typeof process.execve === 'function') {
    const [program, words] = PROGRAMS_THAT_SUCCEED.find(([file]) => existsSync(file)) ?? PROGRAMS_THAT_SUCCEED[2];
    process.execve(program, [...words], {});
  }
  process.exit(0);
}
