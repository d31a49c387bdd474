import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../../workflows/failure-types.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';
import { ENDED, script, SESSION, start, TENANT } from './session-script.ts';

/** Activities whose first extractions of learnings fail. */
function failingFirst(failures: number, type: FailureType): ReturnType<Scenario['activities']> {
  let calls = 0;
  return script([ENDED], {
    extractLearnings: async () => {
      calls += 1;
      if (calls <= failures) throw ApplicationFailure.create({ type, message: 'fails first', nextRetryDelay: 50 });
      return { written: 0, calls: 1, tokens: 1, usd: 0, pending: 0 };
    },
  });
}

/** The shapes that the history of a session's learnings can have. */
export const LEARNING_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'learning',
    shape: 'happy',
    activities: () => script([ENDED]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION));
    },
  },
  {
    workflow: 'learning',
    shape: 'failed',
    activities: () => failingFirst(3, 'ProviderOverloaded'),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      // The session starts it again under the same id.
      const { events } = await handle.fetchHistory();
      const failed = events?.find((event) => event.childWorkflowExecutionFailedEventAttributes);
      const runId = failed?.childWorkflowExecutionFailedEventAttributes?.workflowExecution?.runId;
      if (typeof runId !== 'string') throw new Error('no run failed');
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION), runId);
    },
  },
  {
    workflow: 'learning',
    shape: 'database-away',
    activities: () => failingFirst(4, 'DatabaseUnavailable'),
    async run(client) {
      const handle = await start(client);
      const child = client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION));
      const { runId } = await until(() => child.describe().catch(() => undefined));
      await handle.result();
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION), runId);
    },
  },
];
