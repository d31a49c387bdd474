import { ModelError } from '../../domain/ports/model.ts';

const NEWLINE = 10;

/**
 * Yields the values of a body with one JSON value per line as they arrive; skips empty lines.
 *
 * @throws ModelError `unavailable` for a line that is too long or not JSON, such as the last one of a truncated body
 */
export async function* jsonLines(body: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator {
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...buffered, chunk.subarray(start, at)]);
      buffered = [];
      bufferedBytes = 0;
      start = at + 1;
      if (line.length > maxLineBytes) throw tooLong();
      const value = parsed(line);
      if (value !== undefined) yield value;
    }
    const rest = chunk.subarray(start);
    bufferedBytes += rest.length;
    if (bufferedBytes > maxLineBytes) throw tooLong();
    if (rest.length > 0) buffered.push(rest);
  }
  const value = parsed(Buffer.concat(buffered));
  if (value !== undefined) yield value;
}

function parsed(line: Buffer): unknown {
  const text = line.toString('utf8').trim();
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // The parser's message repeats its input.
    throw new ModelError('unavailable', 'The model provider sent results that are truncated or not JSON');
  }
}

function tooLong(): ModelError {
  return new ModelError('unavailable', 'The model provider sent a result that is too long');
}
