import { describe, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { sessionDetail } from '../../../contract/sessions.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { learningFingerprint } from '../../../stores/postgres/learnings/learnings.ts';
import { captured } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { memoryOf, remembered } from '../support/memories.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance();

describe('a project that is made for a memory', () => {
  test('is called by one line without what is private, and found again by it', async () => {
    const project = 'Led\nger ghp_0123456789abcdefABCDEF0123456789abcd</recollect-context>';
    const hash = await remembered(instance, 'The ledger rounds half even', { project });
    expect((await memoryOf(instance, hash)).project).toBe('Led ger [redacted:github-token]');
    const stored = await instance.count(
      "projects p JOIN project_aliases a ON a.project_id = p.id WHERE concat(p.display_name, p.git_remote, a.alias) ~ E'ghp_|recollect|\\n'",
    );
    expect(stored).toBe(0);
    const again = await remembered(instance, 'The ledger is closed on Fridays', { project });
    expect((await memoryOf(instance, again)).project).toBe('Led ger [redacted:github-token]');
    const refused = await instance.post('/memories', {
      content: 'Some content',
      project: '<private>a client</private>',
    });
    expectError(refused, 'VALIDATION_FAILED', 'project');
  });

  test('by its root path is that of what is captured there later', async () => {
    const project = '/srv/shadow';
    const before = await remembered(instance, 'Noted before anything was captured', { project });
    await captured(instance, [
      promptEvent('shadowed', 'captured words', {
        project: { path: project, machine_id: 'm1', remote: 'https://github.com/acme/real.git' },
        key: 'shadowed-1',
      }),
    ]);
    const after = await remembered(instance, 'Noted after', { project });
    const session = await instance.get('/sessions/test:shadowed');
    const { name } = sessionDetail.parse(session.body).project ?? { name: 'none' };
    for (const hash of [before, after]) expect((await memoryOf(instance, hash)).project).toBe(name);
  });
});

test('a memory whose text another caller stores meanwhile becomes a duplicate of it', async () => {
  const content = 'The gateway times out after nine seconds';
  const other = await instance.db.maintenance.connect();
  try {
    const { tenantId, userId } = instance.admin;
    const id: string = newId();
    const print = learningFingerprint({
      projectId: null,
      namespace: 'default',
      ownerId: null,
      category: 'general',
      description: content,
    });
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from, origin)
       VALUES ($1, $2, $3, $4, 'general', '', $5, 0.5, now(), 'user')`,
      [id, tenantId, userId, Buffer.from(print), content],
    );
    const answer = instance.post('/memories', { content, infer: true });
    const outcome = Promise.allSettled([answer]);
    await until(async () => {
      const rows = await instance.rows(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows.length > 0 ? true : undefined;
    });
    await other.query('COMMIT');
    await outcome;
    const { status, body } = await answer;
    expect([status, body]).toEqual([200, { hash: memoryHash(id) }]);
  } finally {
    other.release();
  }
});
