import { expect, test } from 'vitest';
import { agedId } from '../../../setup/aged-id.ts';
import { fileInstance } from '../../../setup/file-instance.ts';
import { scraped } from '../../../setup/scraped.ts';

const instance = fileInstance();
const HOUR_S = 3_600;
const NOW_S = Math.floor(Date.now() / 1_000);

/** Adds a complete backup that was made some hours ago, with the values of more columns. */
async function backupOf(hoursAgo: number, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const at = `to_timestamp(${NOW_S - hoursAgo * HOUR_S})`;
  const columns = {
    created_at: at,
    snapshot_at: at,
    manifest_sha256: "sha256('set')",
    bytes: String(hoursAgo),
    ...more,
  };
  await instance.write(
    `INSERT INTO backups (id, workflow_id, state, ${Object.keys(columns).join(', ')})
     VALUES (${agedId('uuidv7()', hoursAgo * HOUR_S)}, 'w', 'completed', ${Object.values(columns).join(', ')})`,
  );
}

test('the newest complete, verified and copied backups are found behind hundreds of others', async () => {
  await backupOf(1, { manifest_sha256: 'NULL' });
  await backupOf(2, { removed_at: 'now()', verified_at: 'now()', copy_verified_at: 'now()' });
  for (let hours = 3; hours < 203; hours += 1) await backupOf(hours);
  await backupOf(203, { verified_at: 'now()', verify_error: "'BackupCorrupted'" });
  await backupOf(204, { verified_at: 'now()' });
  await backupOf(205, { verified_at: 'now()', copy_verified_at: 'now()' });
  const { input } = await scraped(instance, /^recollect_backup_last_success_timestamp_seconds \d/m);
  const hoursAgo = (name: string) =>
    (NOW_S - Number(new RegExp(`^recollect_backup_${name}_timestamp_seconds (\\S+)$`, 'mu').exec(input)?.[1])) / HOUR_S;
  expect([hoursAgo('last_success'), hoursAgo('verified'), hoursAgo('copy')]).toEqual([3, 204, 205]);
  expect(input).toMatch(/^recollect_backup_size_bytes 3$/m);
});
