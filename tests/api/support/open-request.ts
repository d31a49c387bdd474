import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';

export interface OpenAnswer {
  readonly status: number | undefined;
  readonly code: unknown;
  readonly retryAfter: string | undefined;
}

export interface OpenRequest {
  /** Sends a piece of the body; resolves when the connection took it. */
  write(piece: Buffer): Promise<void>;
  end(): void;
  readonly answer: Promise<OpenAnswer>;
  /** Closes the connection, whatever was sent. */
  close(): void;
}

/** A POST whose body is sent piece by piece, or never. Its length is announced where `headers` say one. */
export function openRequest(url: string, headers: OutgoingHttpHeaders): OpenRequest {
  const outgoing = request(url, { method: 'POST', headers, agent: false });
  const answer = new Promise<OpenAnswer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        const code = body !== null && typeof body === 'object' && 'code' in body ? body.code : null;
        resolve({ status: response.statusCode, code, retryAfter: response.headers['retry-after'] });
      });
    });
  });
  // A request that is closed on purpose has no response, and no test waits for it.
  answer.catch(() => undefined);
  outgoing.flushHeaders();
  return {
    write: (piece) =>
      new Promise((resolve, reject) => outgoing.write(piece, (error) => (error ? reject(error) : resolve()))),
    end: () => outgoing.end(),
    answer,
    close: () => outgoing.destroy(),
  };
}
