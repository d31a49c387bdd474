import { createRequire } from 'node:module';
import { z } from 'zod';

/** Version of this program, of its package. */
export const { version: VERSION } = z
  .object({ version: z.string() })
  .parse(createRequire(import.meta.url)('../package.json'));
