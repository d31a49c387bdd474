import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { runProgram, writeCredentials } from './support/output.ts';

const PATIENCE_MS = 120_000;
const dataDir = longLivedFolder();
let instance: TestInstance;
let stop: () => Promise<void>;

const run = (...args: string[]) => runProgram([...args, '--data-dir', dataDir], args[0] === 'forget' ? null : 80);

const RULE = 'Never store money as floating point numbers in the wombat ledger, always use integer cents';

beforeAll(async () => {
  instance = await startTestInstance();
  writeCredentials(dataDir, instance);
  stop = await instance.startWorker();
  const [started, , ...rest] = smallSession('wombat');
  const prompt = { host: 'test', session_id: 'wombat', type: 'prompt', content: `${RULE}.`, key: 'wombat-rule' };
  await captured(instance, [started, prompt, ...rest]);
  await settled(instance, 'test:wombat', PATIENCE_MS);
});
afterAll(async () => {
  await stop();
  await instance.close();
});

const NAME = /^[a-z2-7]{8}(?= )/gm;

describe('forgetting what a session taught', { timeout: 240_000 }, () => {
  test('of a summary without quotes names its prompts, and needs them to be forgotten', async () => {
    const [summary = 'none'] = (await run('search', 'invoices', 'rounded', '--type', 'summary')).text.match(NAME) ?? [];
    expect((await run('forget', summary, '--dry-run')).text).toMatch(/It was made from\n {2}[a-z2-7]{8} {2}prompt\//);
    expect(await run('forget', summary, '--yes')).toMatchObject({
      code: 1,
      errors: 'Nothing was forgotten. A summary is written again from its sources: pass --with-sources.\n',
    });
  });

  test('names the prompt that it came from, and forgets it with --with-sources', async () => {
    const learning = await until(async () => (await run('learnings', '--search', 'wombat')).text.match(NAME)?.[0]);
    const [prompt = 'none'] =
      (await run('search', 'wombat', 'integer', 'cents', '--type', 'prompt')).text.match(NAME) ?? [];
    const dry = await run('forget', learning, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.text).toMatch(/^<recollect-context>\n[^]*<\/recollect-context>\n$/);
    expect(dry.text).toContain(`${learning} loses\n  learning/`);
    expect(dry.text).toMatch(
      new RegExp(`\nIt was made from\n  ${prompt}  prompt/user  20.* UTC  session wombat\n    Never store`),
    );
    expect((await run('forget', learning, '--dry-run', '--with-sources')).text).toMatch(
      new RegExp(`\nThese sources are forgotten, too\n  ${prompt}  prompt/user`),
    );
    expect(await run('forget', learning, '--with-sources')).toMatchObject({
      code: 1,
      errors: 'Nothing was forgotten. Without a terminal, pass --yes.\n',
    });
    const forgotten = await run('forget', learning, '--with-sources', '--yes');
    expect(forgotten).toMatchObject({ code: 0, errors: '' });
    expect(forgotten.text).toMatch(
      /Forgotten\. Spools, transcripts and hooks cannot restore it; an older backup, restored on another machine, can\.\n$/,
    );
    for (const type of ['learning', 'prompt', 'summary', 'observation'])
      expect((await run('search', 'wombat', 'ledger', '--type', type)).text).not.toContain('wombat ledger');
    for (const name of [learning, prompt]) expect((await run('get', name)).code).toBe(1);
  });

  test('lists the sources that remain without it, and the printed command forgets them', async () => {
    const quote = 'The rounding is banker’s rounding now';
    const row = await instance.text('SELECT id AS value FROM observations WHERE content LIKE $1', [`%${quote}%`]);
    const body = { title: 'Rounding', description: 'Numbats round half even', evidence: [{ row_id: row, quote }] };
    expect((await instance.post('/learnings', body)).status).toBe(201);
    const [learning = 'none'] = (await run('learnings', '--search', 'numbats')).text.match(NAME) ?? [];
    const { text } = await run('forget', learning, '--yes');
    const [, source = 'none'] =
      /\nSources remain, and search finds them\. To forget them, too:\n {2}recollect forget ([a-z2-7]{8})\n$/.exec(
        text,
      ) ?? [];
    expect((await run('get', source)).text).toContain(quote);
    expect((await run('trace', source)).text).toContain(source);
    expect((await run('forget', source, '--yes')).code).toBe(0);
    expect((await run('get', source)).code).toBe(1);
  });
});
