import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { testFolder } from '../infra/support/folder.ts';
import { recordFigure } from './record-figure.ts';

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
/** Linux counts packets without a route: here every connection and look-up beyond loopback. */
const COUNTER = 'OutNoRoutes';

/** Runs a command with only loopback reachable; resolves with its output and the number of attempts beyond loopback. */
async function runWithoutNetwork(words: readonly string[], environment: NodeJS.ProcessEnv) {
  const script = 'ip link set lo up && "$@"; code=$?; echo; grep ^Ip: /proc/net/snmp; exit $code';
  const alone = process.geteuid?.() === 0 ? ['-n'] : ['-rn'];
  const child = spawn('unshare', [...alone, 'sh', '-c', script, 'sh', ...words], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = await once(child, 'close');
  const [names = [], numbers = []] = output
    .split('\n')
    .filter((line) => line.startsWith('Ip: '))
    .map((line) => line.split(' '));
  return { code: Number(code), output, attempts: Number(numbers[names.indexOf(COUNTER)]) };
}

const PROBE = "require('node:net').connect(443, '192.0.2.1').on('error', () => {})";

test('counts a connection that goes beyond loopback', async () => {
  const { attempts } = await runWithoutNetwork([process.execPath, '-e', PROBE], processEnvironment());
  expect(attempts).toBeGreaterThan(0);
});

test('a complete instance opens no connection beyond loopback and writes nothing to its home', async () => {
  const home = testFolder();
  const { PATH } = processEnvironment();
  const environment = { PATH, HOME: home, RECOLLECT_CACHE_DIR: inject('cacheDir') };
  const words = [process.execPath, CLI, 'demo', '--data-dir', testFolder()];
  const { output, attempts } = await runWithoutNetwork(words, environment);
  // On a busy machine the demo may give up before its session has settled; by then all code that could connect has run.
  expect(output).toMatch(/85 hooks of a recorded coding session[^]*[1-9]\d* summaries/);
  const left = readdirSync(home, { recursive: true });
  recordFigure('connections_beyond_loopback', attempts);
  recordFigure('files_left_in_an_empty_home', left.length);
  expect({ attempts, left }).toEqual({ attempts: 0, left: [] });
});
