import { Client, Connection } from '@temporalio/client';

export interface TemporalOptions {
  readonly address: string;
  readonly namespace: string;
}

/**
 * Returns a client that connects at its first call, and again after a lost connection; never fails and never waits. Without the SDK's
 * retries: the sweep repeats hints, and a retry after the connection was closed throws an error that no code can catch.
 */
export function createTemporalClient(options: TemporalOptions): Client {
  return new Client({
    connection: Connection.lazy({ address: options.address, interceptors: [] }),
    namespace: options.namespace,
  });
}
