import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HookEnvironment } from './environment.ts';

/** Destination of events. */
export interface Target {
  /** Without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  /** Names the server in the spool: what was meant for one is never given to another. */
  readonly server: string;
}

/** The instance that lives in the data directory, whatever port it has today. */
export const LOCAL_SERVER = 'local';

/** A short name made from a text, for file names; not for secrets. FNV-1a, 32 bits, twice: no library is loaded for it. */
export function shortHash(text: string): string {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    forward = Math.imul(forward ^ text.charCodeAt(index), 0x01000193) >>> 0;
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - index), 0x01000193) >>> 0;
  }
  return forward.toString(16).padStart(8, '0') + backward.toString(16).padStart(8, '0');
}

function withoutEndSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

type AgentKey = 'agent_api_key' | 'agent_write_api_key';

/** Returns address and key of an access file; null if there is none. `fallback`: `api_key`, if the file has no keys for agents. */
function readAccess(
  file: string,
  name: AgentKey,
  fallback = true,
): { readonly url: string; readonly apiKey: string } | null {
  // Checked first: throwing and catching an error costs more than the rest of this function.
  if (!existsSync(file)) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // Unreadable or half written: use the next location.
  }
  if (parsed === null || typeof parsed !== 'object' || !('url' in parsed) || !('api_key' in parsed)) return null;
  const { url } = parsed;
  // The key for agents may do less. Credentials of an older version have none before the next start.
  const apiKey: unknown = name in parsed || !fallback ? Reflect.get(parsed, name) : parsed.api_key;
  return typeof url === 'string' && typeof apiKey === 'string' && URL.canParse(url) && apiKey !== ''
    ? { url, apiKey }
    : null;
}

/**
 * The server that hooks of this data directory go to: the environment's, else `client.json`'s (written by the installer for a
 * remote server), else the local instance's own. Null when none is known.
 */
export function findTarget(dataDir: string, environment: HookEnvironment): Target | null {
  const remote =
    environment.server !== null && URL.canParse(environment.server.url)
      ? environment.server
      : readAccess(join(dataDir, 'client.json'), 'agent_api_key');
  if (remote !== null) {
    const url = withoutEndSlash(remote.url);
    return { url, apiKey: remote.apiKey, server: shortHash(url) };
  }
  return localTarget(dataDir);
}

/** The instance of the data directory itself; null before its first start. */
export function localTarget(dataDir: string): Target | null {
  const local = readAccess(join(dataDir, 'credentials.json'), 'agent_api_key');
  return local === null ? null : { url: withoutEndSlash(local.url), apiKey: local.apiKey, server: LOCAL_SERVER };
}

/**
 * Returns the key for memory tools at exactly this address: the environment's, else that of `client.json` or of the local instance. Null
 * if all of them are for other servers.
 */
export function memoryKeyFor(address: string, dataDir: string, environment: HookEnvironment): string | null {
  const known = [
    environment.server,
    readAccess(join(dataDir, 'client.json'), 'agent_write_api_key'),
    // Without a fallback: `api_key` of an instance is the operator's.
    readAccess(join(dataDir, 'credentials.json'), 'agent_write_api_key', false),
  ];
  const url = withoutEndSlash(address);
  return known.find((access) => access !== null && withoutEndSlash(access.url) === url)?.apiKey ?? null;
}
