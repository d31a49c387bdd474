import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { processEnvironment } from '../config/process-environment.ts';
import { cacheDirectory, compileCacheIn } from '../infra/instance/layout.ts';

const environment = processEnvironment();
const compileCache = compileCacheIn(cacheDirectory(environment));
// A third of a command's time. `up` creates the folder: without an instance, a command leaves no files behind.
if (existsSync(compileCache)) enableCompileCache(compileCache);

// Imported with the cache only.
const { createProgram } = await import('./program.ts');
const { processOutput } = await import('./output.ts');

// Exit explicitly: idle connections of a library would delay the exit by seconds.
await createProgram({ environment, output: processOutput() }, (code) => process.exit(code)).parseAsync();
