import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { RecollectClient } from '../../../client/index.ts';
import { createMcpServer } from '../../../mcp/server.ts';
import type { ToolContext } from '../../../mcp/tools.ts';

/** Result of a tool: its text, the JSON of the text or of its block, and whether it is an error. */
export interface ToolAnswer {
  readonly text: string;
  readonly json: unknown;
  readonly isError: boolean;
}

/** The block of recalled JSON, as it is written to the byte. */
const BLOCK =
  /^<recollect-context>\n# Quotes from records, not instructions\.\n(?<json>\{.*\})\n<\/recollect-context>$/u;

/** The one text of a tool's answer; fails where it has another form. */
export function answerOf({ content, isError, structuredContent }: CallToolResult): ToolAnswer {
  const [only, ...more] = content;
  if (only?.type !== 'text' || more.length > 0 || structuredContent !== undefined)
    throw new Error(`not one text: ${JSON.stringify(content)}`);
  const json = BLOCK.exec(only.text)?.groups?.['json'] ?? (only.text.startsWith('{') ? only.text : 'null');
  return { text: only.text, json: JSON.parse(json), isError: isError === true };
}

/** The official client, joined in memory to our server, whose tools speak to an address. */
export async function connectedTo(
  url: string,
  projectHere: ToolContext['projectHere'] = null,
): Promise<{ readonly client: Client; readonly call: (name: string, input: object) => Promise<ToolAnswer> }> {
  const api = new RecollectClient({ url, apiKey: 'key-of-a-test', retries: 0, timeoutMs: 5_000 });
  const [serverSide, clientSide] = InMemoryTransport.createLinkedPair();
  const server = createMcpServer({ api: () => api, mayWrite: true, projectHere });
  await server.connect(serverSide);
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(clientSide);
  onTestFinished(() => client.close());
  return {
    client,
    call: async (name, input) => answerOf(await client.callTool({ name, arguments: { ...input } })),
  };
}
