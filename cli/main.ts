import { processEnvironment } from '../config/process-environment.ts';
import { createProgram } from './program.ts';
import { processOutput } from './output.ts';

const context = { environment: processEnvironment(), output: processOutput() };
// A command is done when it says so: idle connections of a library must not keep the process for seconds more.
await createProgram(context, (code) => process.exit(code)).parseAsync();
