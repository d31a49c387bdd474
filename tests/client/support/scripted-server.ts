import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** What the server does with one request: an answer, the line cut, silence, or half an answer. */
export type Step =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | 'cut'
  | 'silence'
  | 'half';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface ScriptedServer {
  readonly url: string;
  readonly seen: readonly Seen[];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}

function play(step: Step, request: IncomingMessage, response: ServerResponse): void {
  if (step === 'silence') return;
  if (step === 'cut') {
    request.socket.destroy();
    return;
  }
  if (step === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"data":', () => request.socket.destroy());
    return;
  }
  const isText = typeof step.body === 'string';
  response.writeHead(step.status, { 'content-type': isText ? 'text/html' : 'application/json', ...step.headers });
  response.end(isText ? step.body : JSON.stringify(step.body ?? {}));
}

/** An HTTP server that runs one step after another, and repeats the last one; closed at the end of the test. */
export async function scriptedServer(
  steps: readonly Step[] | ((seen: Seen, index: number) => Step),
): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      const index = seen.length - 1;
      const step = typeof steps === 'function' ? steps(one, index) : (steps[index] ?? steps.at(-1));
      if (step !== undefined) play(step, request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}`, seen };
}
