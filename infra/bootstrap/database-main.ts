import { z } from 'zod';
import { processEnvironment } from '../../config/process-environment.ts';
import { bootstrapDatabase } from './database.ts';

// The database step as a process of its own: Prisma's schema engine takes some 50 MB that the supervisor would keep for as long as it runs.
const optionsSchema = z.object({
  superuserUrl: z.string(),
  databaseName: z.string(),
  passwords: z.object({ owner: z.string(), app: z.string(), maintenance: z.string(), restore: z.string() }),
});

const given = processEnvironment()['RECOLLECT_DATABASE_BOOTSTRAP'];
try {
  await bootstrapDatabase({
    ...optionsSchema.parse(JSON.parse(given ?? 'null')),
    progress: (line) => process.stdout.write(`${line}\n`),
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exit(1);
}
// The engine's adapter leaves a timer behind that would keep this process for ten seconds; all of its work is awaited and done.
process.exit(0);
