import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { until } from '../setup/until.ts';
import { buildClient, makeDataDir, removeDataDir, spoolLines } from './support/client.ts';

// The commands in the documentation work as printed.

const ROOT = path.resolve(import.meta.dirname, '..', '..');
let dataDir: string;

beforeEach(() => {
  buildClient();
  dataDir = makeDataDir(null);
});

afterEach(() => {
  removeDataDir(dataDir);
});

const page = (name: string) => readFileSync(path.join(ROOT, 'docs', name), 'utf8');

describe('the documented command', () => {
  it('of the hook client spools an event', async () => {
    const command = /^echo .* hook PostToolUse$/m.exec(page('hook-client.md'))?.[0] ?? '';
    const env = { PATH: processEnvironment()['PATH'], RECOLLECT_DATA_DIR: dataDir };
    const run = spawnSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8', env });
    expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const line = await until(async () => spoolLines(dataDir)[0]);
    expect(line).toMatchObject({ event: 'PostToolUse', body: { session_id: 's1' } });
  });

  it('of Codex’s notify accepts the JSON of a turn, with nothing on the PATH', async () => {
    const line = /^notify = (\[.*\])$/m.exec(page('other-agents.md'))?.[1] ?? '[]';
    const documented: string[] = JSON.parse(line);
    expect(documented.slice(-2)).toEqual(['/usr/bin/node', '/opt/recollect/cli/bin.mjs']);
    const [program, ...words] = [...documented.slice(0, -2), process.execPath, path.join(ROOT, 'cli', 'bin.mjs')];
    const turn = { type: 'agent-turn-complete', 'thread-id': 't-1', 'last-assistant-message': `it's "done" $HOME` };
    const run = spawnSync(path.join('/bin', program), [...words, JSON.stringify(turn)], {
      cwd: '/',
      encoding: 'utf8',
      env: { RECOLLECT_DATA_DIR: dataDir },
    });
    expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const spooled = await until(async () => spoolLines(dataDir)[0]);
    expect(spooled).toMatchObject({ event: 'agent-turn-complete', host: 'codex-cli', body: turn });
  });
});
