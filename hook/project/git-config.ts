/** A section's line as git writes it: `[remote "origin"]`. */
const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/;
/** Takes all that is behind the sign: an end that could fail to match would be tried again from every blank. */
const URL_LINE = /^\s*url\s*=([^]*)/i;

/** The value of a line without quotes, escapes and a comment after it. */
function plainValue(text: string): string {
  let value = '';
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\') value += text[(index += 1)] ?? '';
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '#' || char === ';')) break;
    else value += char;
  }
  return value.trim();
}

/** The address of a repository's remote by the text of its `.git/config`: origin's, else the first one's. Null without any. */
export function remoteOf(config: string): string | null {
  let remote: string | null = null;
  let first: string | null = null;
  for (const line of config.split(/\r?\n/)) {
    const section = SECTION.exec(line);
    if (section !== null) {
      remote = section[1]?.toLowerCase() === 'remote' ? (section[2] ?? null) : null;
      continue;
    }
    const value = remote === null ? undefined : URL_LINE.exec(line)?.[1];
    if (value === undefined) continue;
    const url = plainValue(value);
    if (url === '') continue;
    if (remote === 'origin') return url;
    first ??= url;
  }
  return first;
}

/** `host:path` or `user@host:path`; a single letter is a drive. */
const SHORT_FORM = /^[^/\\]{2,}:(?!\\)/;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** Returns whether a remote is on another machine. A local folder does not identify the project on other machines. */
export function isElsewhere(remote: string): boolean {
  const scheme = SCHEME.exec(remote)?.[1];
  return scheme === undefined ? SHORT_FORM.test(remote) : scheme.toLowerCase() !== 'file';
}

/** A remote without user names, passwords, queries and anchors: `https://user:token@host/path` becomes `https://host/path`. */
export function withoutCredentials(remote: string): string {
  const scheme = SCHEME.exec(remote)?.[0] ?? '';
  const rest = remote.slice(scheme.length).split(/[?#]/, 1)[0] ?? '';
  // A password may hold an @, and wrongly a slash: what is before the last @ is left out, when it can be a password at all.
  const at = rest.lastIndexOf('@');
  const slash = rest.indexOf('/');
  const isPath = slash !== -1 && at > slash && !rest.slice(0, slash).includes(':');
  return scheme + (at === -1 || isPath ? rest : rest.slice(at + 1));
}
