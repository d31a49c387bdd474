import { z } from 'zod';
import { fullValueKey } from '../../../domain/ports/object-store.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';

/** `GET /full-values/:sha256`: the original of a truncated value, redacted like its row. For admins: a value has no owner. */
export function valueRoutes(app: Api, { objects }: ApiDependencies): void {
  app.get(
    '/full-values/:sha256',
    route('admin', {
      tags: ['capture'],
      summary: 'Get the full value of a truncated one',
      description:
        'The note in a truncated value contains the hash of its full value. Full values are stored only if RECOLLECT_FULL_VALUES_DIR is set.',
      params: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      response: { 200: z.object({ sha256: z.string(), text: z.string() }) },
    }),
    async (request) => {
      const { sha256 } = request.params;
      const bytes = (await objects?.get(fullValueKey(principalOf(request).tenantId, sha256))) ?? null;
      if (bytes === null) throw new ApiError('NOT_FOUND', 'there is no such value');
      return { sha256, text: Buffer.from(bytes).toString('utf8') };
    },
  );
}
