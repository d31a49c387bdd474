import type { CustomFetch } from 'openid-client';
import { isLoopbackHost } from '../../config/rules.ts';

/** Time for one answer of a provider, its body included. */
const ANSWER_MS = 4_000;
/** Documents of large providers are some 10 KB. */
const MAX_BYTES = 256 * 1024;

/** A provider that does not answer, answers with too much or with a fault of its own. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable';
}

async function bodyOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new ProviderUnreachable(`the answer exceeds ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Fetches from a provider, with limits of time and size, without redirects, and over plain HTTP from this machine only: the addresses are in a document of the
 * provider. @throws ProviderUnreachable
 */
export const boundedFetch: CustomFetch = async (url, { method, headers, body, signal }) => {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopbackHost(hostname)) throw new ProviderUnreachable('an address is not HTTPS');
  const timeout = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetch(url, {
      method,
      headers,
      // The client sends forms only.
      ...(body instanceof URLSearchParams && { body }),
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const content = await bodyOf(response);
    const { status } = response;
    if (status >= 500 || status === 429) throw new ProviderUnreachable(`the answer has the status ${status}`);
    return new Response(content.byteLength === 0 ? null : content, { status, headers: response.headers });
  } catch (error) {
    if (error instanceof ProviderUnreachable) throw error;
    throw new ProviderUnreachable(error instanceof Error ? error.name : 'unknown');
  }
};
