import type { SourceRow } from '../../../domain/ports/model.ts';

const FILE_NAME =
  /[\w.-]*[\w-]\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|cc|cpp|h|hpp|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|plist|prisma|proto|tf|txt|sqlite|xml|ipynb|vue|svelte)\b/gu;

/**
 * Tells whether every file that a text names was touched by a tool: its name stands in a command or in the path that a tool of these rows
 * was asked for, or in one of the texts (which were held to the same). A sentence that names another file is left out, also where it is
 * quoted: a reader takes every name for one that was worked on.
 */
export function touchedFilesOf(rows: readonly SourceRow[], texts: readonly string[] = []): (text: string) => boolean {
  const asked = [...rows.filter(({ tool }) => tool !== null).map(askedOf), ...texts].join('\n');
  return (text) => (text.match(FILE_NAME) ?? []).every((name) => asked.includes(name));
}

/** True if a text names a file. */
export function namesFile(text: string): boolean {
  return text.match(FILE_NAME) !== null;
}

/** A command, or what names the file; not what was written into it. */
function askedOf({ title, content, filesRead, filesModified }: SourceRow): string {
  const end = content.startsWith('$ ') ? content.indexOf('\n\n') : content.indexOf('\n');
  return [title, end === -1 ? content : content.slice(0, end), ...filesRead, ...filesModified].join('\n');
}
