import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads NDJSON, as a stream. */
    ndjson?: true;
    /** The route reads a compressed file, as a stream. */
    zstd?: true;
  }
}

/** Bodies of `/hooks`: a tool's whole output. */
export const HOOK_BODY_BYTES = 32 * 1024 * 1024;
/** One event of the host-neutral contract. */
export const EVENT_BYTES = 1024 * 1024;
/** A JSON array of events as one body; longer ones come as NDJSON. */
export const BATCH_BODY_BYTES = 64 * 1024 * 1024;
/** Every other body. */
export const BODY_BYTES = 1024 * 1024;

/** Parses JSON from bytes. @throws ApiError INVALID_UTF8 or INVALID_JSON */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ApiError('INVALID_UTF8', 'the body is not valid UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's message quotes the body; where it is wrong is for the caller to find.
    throw new ApiError('INVALID_JSON', 'the body is not valid JSON');
  }
}

/** JSON bodies checked as bytes first; NDJSON bodies left to their route as a stream. */
export function registerBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(Buffer.isBuffer(body) ? body : Buffer.from(body)));
    } catch (error) {
      done(error instanceof Error ? error : new Error('unparsable'));
    }
  });
  app.addContentTypeParser('application/x-ndjson', (request, payload, done) => {
    if (request.routeOptions.config.ndjson === true) done(null, payload);
    else done(new ApiError('UNSUPPORTED_MEDIA_TYPE', 'this route takes no NDJSON'));
  });
  app.addContentTypeParser('application/zstd', (request, payload, done) => {
    if (request.routeOptions.config.zstd === true) done(null, payload);
    else done(new ApiError('UNSUPPORTED_MEDIA_TYPE', 'this route takes no files'));
  });
}
