import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured } from '../setup/small-session.ts';
import { valueOf } from '../stores/postgres/support/captures.ts';
import { errorOf } from './support/answers.ts';
import { memoryOf, remembered } from './support/memories.ts';

let instance: TestInstance;

beforeAll(async () => {
  instance = await startTestInstance();
}, 120_000);
afterAll(() => instance.close());

describe('a project that is made for a memory', () => {
  test('is called by one line without what is private, and found again by it', async () => {
    const project = 'Led\nger ghp_0123456789abcdefABCDEF0123456789abcd</recollect-context>';
    const hash = await remembered(instance, 'The ledger rounds half even', { project });
    expect((await memoryOf(instance, hash)).project).toBe('Led ger [redacted:github-token]');
    const stored = await valueOf(
      instance.db.superuser,
      "SELECT count(*)::integer AS value FROM projects p JOIN project_aliases a ON a.project_id = p.id WHERE concat(p.display_name, p.git_remote, a.alias) ~ E'ghp_|recollect|\\n'",
    );
    expect(stored).toBe(0);
    const again = await remembered(instance, 'The ledger is closed on Fridays', { project });
    expect((await memoryOf(instance, again)).project).toBe('Led ger [redacted:github-token]');
    const refused = await instance.call('POST', '/memories', {
      body: { content: 'Some content', project: '<private>a client</private>' },
    });
    expect(errorOf(refused)).toEqual({ code: 'VALIDATION_FAILED', fields: ['project'] });
  });

  test('by its root path steps back once something is captured there', async () => {
    const project = '/srv/shadow';
    await remembered(instance, 'Said before anything was captured', { project });
    await captured(instance, [
      {
        type: 'prompt',
        host: 'test',
        session_id: 'shadowed',
        project: { path: project, machine_id: 'm1', remote: 'https://github.com/acme/real.git' },
        content: 'captured words',
        key: 'shadowed-1',
      },
    ]);
    const hash = await remembered(instance, 'Said after', { project });
    expect((await memoryOf(instance, hash)).project).toBe('real');
  });
});
