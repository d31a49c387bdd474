import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';
import { EVENT_NAME } from './limits.ts';

/** Arguments of the client. */
export interface HookArguments {
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  readonly dataDir: string | null;
}

/** First argument of background processes. */
export const BACKGROUND = '--background';

/** Maximum length of a namespace on the server. */
const NAMESPACE_CHARS = 128;

/** Reads `EVENT [--host HOST] [--namespace NAME] [--data-dir FOLDER]`; ignores other arguments. Returns null without a valid event. */
export function parseArguments(args: readonly string[]): HookArguments | null {
  let event: string | null = null;
  let host = DEFAULT_HOST;
  let namespace = DEFAULT_NAMESPACE;
  let dataDir: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const [name, attached] = word.startsWith('--') ? splitOnce(word) : [word];
    if (name === '--host' || name === '--namespace' || name === '--data-dir') {
      const value = attached ?? args[(index += 1)] ?? '';
      if (name === '--data-dir') dataDir = value === '' ? null : value;
      else if (name === '--namespace') namespace = value === '' ? namespace : value.slice(0, NAMESPACE_CHARS);
      else if (EVENT_NAME.test(value)) host = value;
    } else if (event === null && !word.startsWith('-')) {
      event = word;
    }
  }
  return event !== null && EVENT_NAME.test(event) ? { event, host, namespace, dataDir } : null;
}

function splitOnce(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
