import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';

export interface TlsProxy {
  readonly port: number;
  close(): void;
}

/** Terminates TLS on a free port of loopback and forwards the bytes to a port without TLS. */
export async function startTlsProxy(target: number, options: TlsOptions): Promise<TlsProxy> {
  const open = new Set<{ destroy(): unknown }>();
  const server = createServer(options, (secured) => {
    const plain = connect(target, '127.0.0.1');
    open.add(secured);
    secured.on('error', () => plain.destroy()).on('close', () => plain.destroy());
    plain.on('error', () => secured.destroy()).on('close', () => secured.destroy());
    secured.pipe(plain).pipe(secured);
  });
  // A client that refuses the certificate.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
