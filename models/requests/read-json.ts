/**
 * Returns the body of a response, read up to a size; null if it is not JSON, because the status is more informative than the parser. @throws the
 * error of `tooLong`, before more is read
 */
export async function readJson(response: Response, maxBytes: number, tooLong: () => Error): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return value;
  } catch {
    return null;
  }
}
