import { createRequire } from 'node:module';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addTools } from './tools.ts';
import type { ToolContext } from './tools.ts';

const { version } = z.object({ version: z.string() }).parse(createRequire(import.meta.url)('../package.json'));

const INSTRUCTIONS = 'Memory of earlier sessions with this user. Search it before you ask the user or redo work';
const WRITING = '; remember what a later session must know';

/** Returns the MCP server `recollect` with its tools, not connected yet. */
export function createMcpServer(context: ToolContext): McpServer {
  const server = new McpServer(
    { name: 'recollect', version },
    { capabilities: { tools: {} }, instructions: `${INSTRUCTIONS}${context.mayWrite ? WRITING : ''}.` },
  );
  addTools(server, context);
  return server;
}
