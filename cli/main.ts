import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { processEnvironment } from '../config/process-environment.ts';
import { cacheDirectory, compileCacheIn } from '../infra/instance/layout.ts';

const environment = processEnvironment();
const { INIT_CWD: folder, npm_package_json: startedBy } = environment;
// npm runs a script in Recollect's folder: a project and paths are those of the folder in which npm was started.
if (folder && startedBy === path.resolve(import.meta.dirname, '..', 'package.json')) process.chdir(folder);
const compileCache = compileCacheIn(cacheDirectory(environment));
// A third of a command's time. `up` creates the folder: without an instance, a command leaves no files behind.
if (existsSync(compileCache)) enableCompileCache(compileCache);

// Imported with the cache only.
const { createProgram } = await import('./program.ts');
const { processOutput } = await import('./output.ts');

// Exit explicitly: idle connections of a library would delay the exit by seconds.
await createProgram({ environment, output: processOutput() }, (code) => process.exit(code)).parseAsync();
