import type { Config } from '../config/config.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';

/** Returns the stores of the erasure journals: beside the backup sets, and beside their copies. */
export function journalsOf({ backup, s3 }: Config) {
  return [backup.address, backup.copy].flatMap((address) => archiveStoreAt(address, s3) ?? []);
}
