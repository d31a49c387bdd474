const segment = (id: string): string => encodeURIComponent(id);

/** Returns the address of a session; `tab`: of one of its views. */
export function addressOfSession(id: string, tab?: 'understood' | 'context'): string {
  return `/sessions/${segment(id)}${tab === undefined ? '' : `?tab=${tab}`}`;
}

/** Returns the address of a row of a session; `row`: the id of a prompt or an observation, or a position. */
export function addressOfRow(sessionId: string, row: string | number): string {
  return `${addressOfSession(sessionId)}?row=${segment(String(row))}`;
}

/** Returns the address of a version of a learning. */
export function addressOfLearning(id: string): string {
  return `/learnings/${segment(id)}`;
}

/** Returns the address of a project. */
export function addressOfProject(id: string): string {
  return `/projects/${segment(id)}`;
}

/** What a page links to: a memory, or a session itself. */
interface Target {
  readonly id: string;
  readonly type: 'session' | 'prompt' | 'observation' | 'summary' | 'learning';
  /** Null without one, as for a learning that was written by hand. */
  readonly session: { readonly id: string } | null;
}

/** Returns the address that shows a memory: a learning by itself, anything else in its session; null without one. */
export function addressOfMemory({ id, type, session }: Target): string | null {
  if (type === 'learning') return addressOfLearning(id);
  if (type === 'session') return addressOfSession(id);
  if (session === null) return null;
  return type === 'summary' ? addressOfSession(session.id, 'understood') : addressOfRow(session.id, id);
}
