import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectBody } from './collect-body.ts';
import { ApiError } from '../errors.ts';
import { parseJson } from './json.ts';

/** Bytes of all bodies in memory. A user's share fits two of the largest hooks, or one piece of a transcript. */
const ALL_BYTES = 160 * 1024 * 1024;
const USER_BYTES = 80 * 1024 * 1024;

/** Bytes of bodies in memory, of all requests and of each user: beyond the bounds a request is refused instead of taking more. */
class BodyBudget {
  private reserved = 0;
  private readonly bufferedByUser = new Map<string, number>();

  /** Reserves the bytes and returns true, or returns false and reserves nothing. */
  reserve(user: string, bytes: number): boolean {
    const ofUser = (this.bufferedByUser.get(user) ?? 0) + bytes;
    if (this.reserved + bytes > ALL_BYTES || ofUser > USER_BYTES) return false;
    this.add(user, bytes);
    return true;
  }

  release(user: string, bytes: number): void {
    this.add(user, -bytes);
  }

  private add(user: string, bytes: number): void {
    this.reserved += bytes;
    const left = (this.bufferedByUser.get(user) ?? 0) + bytes;
    if (left > 0) this.bufferedByUser.set(user, left);
    else this.bufferedByUser.delete(user);
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Budget of all bodies in memory. */
    bodies: BodyBudget;
  }
  interface FastifyContextConfig {
    /** The route reads NDJSON, as a stream. */
    ndjson?: true;
    /** The route reads a compressed file, as a stream. */
    zstd?: true;
    /** JSON bodies from this size on come to the route as bytes: they are parsed elsewhere. */
    bytesFrom?: number;
  }
}

/** Bodies of `/hooks`: fits the full output of a tool. */
export const HOOK_BODY_BYTES = 32 * 1024 * 1024;
/** One event of the host-neutral contract. */
export const EVENT_BYTES = 1024 * 1024;
/** A JSON array of events or memories as one body: it is parsed at once. Longer ones come as NDJSON or in several requests. */
export const BATCH_BODY_BYTES = 4 * 1024 * 1024;
/** Every other body. */
export const BODY_BYTES = 1024 * 1024;

async function parseJsonBody(request: FastifyRequest, payload: NodeJS.ReadableStream): Promise<unknown> {
  const { bodyLimit, config } = request.routeOptions;
  const bytes = await collectBody(request, payload, bodyLimit ?? BODY_BYTES);
  return config.bytesFrom !== undefined && bytes.length >= config.bytesFrom ? bytes : parseJson(bytes);
}

/** Parsers for JSON, and for the types that a route reads as a stream. A body is read after its key was checked: hooks of `onRequest` run first. */
export function registerBodyParsers(app: FastifyInstance): void {
  app.decorate('bodies', new BodyBudget());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', parseJsonBody);
  app.addContentTypeParser('application/x-ndjson', (request, payload, done) => {
    if (request.routeOptions.config.ndjson === true) done(null, payload);
    else done(new ApiError('UNSUPPORTED_MEDIA_TYPE', 'this route does not accept NDJSON'));
  });
  app.addContentTypeParser('application/zstd', (request, payload, done) => {
    if (request.routeOptions.config.zstd === true) done(null, payload);
    else done(new ApiError('UNSUPPORTED_MEDIA_TYPE', 'this route does not accept files'));
  });
}
