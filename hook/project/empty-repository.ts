import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns a repository without commits and settings, made once for each length of ids: in it git reads nothing that another one
 * configures. Null where the data directory cannot be written.
 */
export function emptyRepository(dataDir: string, format: 'sha1' | 'sha256'): string | null {
  const folder = join(dataDir, 'empty-git', format);
  const head = join(folder, 'HEAD');
  if (existsSync(head)) return folder;
  try {
    for (const name of ['objects', 'refs']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    if (format === 'sha256')
      writeFileSync(
        join(folder, 'config'),
        '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n',
      );
    // Last: without it git finds no repository here.
    writeFileSync(head, 'ref: refs/heads/none\n');
    return folder;
  } catch {
    return null; // A data directory that this user cannot write.
  }
}
