import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ApiAnswer } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { errorOf, expectError } from '../support/answers.ts';
import { given } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { noteEvent } from '../support/events.ts';

const instance = fileInstance();
let n = 0;
let name: string;
let session: string;
let project: string;
let row: string;
let learning: string;

beforeAll(async () => {
  await instance.startWorker();
});

beforeEach(async () => {
  n += 1;
  name = `case-${n}`;
  await captured(instance, smallSession(name, { path: `/src/${name}` }).slice(0, 2));
  const rows = await instance.rows<{ session: string; row: string; project: string }>(
    'SELECT s.id AS session, p.id AS row, s.project_id AS project FROM sessions s JOIN prompts p ON p.session_id = s.id WHERE s.external_id = $1',
    [name],
  );
  ({ session = '', row = '', project = '' } = rows[0] ?? {});
  const written = await given(instance, `Service ${name} rounds half even`, {
    project,
    evidence: [{ row_id: row, quote: 'half even' }],
  });
  learning = written.id;
});

const withId = z.looseObject({ id: z.string() });

/** Creates a legal hold; returns a function that releases it. */
async function hold(subject: string, id: string): Promise<() => Promise<unknown>> {
  const answer = await instance.post('/admin/legal-holds', { subject, id, reason: 'a case' });
  expect(answer.status).toBe(201);
  const created = withId.parse(answer.body);
  return () => instance.delete(`/admin/legal-holds/${created.id}`);
}

const SUBJECTS = ['session', 'project', 'user', 'tenant'] as const;
const idOf = (subject: (typeof SUBJECTS)[number]) =>
  ({ session, project, user: instance.admin.userId, tenant: instance.admin.tenantId })[subject];

type Way = readonly [string, () => Promise<ApiAnswer>];
/** Every way by which a text leaves, or is no longer what is known. */
const WAYS: readonly Way[] = [
  ['forget a learning', () => instance.delete(`/memories/${learning}`)],
  ['delete a learning', () => instance.delete(`/learnings/${learning}`)],
  ['correct a learning', () => instance.put(`/learnings/${learning}`, { description: 'Otherwise' })],
  ['correct a memory', () => instance.put(`/memories/${learning}`, { content: 'Otherwise' })],
  ['rectify a memory', () => instance.post('/gdpr/rectify', { id: learning, correction: { content: 'Otherwise' } })],
  ['close a learning', () => instance.post(`/learnings/${learning}/invalidate`, { reason: 'no' })],
  [
    'replace a learning',
    () =>
      instance.post(`/learnings/${learning}/supersede`, {
        by: { title: 'Other', description: `Other than ${name}` },
        reason: 'no',
      }),
  ],
  ['forget a prompt', () => instance.delete(`/memories/${row}`)],
  ['forget an event', () => instance.delete(`/events/${name}-prompt?session=${session}`)],
  ['forget a session', () => instance.delete(`/sessions/${session}`)],
  ['erase a session', () => instance.post('/gdpr/erase', { kind: 'session', session })],
];

async function rowsLeft(): Promise<unknown> {
  const rows = await instance.rows(
    `SELECT (SELECT description FROM learnings WHERE id = $1 AND valid_to IS NULL) AS learning, (SELECT content FROM prompts WHERE id = $2) AS prompt,
            (SELECT count(*)::integer FROM learning_evidence WHERE learning_id = $1) AS quotes`,
    [learning, row],
  );
  return rows[0];
}

describe('a legal hold binds every way out', () => {
  test.each(SUBJECTS)('on the %s', async (subject) => {
    const before = await rowsLeft();
    const release = await hold(subject, idOf(subject));
    try {
      for (const [way, leave] of WAYS) {
        const answer = await leave();
        expect([way, answer.status, errorOf(answer).code]).toEqual([
          way,
          409,
          expect.stringMatching(/LEGAL_HOLD|CONFLICT/),
        ]);
      }
      expect(await rowsLeft()).toEqual(before);
    } finally {
      await release();
    }
    expect((await instance.delete(`/learnings/${learning}`)).status).toBe(200);
  });

  test('on a session: tags of its rows stay, and a text of its learnings and of its title is not erased', async () => {
    await captured(instance, [noteEvent(name, 'A note', { key: `${name}-note` })]);
    const note = await instance.value<string>('SELECT id AS value FROM observations WHERE session_id = $1', [session]);
    await instance.put(`/sessions/${session}`, { title: `Title walrus-${name}` });
    await instance.post(
      '/events',
      noteEvent(`${name}-free`, 'A note of another session of the user', { infer: false }),
    );
    const free = await instance.value<string>(
      'SELECT o.id AS value FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = $1',
      [`${name}-free`],
    );
    const release = await hold('session', session);
    try {
      expectError(await instance.put(`/memories/${note}`, { tags: ['other'] }), 'LEGAL_HOLD');
      expect((await instance.put(`/memories/${free}`, { tags: ['other'] })).status).toBe(200);
      for (const text of [`Service ${name} rounds`, `Title walrus-${name}`]) {
        const erasure = await instance.post('/gdpr/erase', { kind: 'text', text });
        expect(erasure.status).toBe(202);
        const { id } = withId.parse(erasure.body);
        const { body: ended } = await until(
          async () => {
            const { body } = await instance.get(`/gdpr/requests/${id}`);
            return JSON.stringify(body).includes('"state":"running"') ? undefined : { body };
          },
          60_000,
          'the end of the erasure',
        );
        expect([text, ended]).toEqual([text, expect.objectContaining({ state: 'failed', error: 'ErasureHeld' })]);
      }
      expect(await rowsLeft()).toMatchObject({ learning: `Service ${name} rounds half even` });
    } finally {
      await release();
    }
  });

  test('on a project: an event that names the remote of another project does not take its session out', async () => {
    const elsewhere = { path: '/src/elsewhere', remote: `https://github.com/elsewhere/${name}` };
    await captured(instance, smallSession(`${name}-elsewhere`, elsewhere).slice(0, 1));
    const release = await hold('project', project);
    try {
      const note = noteEvent(name, 'elsewhere', { key: `${name}-moved` });
      await captured(instance, [{ ...note, project: elsewhere }]);
      expect(await instance.value('SELECT project_id AS value FROM sessions WHERE id = $1', [session])).toBe(project);
    } finally {
      await release();
    }
  });

  test('on a project: a learning of it is not merged with a duplicate of another project', async () => {
    await captured(instance, smallSession(`${name}-b`, { path: `/src/${name}-b` }).slice(0, 1));
    const later = await given(instance, `Service ${name} rounds half even`, { project: `/src/${name}-b` });
    const into = await instance.value<string>('SELECT project_id AS value FROM learnings WHERE id = $1', [later.id]);
    const release = await hold('project', into ?? '');
    try {
      const merged = await instance.post(`/projects/${project}/merge`, { into });
      expectError(merged, 'LEGAL_HOLD');
    } finally {
      await release();
    }
  });

  test('on another user’s session binds nothing of one’s own', async () => {
    const other = await instance.user();
    const release = await hold('user', other.userId);
    try {
      expect((await instance.delete(`/learnings/${learning}`)).status).toBe(200);
    } finally {
      await release();
    }
  });
});

test('is not placed on what is being erased', async () => {
  await instance.write("INSERT INTO erasures (id, tenant_id, kind, subject) VALUES (uuidv7(), $1, 'session', $2)", [
    instance.admin.tenantId,
    session,
  ]);
  const refused = await instance.post('/admin/legal-holds', { subject: 'session', id: session, reason: 'a case' });
  expectError(refused, 'CONFLICT', 'id');
  await instance.write("UPDATE erasures SET state = 'failed', finished_at = now()");
});
