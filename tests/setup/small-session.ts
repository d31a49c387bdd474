import type { TestInstance } from './instance.ts';

/** Returns the events of a short ended session: three tool calls, a prompt and its response. */
export function smallSession(externalId: string, project: Readonly<Record<string, string>> = { path: '/src/small' }) {
  const base = { host: 'test', session_id: externalId, project };
  const tool = (n: number, name: string, input: unknown, response: string) => ({
    ...base,
    type: 'observation',
    tool: { name, input, response, use_id: `${externalId}-call-${n}` },
  });
  return [
    { ...base, type: 'session.started', key: `${externalId}-start` },
    { ...base, type: 'prompt', content: 'Please make the rounding of invoices half even', key: `${externalId}-prompt` },
    tool(1, 'Read', { file_path: '/src/small/money.ts' }, 'export const round = (cents) => Math.round(cents)'),
    tool(2, 'Edit', { file_path: '/src/small/money.ts' }, 'The rounding is banker’s rounding now'),
    tool(3, 'Bash', { command: 'npm test' }, '12 tests passed'),
    {
      ...base,
      type: 'prompt',
      role: 'assistant',
      content: 'Invoices are rounded half even now.',
      key: `${externalId}-answer`,
    },
    { ...base, type: 'turn.ended', key: `${externalId}-turn` },
    { ...base, type: 'session.ended', key: `${externalId}-end` },
  ];
}

/** Captures events in one request. Throws unless all are accepted. */
export async function captured(
  instance: Pick<TestInstance, 'call'>,
  events: readonly unknown[],
  key?: string,
): Promise<void> {
  const answer = await instance.call('POST', '/events/batch', { body: events, ...(key === undefined ? {} : { key }) });
  if (answer.status !== 202 || !JSON.stringify(answer.body).includes(`"accepted":${events.length},`))
    throw new Error(`not captured: ${answer.status} ${JSON.stringify(answer.body)}`);
}
