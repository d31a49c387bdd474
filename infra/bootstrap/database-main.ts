import { z } from 'zod';
import { processEnvironment } from '../../config/process-environment.ts';
import { bootstrapDatabase } from './database.ts';

// Runs in its own process: Prisma's schema engine takes 50 MB, which the supervisor would retain.
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
// The engine's adapter leaves a timer that would delay the exit by ten seconds; its work is complete.
process.exit(0);
