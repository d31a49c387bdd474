import { open } from 'node:fs/promises';
import path from 'node:path';

/** Syncs a folder: a synced file's name can still be missing after a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a folder's name and those of the folders above it: `firstMade` is the highest new one, as from `mkdir`. */
export async function syncFoldersAbove(folder: string, firstMade: string | undefined): Promise<void> {
  if (firstMade === undefined) return;
  const last = path.dirname(firstMade);
  for (let above = path.dirname(folder); above.length >= last.length; above = path.dirname(above)) {
    await syncFolder(above);
    if (above === last) return;
  }
}
