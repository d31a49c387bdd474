import { processEnvironment } from '../config/process-environment.ts';
import { createProgram } from './program.ts';
import { processOutput } from './output.ts';

const context = { environment: processEnvironment(), output: processOutput() };
// Exit explicitly: idle connections of a library would delay the exit by seconds.
await createProgram(context, (code) => process.exit(code)).parseAsync();
