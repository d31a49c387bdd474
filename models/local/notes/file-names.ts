import type { SourceRow } from '../../../domain/ports/model.ts';

const FILE_NAME =
  /[\w.-]*[\w-]\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|cc|cpp|h|hpp|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|plist|prisma|proto|tf|txt|sqlite|xml|ipynb|vue|svelte)\b/gu;

/**
 * Returns a function that checks whether tools touched every file in a text: its name is in a command or path of these rows, or in one of
 * the texts (which were checked the same way). Sentences with other files are excluded, also if quoted: readers take every named file for
 * one that was worked on.
 */
export function touchedFilesOf(rows: readonly SourceRow[], texts: readonly string[] = []): (text: string) => boolean {
  const named = [...rows.filter(({ tool }) => tool !== null).map(argumentsOf), ...texts].join('\n');
  return (text) => (text.match(FILE_NAME) ?? []).every((name) => named.includes(name));
}

/** Returns true if a text names a file. */
export function namesFile(text: string): boolean {
  return text.match(FILE_NAME) !== null;
}

/** Returns the command or the file of a row, not the written content. */
function argumentsOf({ title, content, filesRead, filesModified }: SourceRow): string {
  const end = content.startsWith('$ ') ? content.indexOf('\n\n') : content.indexOf('\n');
  return [title, end === -1 ? content : content.slice(0, end), ...filesRead, ...filesModified].join('\n');
}
