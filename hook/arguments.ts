import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';
import { EVENT_NAME } from './limits.ts';

/** Arguments of the client. */
export interface HookArguments {
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  readonly dataDir: string | null;
  /** The hook is the Claude Code plugin's, not one that `install` wrote. */
  readonly isPlugin: boolean;
}

/** First argument of background processes. */
export const BACKGROUND = '--background';

/** First argument of the program that prints the headers of the plugin's MCP server. */
export const MCP_HEADERS = '--mcp-headers';

/** Maximum length of a namespace on the server. */
const NAMESPACE_CHARS = 128;

/** Reads `EVENT [--host HOST] [--namespace NAME] [--data-dir FOLDER] [--plugin]`; ignores other arguments. Returns null without a valid event. */
export function parseArguments(args: readonly string[]): HookArguments | null {
  let event: string | null = null;
  let host = DEFAULT_HOST;
  let namespace = DEFAULT_NAMESPACE;
  let dataDir: string | null = null;
  let isPlugin = false;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const [name, attached] = word.startsWith('--') ? splitOnce(word) : [word];
    if (name === '--host' || name === '--namespace' || name === '--data-dir') {
      const value = attached ?? args[(index += 1)] ?? '';
      if (name === '--data-dir') dataDir = value === '' ? null : value;
      else if (name === '--namespace') namespace = value === '' ? namespace : value.slice(0, NAMESPACE_CHARS);
      else if (EVENT_NAME.test(value)) host = value;
    } else if (name === '--plugin') {
      isPlugin = true;
    } else if (event === null && !word.startsWith('-')) {
      event = word;
    }
  }
  return event !== null && EVENT_NAME.test(event) ? { event, host, namespace, dataDir, isPlugin } : null;
}

function splitOnce(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
