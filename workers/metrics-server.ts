import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import { createTlsServer } from '../config/tls-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PLAIN_TEXT } from '../telemetry/plain-text.ts';

const HEADER_BYTES = 8 * 1_024;
const MAX_CONNECTIONS = 20;
const IDLE_TIMEOUT_MS = 30_000;

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': PLAIN_TEXT, 'x-content-type-options': 'nosniff', ...headers }).end(text);
}

/**
 * Serves `GET /metrics` for the scrape token until it is closed; every other request is refused. @throws ConfigError for unusable certificate files; an error of the
 * system if the port is in use
 */
export async function serveMetrics(
  { host, port, token, tls }: NonNullable<Config['worker']['metrics']>,
  logger: Logger,
  scrape: () => Promise<string>,
): Promise<{ close(): Promise<void> }> {
  const expected = sha256(`Bearer ${token}`);
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!timingSafeEqual(sha256(request.headers.authorization ?? ''), expected)) {
      answer(response, 401, 'needs the header Authorization: Bearer with RECOLLECT_SCRAPE_TOKEN\n', {
        'www-authenticate': 'Bearer',
      });
      return;
    }
    if (request.url !== '/metrics') answer(response, 404, 'only /metrics is served\n');
    else if (request.method !== 'GET') answer(response, 405, 'only GET is allowed\n', { allow: 'GET' });
    else answer(response, 200, await scrape());
  };
  const listener: RequestListener = (request, response) => {
    respond(request, response).catch((error: unknown) => {
      logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'metrics cannot be read');
      answer(response, 500, 'metrics cannot be read; see the log of the worker\n');
    });
  };
  const server =
    tls === null
      ? createServer({ maxHeaderSize: HEADER_BYTES }, listener)
      : createTlsServer({ files: tls, maxHeaderSize: HEADER_BYTES, idleTimeoutMs: IDLE_TIMEOUT_MS, logger })(listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
