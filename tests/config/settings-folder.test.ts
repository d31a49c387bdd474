import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withSettingsFolder } from '../../config/settings-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recollect-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string, value: string): void => writeFileSync(path.join(folder, name), value);
const read = (environment: Readonly<Record<string, string>> = {}) =>
  withSettingsFolder({ RECOLLECT_SETTINGS_DIR: folder, ...environment });

test('adds a setting for each file that is not empty, without its last line end', () => {
  put('RECOLLECT_WEAVIATE_API_KEY', 'key\n');
  put('RECOLLECT_DATABASE_URL', 'postgresql://app:%20@db/recollect');
  put('ANTHROPIC_API_KEY', 'other\r\n');
  put('RECOLLECT_BACKUP_KEY', '\n');
  expect(read({ HOME: '/home' })).toEqual({
    HOME: '/home',
    RECOLLECT_WEAVIATE_API_KEY: 'key',
    RECOLLECT_DATABASE_URL: 'postgresql://app:%20@db/recollect',
    ANTHROPIC_API_KEY: 'other',
  });
});

test('follows the links of a mounted secret and ignores its other entries', () => {
  mkdirSync(path.join(folder, '..data'));
  put('..data/RECOLLECT_SCRAPE_TOKEN', 'token');
  symlinkSync('..data/RECOLLECT_SCRAPE_TOKEN', path.join(folder, 'RECOLLECT_SCRAPE_TOKEN'));
  for (const name of ['tls.crt', 'NODE_OPTIONS', 'recollect_http_port', 'RECOLLECT_SETTINGS_DIR']) put(name, 'x');
  expect(read()).toEqual({ RECOLLECT_SCRAPE_TOKEN: 'token' });
});

test('returns an environment that a child process can have', () => {
  put('RECOLLECT_HTTP_PORT', '2');
  const environment = read();
  expect(withSettingsFolder(environment)).toBe(environment);
});

test('returns the environment unchanged without a folder', () => {
  const environment = { RECOLLECT_HTTP_PORT: '1' };
  expect(withSettingsFolder(environment)).toBe(environment);
});

test('rejects a setting that the environment has, too, by its name', () => {
  put('RECOLLECT_HTTP_PORT', '2');
  expect(() => read({ RECOLLECT_HTTP_PORT: '1' })).toThrow(/^RECOLLECT_HTTP_PORT: is set in the environment and in/);
});

test('accepts a value of 65,536 bytes and rejects a longer one by its name, without the value', () => {
  put('RECOLLECT_CORS_ORIGINS', 'v'.repeat(65_536));
  expect(read()['RECOLLECT_CORS_ORIGINS']).toHaveLength(65_536);
  put('RECOLLECT_CORS_ORIGINS', 'v'.repeat(65_537));
  expect(() => read()).toThrow(/^RECOLLECT_CORS_ORIGINS: its file in RECOLLECT_SETTINGS_DIR must have at most 65536/);
});

test('rejects a file and a folder that cannot be read', () => {
  symlinkSync('missing', path.join(folder, 'RECOLLECT_BACKUP_KEY'));
  expect(() => read()).toThrow('RECOLLECT_BACKUP_KEY: its file in RECOLLECT_SETTINGS_DIR cannot be read');
  expect(() => withSettingsFolder({ RECOLLECT_SETTINGS_DIR: path.join(folder, 'none') })).toThrow(
    'RECOLLECT_SETTINGS_DIR: is not a folder that can be read',
  );
});
