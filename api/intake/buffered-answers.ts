/** About the answers to 30,000 lines. */
const BUFFERED_CHARS = 4 * 1024 * 1024;

/**
 * Yields the answers to lines after the last one, as long as they have at most `maxChars` together; those after that as they come. For requests
 * through a proxy: once the answer has started, nginx stops to pass on the body as soon as the api does not take it at once, and neither would end.
 */
export async function* afterLast(answers: AsyncIterable<string>, maxChars = BUFFERED_CHARS): AsyncGenerator<string> {
  let buffered = '';
  let chars = 0;
  for await (const text of answers) {
    buffered += text;
    chars += text.length;
    if (chars <= maxChars) continue;
    yield buffered;
    buffered = '';
  }
  if (buffered !== '') yield buffered;
}
