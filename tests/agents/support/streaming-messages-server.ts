import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** A block of a reply: a text, or a call of one of the agent's tools. */
export type ReplyBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: object };

const requestBody = z.object({
  model: z.string(),
  messages: z.array(z.unknown()),
  tools: z.array(z.unknown()).default([]),
});

/** Provider of an agent's model: streams scripted replies as the Messages API does. */
export interface StreamingMessagesServer {
  readonly url: string;
  /** Requests with tools so far: those of the agent itself, not of its titles and summaries. */
  readonly requests: readonly z.output<typeof requestBody>[];
  /** Appends replies to the requests of the agent; then a text without calls. */
  readonly script: (...replies: readonly (readonly ReplyBlock[])[]) => void;
  readonly close: () => Promise<void>;
}

function eventsOf(model: string, blocks: readonly ReplyBlock[]): string {
  const events: [string, object][] = [
    [
      'message_start',
      {
        message: {
          id: `msg_${crypto.randomUUID()}`,
          type: 'message',
          role: 'assistant',
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 10, output_tokens: 1 },
        },
      },
    ],
  ];
  for (const [index, block] of blocks.entries()) {
    const [empty, delta] =
      block.type === 'text'
        ? [
            { type: 'text', text: '' },
            { type: 'text_delta', text: block.text },
          ]
        : [
            { type: 'tool_use', id: `toolu_${crypto.randomUUID().slice(0, 8)}`, name: block.name, input: {} },
            { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
          ];
    events.push(
      ['content_block_start', { index, content_block: empty }],
      ['content_block_delta', { index, delta }],
      ['content_block_stop', { index }],
    );
  }
  const stop = blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  events.push(
    ['message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 5 } }],
    ['message_stop', {}],
  );
  return events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`).join('');
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startStreamingMessagesServer(): Promise<StreamingMessagesServer> {
  const script: (readonly ReplyBlock[])[] = [];
  const requests: z.output<typeof requestBody>[] = [];
  const finished: readonly ReplyBlock[] = [{ type: 'text', text: 'Finished.' }];
  const replyTo = async (request: IncomingMessage): Promise<string | null> => {
    const parsed = requestBody.safeParse(JSON.parse((await text(request)) || '{}'));
    if (!parsed.success || !(request.url ?? '').startsWith('/v1/messages')) return null;
    const { model, tools } = parsed.data;
    if (tools.length === 0) return eventsOf(model, finished);
    requests.push(parsed.data);
    return eventsOf(model, script.shift() ?? finished);
  };
  const server = createServer((request, response) => {
    void replyTo(request).then((events) => {
      response.writeHead(events === null ? 404 : 200, { 'content-type': 'text/event-stream' });
      response.end(events ?? '{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    script: (...replies) => void script.push(...replies),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
