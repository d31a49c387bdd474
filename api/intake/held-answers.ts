/** About the answers to 30,000 lines. */
const HELD_CHARS = 4 * 1024 * 1024;

/**
 * Yields the answers to lines after the last one, as long as they have at most `maxChars` together; those after that as they come. For requests
 * through a proxy: once the answer has begun, nginx stops to pass on the body as soon as the api does not take it at once, and neither would end.
 */
export async function* afterLast(answers: AsyncIterable<string>, maxChars = HELD_CHARS): AsyncGenerator<string> {
  let held = '';
  let chars = 0;
  for await (const text of answers) {
    held += text;
    chars += text.length;
    if (chars <= maxChars) continue;
    yield held;
    held = '';
  }
  if (held !== '') yield held;
}
