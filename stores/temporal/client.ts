import { Client, Connection } from '@temporalio/client';

export interface TemporalOptions {
  readonly address: string;
  readonly namespace: string;
}

/** A client whose connection is made at its first call and again after it was lost; making it never fails and never waits. */
export function createTemporalClient(options: TemporalOptions): Client {
  return new Client({ connection: Connection.lazy({ address: options.address }), namespace: options.namespace });
}
