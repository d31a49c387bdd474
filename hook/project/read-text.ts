import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/**
 * Returns the text of a regular file of at most `maxBytes`; null for anything else. A folder chooses these files: a FIFO would block
 * the reader, a device could act on being opened, a large file would fill the memory.
 */
export function readText(file: string, maxBytes: number): string | null {
  let handle: number | undefined;
  try {
    if (!statSync(file).isFile()) return null;
    // Does not block if the file was replaced by a FIFO meanwhile.
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(handle);
    if (!found.isFile() || found.size > maxBytes) return null;
    const bytes = Buffer.alloc(found.size);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < bytes.length; filled += read)
      read = readSync(handle, bytes, filled, bytes.length - filled, filled);
    return bytes.toString('utf8', 0, filled);
  } catch {
    return null; // Absent, or unreadable for this user.
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
