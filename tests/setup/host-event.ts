import type { HostEvent } from '../../domain/capture/event.ts';

/** A mapped event with one prompt; tests override fields. */
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
