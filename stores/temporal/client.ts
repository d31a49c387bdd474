import { Client, Connection } from '@temporalio/client';

export interface TemporalOptions {
  readonly address: string;
  readonly namespace: string;
}

/**
 * A client whose connection is made at its first call and again after it was lost; making it never fails and never waits. Without the SDK's
 * retries: hints are repeated by the sweep, and a retry that is due after the connection was closed throws where nobody can catch it.
 */
export function createTemporalClient(options: TemporalOptions): Client {
  return new Client({
    connection: Connection.lazy({ address: options.address, interceptors: [] }),
    namespace: options.namespace,
  });
}
