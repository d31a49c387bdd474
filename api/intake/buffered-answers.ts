/**
 * Yields all answers to lines after the last one. For requests through a proxy: once the answer has started, nginx stops to pass on the body as soon
 * as the api does not take it at once, and neither would end. The lines of such a request are limited, and with them what waits here.
 */
export async function* afterLast(answers: AsyncIterable<string>): AsyncGenerator<string> {
  const texts: string[] = [];
  for await (const text of answers) texts.push(text);
  yield texts.join('');
}
