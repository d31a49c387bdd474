import { freePort } from '../../setup/worker-process.ts';

/** Returns a port of this machine that nothing listens on. */
export const closedPort = freePort;
