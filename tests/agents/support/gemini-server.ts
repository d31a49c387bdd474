import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** A part of a reply of Gemini: a text, or a call of a tool. */
export type GeminiPart =
  | { readonly text: string }
  | { readonly functionCall: { readonly name: string; readonly args: object } };

/** Provider of Gemini CLI's model: streams scripted replies as the Gemini API does. */
export interface GeminiServer {
  readonly url: string;
  /** Bodies of the requests so far. */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1. After the script it replies with a text. */
export async function startGeminiServer(script: GeminiPart[]): Promise<GeminiServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push(body);
      const parts = [script.shift() ?? { text: 'Finished.' }];
      const candidates = [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }];
      const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify({ candidates, usageMetadata })}\r\n\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
