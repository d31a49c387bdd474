/** Returns the address of a session; of a prompt or an observation in it, if one is named. */
export function addressOfRow(sessionId: string, rowId?: string): string {
  const row = rowId === undefined ? '' : `?row=${encodeURIComponent(rowId)}`;
  return `/sessions/${encodeURIComponent(sessionId)}${row}`;
}

/** Returns the address of a version of a learning. */
export function addressOfLearning(id: string): string {
  return `/learnings/${encodeURIComponent(id)}`;
}
