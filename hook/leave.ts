import { existsSync } from 'node:fs';

const PROGRAMS_THAT_SUCCEED = ['/bin/true', '/usr/bin/true'] as const;

let held = false;

/** Says that a thread of Node's pool may wait for something that never comes (a pipe, a name look-up, a disk), or no longer does. */
export function holdThread(busy: boolean): void {
  held = busy;
}

/**
 * Ends the process with 0, now. The usual exit waits for the threads of the pool, however long: where one of them may hang, another
 * program takes the place of this one instead.
 */
export function leave(): never {
  if (held) {
    const program = PROGRAMS_THAT_SUCCEED.find((file) => existsSync(file));
    if (program !== undefined && typeof process.execve === 'function') process.execve(program, ['true'], {});
    // An older Node: being late is worse than being told to the user as a failed hook.
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(0);
}
