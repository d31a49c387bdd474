/** Returns the lines of an error's stack behind its message, which may contain captured text, and lines that look like these; none if the message was changed since: the stack then contains another one, which is not distinguishable from its lines. */
export function stackLines({ message, stack = '' }: Pick<Error, 'message' | 'stack'>): readonly string[] {
  const start = stack.indexOf(message);
  return start === -1 ? [] : stack.slice(start + message.length).split('\n');
}
