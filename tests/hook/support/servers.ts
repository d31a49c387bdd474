import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as net from 'node:net';

/** A request that a server received. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export interface TestServer {
  readonly url: string;
  readonly key: string;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

export type Answer = (received: Received, response: ServerResponse, index: number) => void;

const KEY = 'rcl_key_of_a_test_server';

/** Starts a server with scripted responses that records its requests. */
export async function startServer(answer: Answer, port = 0): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const one = { path: request.url ?? '', headers: request.headers, body: parsed(text), text };
      received.push(one);
      answer(one, response, received.length - 1);
    });
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    key: KEY,
    received,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Starts a TCP server that passes each connection to `answer` at its first bytes. */
export async function startRawServer(answer: (socket: net.Socket) => void): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    key: KEY,
    received: [],
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Returns an address without a server. */
export async function deadServer(): Promise<{ readonly url: string; readonly key: string }> {
  const server = await startRawServer(() => undefined);
  await server.close();
  return { url: server.url, key: server.key };
}

/** Every response of the API has them; a response without them is of another server. */
export const API_HEADERS = { 'x-api-version': '1' } as const;

/** Responds as the API does. */
export function answerJson(status: number, body: unknown): Answer {
  return (_received, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...API_HEADERS });
    response.end(JSON.stringify(body));
  };
}

/** Responds with an error as the API does. */
export function answerError(status: number, code: string): Answer {
  return answerJson(status, { error: 'what is wrong', code, details: [], request_id: 'r' });
}

/** Responds as a proxy without its API, a captive portal or another program on the port. */
export function answerForeign(status: number, body = '<html></html>'): Answer {
  return (_received, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end(body);
  };
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text === '' ? '{}' : text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
