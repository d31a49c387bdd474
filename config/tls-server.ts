import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { RequestListener } from 'node:http';
import { ConfigError } from './config.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Where reloads of a certificate are logged. */
interface ReloadLog {
  readonly info: (message: string) => void;
  readonly error: (fields: { readonly code: unknown }, message: string) => void;
}

export interface TlsServerOptions {
  readonly files: TlsFiles;
  readonly maxHeaderSize: number;
  /** Time without data after which a connection is closed, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly logger: ReloadLog;
}

const WATCH_MS = 5_000;

/** Returns the options of a TLS context from its files. @throws Error of the file system */
function contextOf({ certFile, keyFile }: TlsFiles) {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.2' as const };
}

/**
 * Returns a factory of HTTPS servers. When a file changes, new connections get the new certificate and running ones stay; a pair that does
 * not fit is logged, and the former one stays. @throws ConfigError if the files cannot be used at the start
 */
export function createTlsServer(options: TlsServerOptions): (handler: RequestListener) => HttpsServer {
  const { files, logger } = options;
  return (handler) => {
    let server: HttpsServer;
    try {
      const { maxHeaderSize } = options;
      // As the server for plain HTTP: NDJSON may take as long as it takes.
      server = createHttpsServer({ ...contextOf(files), maxHeaderSize, requestTimeout: 0 }, handler);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`RECOLLECT_TLS_CERT_FILE and RECOLLECT_TLS_KEY_FILE: cannot be used: ${reason}`, {
        cause: error,
      });
    }
    server.setTimeout(options.idleTimeoutMs);
    const reload = (): void => {
      try {
        server.setSecureContext(contextOf(files));
        logger.info('the TLS certificate was reloaded');
      } catch (error) {
        logger.error(
          { code: error instanceof Error && 'code' in error ? error.code : 'unknown' },
          'the TLS certificate was not reloaded: the files cannot be used; the former one stays',
        );
      }
    };
    const paths = [files.certFile, files.keyFile];
    for (const path of paths) watchFile(path, { interval: WATCH_MS, persistent: false }, reload);
    server.once('close', () => paths.forEach((path) => unwatchFile(path, reload)));
    return server;
  };
}
