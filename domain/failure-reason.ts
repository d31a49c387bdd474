/** Returns the messages of an error and its causes: the outer one often only reports that a request failed. */
export function failureReason(error: unknown): string {
  const messages: string[] = [];
  for (let each = error; each instanceof Error; each = each instanceof AggregateError ? each.errors[0] : each.cause) {
    const message = each.message.trim();
    if (!messages.some((outer) => outer.includes(message))) messages.push(message);
  }
  return messages.join(': ') || 'unknown error';
}
