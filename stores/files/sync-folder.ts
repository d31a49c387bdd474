import { open } from 'node:fs/promises';
import path from 'node:path';

/** Makes the names in a folder safe: a file that is synced may still have no name after a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder's name safe, and those of the folders above it: `firstMade` is the highest one that was just made, as `mkdir` answers it. */
export async function syncFoldersAbove(folder: string, firstMade: string | undefined): Promise<void> {
  if (firstMade === undefined) return;
  const last = path.dirname(firstMade);
  for (let above = path.dirname(folder); above.length >= last.length; above = path.dirname(above)) {
    await syncFolder(above);
    if (above === last) return;
  }
}
