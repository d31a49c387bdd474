import { writeSync } from 'node:fs';
import { hookEnvironment, mcpServerPlace } from './environment.ts';
import { memoryKeyFor } from './target.ts';

/**
 * Prints the headers of the plugin's MCP server as JSON, for Claude Code: the key of this machine for exactly the address that Claude Code
 * connects to. `{}` if there is none; then the key of the plugin's option remains.
 */
export function printMcpHeaders(): void {
  const place = mcpServerPlace();
  const key = place === null ? null : memoryKeyFor(place.url, place.dataDir, hookEnvironment());
  writeSync(1, `${JSON.stringify(key === null ? {} : { Authorization: `Bearer ${key}` })}\n`);
}
