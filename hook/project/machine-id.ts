import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newDeliveryId } from '../request.ts';

const MACHINE_ID = /^[0-9a-f-]{36}$/;

/** Returns a random id of this machine, stored in the data directory; it distinguishes equal paths on two machines. Null if unreadable and unwritable. */
export function machineId(dataDir: string): string | null {
  const file = join(dataDir, 'machine-id');
  const known = read(file);
  if (known !== null) return known;
  const own = `${file}.${newDeliveryId()}`;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(own, `${newDeliveryId()}\n`, { mode: 0o600, flag: 'wx' });
    // Appears complete and only once: two concurrent first hooks read the same id.
    linkSync(own, file);
  } catch {
    // Another was first, or nothing can be written: what is there counts.
  }
  try {
    rmSync(own, { force: true });
  } catch {
    // Read-only: then it was never made.
  }
  return read(file);
}

function read(file: string): string | null {
  try {
    const id = readFileSync(file, 'utf8').trim();
    return MACHINE_ID.test(id) ? id : null;
  } catch {
    return null; // The first hook of this data directory.
  }
}
