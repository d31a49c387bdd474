type More = Readonly<Record<string, unknown>>;

/** Returns an event with a prompt of a session of the host `test`. */
export const promptEvent = (session: string, content: string, more: More = {}) => ({
  type: 'prompt',
  host: 'test',
  session_id: session,
  content,
  ...more,
});

/** Returns an event with an observation of a session of the host `test`. */
export const noteEvent = (session: string, text: string, more: More = {}) => ({
  type: 'observation',
  host: 'test',
  session_id: session,
  text,
  ...more,
});
