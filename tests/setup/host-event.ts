import type { HostEvent } from '../../domain/capture/event.ts';

/** A translated event that says nothing but a prompt; tests say over it what they are about. */
export const PLAIN_HOST_EVENT: HostEvent = {
  host: 'generic',
  externalId: 's1',
  source: 'event',
  namespace: 'default',
  infer: true,
  project: null,
  key: null,
  occurredAt: null,
  agent: { id: null, type: null },
  model: null,
  metadata: null,
  parts: [{ kind: 'prompt', type: 'user', content: 'hello' }],
};
