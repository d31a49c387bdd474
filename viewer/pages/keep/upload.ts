import type { FileImport } from '../../contract/index.ts';
import { AskError, addressOf, checked } from '../../link/ask.ts';
import { trusted } from '../../link/trusted.ts';

function failed(code: 'INTERRUPTED' | 'CANCELLED'): AskError {
  return new AskError('the upload ended early', { status: 0, code, requestId: null, fields: [] });
}

/**
 * Sends an export file. `onSent` is called with the number of bytes that were sent. Returns the import, which the server starts once it has stored
 * the file. @throws AskError, INTERRUPTED without an answer, CANCELLED after the signal
 */
export async function upload(file: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<FileImport> {
  const address = addressOf('POST /imports/files');
  const response = await new Promise<Response>((resolve, reject) => {
    // Browsers report the progress of an upload to XMLHttpRequest alone.
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded }) => onSent(loaded));
    request.addEventListener('error', () => reject(failed('INTERRUPTED')));
    request.addEventListener('abort', () => reject(failed('CANCELLED')));
    request.addEventListener('load', () => {
      const requestId = request.getResponseHeader('x-request-id');
      const headers = new Headers(requestId === null ? {} : { 'x-request-id': requestId });
      resolve(new Response(request.responseText, { status: request.status, headers }));
    });
    signal.addEventListener('abort', () => request.abort());
    request.open('POST', address);
    request.setRequestHeader('content-type', 'application/zstd');
    request.send(file);
  });
  // The answer is trusted: it is of the server that served the page.
  return trusted<FileImport>(await (await checked(response, address)).json());
}
