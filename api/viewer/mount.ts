import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Api } from '../dependencies.ts';
import { ApiError, noSuch } from '../errors.ts';
import { policyOf } from './content-security-policy.ts';

/** Where the build writes the viewer. */
export const BUILT_VIEWER = path.resolve(import.meta.dirname, '../../viewer/built');

const YEAR_MS = 31_536_000_000;
/** Addresses of programs: an unknown one is no page. */
const OF_PROGRAMS = /^\/(?:api|assets|docs|health|mcp|metrics|oauth|\.well-known)(?:[/?]|$)/i;
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}$/;
const open = { access: 'open' } as const;

/** The viewer as it was built at the start of the process. */
interface BuiltViewer {
  readonly folder: string;
  /** Its page, with the policy that has the hash of the script in it; null if the viewer is not built. */
  readonly page: { readonly html: string; readonly policy: string } | null;
}

/** Reads the viewer in a folder. A later build is served after a restart. */
export function readViewer(folder: string): BuiltViewer {
  const file = path.join(folder, 'index.html');
  if (!existsSync(file)) return { folder, page: null };
  const html = readFileSync(file, 'utf8');
  return { folder, page: { html, policy: policyOf(html) } };
}

/** Sends the page of the viewer. @throws ApiError NOT_CONFIGURED if it is not built */
function sendPage({ page }: BuiltViewer, reply: FastifyReply): FastifyReply {
  if (page === null)
    throw new ApiError(
      'NOT_CONFIGURED',
      'the viewer is not built: run npm run viewer:build in the folder of Recollect, then restart the server',
    );
  return reply
    .headers({ 'content-security-policy': page.policy, 'cache-control': 'no-cache' })
    .type('text/html; charset=utf-8')
    .send(page.html);
}

/**
 * Answers the addresses of the viewer's pages with the viewer, which shows the page: what a browser opens, and no route and no program has. Before the hooks that
 * refuse unknown addresses.
 */
export function registerPages(app: FastifyInstance, viewer: BuiltViewer): void {
  app.addHook('onRequest', async (request, reply) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!request.is404 || !isRead || OF_PROGRAMS.test(request.url)) return;
    // Scripts, styles and pictures are not accepted as HTML: a missing one is an error, not a page.
    if (request.headers.accept?.includes('text/html') !== true) return;
    await sendPage(viewer, reply);
  });
}

/** `GET /` and the files of the viewer, whose names change with their content. */
export async function mountViewer(root: Api, viewer: BuiltViewer): Promise<void> {
  const { folder } = viewer;
  await root.register(fastifyStatic, {
    root: folder,
    serve: false,
    preCompressed: true,
    dotfiles: 'deny',
    suppressWarning: true,
  });
  root.get('/', { config: open, schema: { hide: true } }, (_request, reply) => sendPage(viewer, reply));
  root.get(
    '/assets/:file',
    { config: open, schema: { hide: true, params: z.object({ file: z.string() }) } },
    (request, reply) => {
      const { file } = request.params;
      if (!FILE_NAME.test(file) || !existsSync(path.join(folder, 'assets', file))) throw noSuch('file');
      return reply.sendFile(`assets/${file}`, { maxAge: YEAR_MS, immutable: true });
    },
  );
}
