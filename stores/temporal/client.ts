import { getCACertificates } from 'node:tls';
import { InterceptingCall, Metadata, status } from '@grpc/grpc-js';
import type { Interceptor, NextCall } from '@grpc/grpc-js';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/client';

/** Where the server is, and how this process identifies itself there. */
export interface TemporalServer {
  readonly address: string;
  /** Absent: without TLS. PEM texts of the client certificate; null: none. */
  readonly tls?: {
    readonly cert: string | null;
    readonly key: string | null;
    /** Name that the server's certificate must have; null: the host of the address. */
    readonly serverName: string | null;
  };
  readonly apiKey?: string;
}

export interface TemporalOptions extends TemporalServer {
  readonly namespace: string;
}

/**
 * Returns the options of a connection, for the SDK of clients and that of workers: both verify the server with the authorities that this
 * process trusts by default, where the workers' library would use its own.
 */
export function connectionOptions({ address, tls, apiKey }: TemporalServer): {
  readonly address: string;
  readonly tls?: TLSConfig;
  readonly apiKey?: string;
} {
  if (tls === undefined) return { address };
  const { cert, key, serverName } = tls;
  return {
    address,
    tls: {
      serverRootCACertificate: Buffer.from(getCACertificates('default').join('\n')),
      ...(cert === null || key === null ? {} : { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
      ...(serverName === null ? {} : { serverNameOverride: serverName }),
    },
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

/** Attempts of a call: a second in total. A longer outage is returned to the caller, and visible. */
const ATTEMPTS = 4;
const FIRST_RETRY_MS = 100;

const retries = makeGrpcRetryInterceptor(
  defaultGrpcRetryOptions({ maxAttempts: ATTEMPTS, initialIntervalMs: () => FIRST_RETRY_MS }),
);

/** A call that ends at once, because the connection was closed. */
const CANCELLED_CALL: ReturnType<NextCall> = {
  start: (_metadata, listener) => {
    queueMicrotask(() => {
      // As every unary call without a response: the SDK's retries rely on it.
      listener?.onReceiveMessage?.(null);
      listener?.onReceiveStatus?.({
        code: status.CANCELLED,
        details: 'the connection was closed',
        metadata: new Metadata(),
      });
    });
  },
  cancelWithStatus: () => undefined,
  getPeer: () => '',
  sendMessageWithContext: () => undefined,
  sendMessage: () => undefined,
  startRead: () => undefined,
  halfClose: () => undefined,
  getAuthContext: () => null,
};

/** Ends an attempt that finds the connection closed. The SDK starts a retry in a timer, where no caller could catch the error of the channel. */
const endsWithConnection: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch {
    return new InterceptingCall(CANCELLED_CALL);
  }
};

/**
 * Connects for a set-up, whose calls are retried for longer, as the SDK does by default. They end with the connection. @throws the SDK's error if the
 * server cannot be reached
 */
export async function connectForSetUp(server: TemporalServer): Promise<Connection> {
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endsWithConnection];
  return Connection.connect({ ...connectionOptions(server), interceptors });
}

/**
 * Returns a client that connects at its first call, and again after a lost connection; never fails and never waits. It retries calls that fail
 * transiently. `hints`: for hints alone, which are not retried, because the sweep repeats them.
 */
export function createTemporalClient(options: TemporalOptions, use: 'calls' | 'hints' = 'calls'): Client {
  const interceptors = use === 'calls' ? [retries, endsWithConnection] : [];
  return new Client({
    connection: Connection.lazy({ ...connectionOptions(options), interceptors }),
    namespace: options.namespace,
  });
}
