import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createMcpServer } from './server.ts';
import type { ToolContext } from './tools.ts';

/**
 * Serves MCP on stdin and stdout until stdin ends. Nothing else may be written to stdout meanwhile. `onError` receives messages that
 * could not be parsed or answered.
 */
export async function serveMcpOnStdio(context: ToolContext, onError: (error: Error) => void): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const served = serveStdio(() => createMcpServer(context), { onerror: onError, maxSubscriptions: 1 });
  process.stdin.once('close', ended.resolve);
  process.stdin.once('end', ended.resolve);
  await ended.promise;
  await served.close();
}
