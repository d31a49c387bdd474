import { existsSync } from 'node:fs';

/** Programs that replace this process and exit with 0. */
const PROGRAMS_THAT_SUCCEED = [
  ['/bin/true', ['true']],
  ['/usr/bin/true', ['true']],
  ['/bin/sh', ['sh', '-c', ':']],
] as const;

let isPoolBusy = false;

/** Records that a thread of Node's pool may block forever (pipe, DNS lookup, disk), or no longer does. */
export function markPoolBusy(busy: boolean): void {
  isPoolBusy = busy;
}

/**
 * Returns true if this process can exit with a blocked pool thread. Node before 22.15 cannot: there only disk writes may use
 * the pool.
 */
export function canLeaveBusyPool(): boolean {
  return typeof process.execve === 'function';
}

/**
 * Exits with 0 at once. The usual exit waits for pool threads: if one may block, another program replaces this
 * process instead.
 */
export function leave(): never {
  if (isPoolBusy && typeof process.execve === 'function') {
    const [program, words] = PROGRAMS_THAT_SUCCEED.find(([file]) => existsSync(file)) ?? PROGRAMS_THAT_SUCCEED[2];
    process.execve(program, [...words], {});
  }
  process.exit(0);
}
