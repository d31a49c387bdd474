import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backupConfig, backupEnvironment, keysOfFile } from '../../config/backup-settings.ts';

const schema = z.object(backupEnvironment);
const parse = (given: Record<string, string>) => backupConfig(schema.parse(given));
const [newest, older] = [randomBytes(32), randomBytes(32)];
const text = (...keys: Buffer[]) => keys.map((key) => key.toString('base64')).join(',');

describe('settings of backups', () => {
  it('default to thirty days and seven sets, without encryption or trusted keys', () => {
    expect(parse({})).toEqual({
      keys: [],
      keyFile: null,
      signingKey: null,
      trustedKeys: [],
      keepDays: 30,
      keepLast: 7,
      replacedDatabaseKeepDays: 7,
    });
  });

  it('take keys of 32 bytes, the newest first', () => {
    expect(parse({ RECOLLECT_BACKUP_KEY: text(newest, older) }).keys).toEqual([newest, older]);
    expect(parse({ RECOLLECT_BACKUP_TRUSTED_KEYS: 'AAAA, BBBB' }).trustedKeys).toEqual(['AAAA', 'BBBB']);
  });

  it.each(['', 'short', text(randomBytes(31)), `${text(newest)},odd!`])(
    'refuse other keys, and do not repeat them: %j',
    (given) => {
      const parsed = schema.safeParse({ RECOLLECT_BACKUP_KEY: given });
      expect(parsed.error?.issues[0]?.path).toEqual(['RECOLLECT_BACKUP_KEY']);
      expect(given === '' || !String(parsed.error?.message).includes(given)).toBe(true);
    },
  );

  it('refuse to keep nothing', () => {
    for (const name of [
      'RECOLLECT_BACKUP_KEEP_DAYS',
      'RECOLLECT_BACKUP_KEEP_LAST',
      'RECOLLECT_REPLACED_DATABASE_KEEP_DAYS',
    ])
      expect(schema.safeParse({ [name]: '0' }).success).toBe(false);
  });

  it('read a key file, one a line, and nothing else', () => {
    expect(keysOfFile(`${newest.toString('base64')}\n${older.toString('base64')}\n`)).toEqual([newest, older]);
    for (const other of ['', '\n', 'a password', newest.toString('hex')]) expect(keysOfFile(other)).toBeNull();
  });
});
