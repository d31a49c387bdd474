import { expect, test } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { DEPLOYMENT } from '../../stores/temporal/deployment.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { CLOSE_UPDATE, SUMMARISE_NOW_UPDATE } from '../../workflows/session/types.ts';
import type { AskResult, SessionView } from '../../workflows/session/types.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { until, untilTrue } from '../setup/until.ts';

const instance = fileInstance();

const event = (session: string, fields: object) =>
  instance.call('POST', '/events', {
    body: { type: 'prompt', role: 'user', host: 'test', session_id: session, project: { name: 'deploy' }, ...fields },
  });

async function workflowOf(external: string): Promise<WorkflowHandle> {
  const session = await sessionOf(instance, `test:${external}`);
  return instance.temporal.workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, session.id));
}

function viewWhen(handle: WorkflowHandle, wanted: (view: SessionView) => boolean): Promise<SessionView> {
  return until(async () => {
    const view = await handle.query<SessionView>('state').catch(() => undefined);
    return view !== undefined && wanted(view) ? view : undefined;
  });
}

/** Build ids that worked on a run, in order. */
async function buildsOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const builds = (events ?? []).flatMap(
    (each) => each.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? [],
  );
  return [...new Set(builds)];
}

test('a live session moves to a newer build with its next task, and not back', { timeout: 240_000 }, async () => {
  const stopOld = await instance.startWorker('old');
  await event('moved', { content: 'We decided to use PostgreSQL for the ledger because it has transactions.' });
  const handle = await workflowOf('moved');
  await viewWhen(handle, (view) => view.consumedSeq === 1);
  // Both are there for a while, as in a rolling update.
  await instance.startWorker('new');
  // Before: each event until then would make the history longer, at most until the run continues as new.
  await untilTrue(
    async () => {
      const { workerDeploymentInfo: info } = await instance.temporal.workflowService.describeWorkerDeployment({
        namespace: instance.config.temporal.namespace,
        deploymentName: DEPLOYMENT,
      });
      return info?.routingConfig?.currentDeploymentVersion?.buildId === 'new';
    },
    undefined,
    'the new build to be current',
  );
  await until(async () => {
    await event('moved', { content: `One more word at ${performance.now()}` });
    return (await buildsOf(handle)).includes('new') ? true : undefined;
  });
  const { events } = await handle.fetchHistory();
  const builds = (events ?? []).flatMap(
    (each) => each.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? [],
  );
  expect(builds.lastIndexOf('old')).toBeLessThan(builds.indexOf('new'));
  await stopOld();
  await event('moved', { type: 'session.ended' });
  const session = await settled(instance, 'test:moved');
  expect(session.counts.summaries).toBeGreaterThan(0);
  expect(await buildsOf(handle)).toEqual(['old', 'new']);
});

test('a requested summary leaves a session active; a requested close settles it', async () => {
  await event('requested', { content: 'Please make the importer skip empty lines; we decided to log how many.' });
  const handle = await workflowOf('requested');
  await viewWhen(handle, (view) => view.consumedSeq === 1);
  const summed = await handle.executeUpdate<AskResult, []>(SUMMARISE_NOW_UPDATE);
  expect(summed).toMatchObject({ settled: false, lastError: null, summaryId: expect.any(String) });
  expect((await sessionOf(instance, 'test:requested')).status).toBe('active');
  await event('requested', { content: 'And it must count the comments, too.' });
  const closed = await handle.executeUpdate<AskResult, []>(CLOSE_UPDATE);
  expect(closed).toMatchObject({ settled: true, summaryId: expect.any(String) });
  expect(closed.summaryId).not.toBe(summed.summaryId);
  expect(await sessionOf(instance, 'test:requested')).toMatchObject({ status: 'ended', phase: 'settled' });
}, 240_000);
