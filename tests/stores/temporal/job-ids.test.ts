import { expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { JOB_KINDS } from '../../../domain/jobs.ts';
import { jobIdOf, jobOfWorkflow, parseJobId, workflowIdOfJob } from '../../../stores/temporal/job-ids.ts';
import { workflowIdOf } from '../../../workflows/registry.ts';

const mine = newId<TenantId>();
const otherTenant = newId<TenantId>();
const subject = newId();

test('a job id names kind and subject, and leads to the workflow of the requesting tenant', () => {
  for (const [kind, id, workflowId] of [
    ['session', subject, workflowIdOf('session', mine, subject)],
    ['learning', subject, workflowIdOf('learning', mine, subject)],
    ['index', '0', workflowIdOf('index', mine, 0)],
    ['import', subject, workflowIdOf('import', subject)],
  ] as const) {
    const name = { kind, subject: id };
    expect(jobOfWorkflow(mine, workflowId)).toEqual(name);
    expect(workflowIdOfJob(mine, name)).toBe(workflowId);
    expect(parseJobId(jobIdOf(name))).toEqual(name);
    expect(jobIdOf(name)).toMatch(/^[a-z]+\.[0-9a-z-]+$/);
    expect(jobIdOf(name)).not.toContain(mine);
  }
});

test("another tenant's workflows, and those over all tenants, are no jobs", () => {
  for (const workflowId of [
    workflowIdOf('session', otherTenant, subject),
    workflowIdOf('learning', otherTenant, subject),
    workflowIdOf('index', otherTenant, 0),
    workflowIdOf('operation', 'capture-sweep'),
    '',
    'odd',
  ])
    expect(jobOfWorkflow(mine, workflowId)).toBeNull();
});

test('what is no job id is none', () => {
  expect(JOB_KINDS.map((kind) => parseJobId(`${kind}.x`)?.kind)).toEqual([...JOB_KINDS]);
  for (const given of [
    '',
    'session',
    'session.',
    '.x',
    'odd.x',
    'session.a/b',
    'session.a.b',
    `session.${'x'.repeat(65)}`,
    'session.%00',
    'session.é',
  ])
    expect(parseJobId(given)).toBeNull();
});
