import path from 'node:path';
import { quoted } from '../../hook/arguments.ts';
import type { InstallHost, Scope } from './host-files.ts';

const BIN = path.resolve(import.meta.dirname, '..', 'bin.mjs');

/**
 * Returns the command or file content that adds the MCP server to an agent. It starts `recollect mcp` with the current Node, which reads
 * address and key from the data directory, so the agent's settings contain no key. Without `mayWrite` the agent can search memories,
 * and neither store nor forget them.
 */
export function mcpInstruction(host: InstallHost, scope: Scope, dataDir: string, mayWrite: boolean): string {
  const words = [process.execPath, BIN, 'mcp', ...(mayWrite ? ['--write'] : []), '--data-dir', path.resolve(dataDir)];
  const line = words.map(quoted).join(' ');
  switch (host) {
    case 'claude-code':
      return `claude mcp add --scope ${scope.kind} recollect -- ${line}\n`;
    case 'codex-cli':
      return `codex mcp add recollect -- ${line}\n`;
    case 'cursor': {
      const [command, ...args] = words;
      const file =
        scope.kind === 'user' ? '~/.cursor/mcp.json' : path.join(path.resolve(scope.folder), '.cursor', 'mcp.json');
      return `${file}:\n${JSON.stringify({ mcpServers: { recollect: { command, args } } }, null, 2)}\n`;
    }
  }
}
