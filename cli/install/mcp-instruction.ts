import path from 'node:path';
import { quoted } from '../../hook/command-line.ts';
import { assertDurable } from './durable-path.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';
import type { Scope } from './hosts.ts';

const BIN = path.resolve(import.meta.dirname, '..', 'bin.mjs');

/**
 * Returns the command or file content that adds the MCP server to an agent. It starts `recollect mcp` with the current Node, which reads
 * address and key from the data directory, so the agent's settings contain no key. Without `mayWrite` the agent can search memories,
 * and neither store nor forget them. @throws InstallError `cache-path`
 */
export function mcpInstruction(host: HookHost, scope: Scope, dataDir: string, mayWrite: boolean): string {
  assertDurable(process.execPath, BIN);
  const words = [process.execPath, BIN, 'mcp', ...(mayWrite ? ['--write'] : []), '--data-dir', path.resolve(dataDir)];
  const line = words.map(quoted).join(' ');
  const [command, ...args] = words;
  const servers = { mcpServers: { recollect: { command, args } } };
  switch (host) {
    case 'claude-code':
      return `claude mcp add --scope ${scope.kind} recollect -- ${line}\n`;
    case 'codex-cli':
      return `codex mcp add recollect -- ${line}\n`;
    case 'cursor':
      return entryFor(scope, '.cursor/mcp.json', servers);
    case 'gemini-cli':
      return entryFor(scope, '.gemini/settings.json', servers);
    case 'opencode': {
      const entry = { mcp: { recollect: { type: 'local', command: words } } };
      return scope.kind === 'user'
        ? entryFor(scope, '.config/opencode/opencode.json', entry)
        : entryFor(scope, 'opencode.json', entry);
    }
    case 'windsurf':
      return entryFor({ kind: 'user' }, '.codeium/windsurf/mcp_config.json', servers);
    case 'cline':
      return `cline_mcp_settings.json, which Cline opens by MCP Servers, Configure:\n${JSON.stringify(servers, null, 2)}\n`;
  }
}

/** Returns a file's name and the entry to add to it. */
function entryFor(scope: Scope, file: string, entry: object): string {
  const place = scope.kind === 'user' ? `~/${file}` : path.join(path.resolve(scope.folder), file);
  return `${place}:\n${JSON.stringify(entry, null, 2)}\n`;
}
