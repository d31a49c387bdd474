#!/usr/bin/env node
// Plain JavaScript, so that any Node can read it: finds one that can run TypeScript, and hands over to it.

// Not imported: linking four built-in modules takes a tenth of the time that a hook has.
const { existsSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const path = process.getBuiltinModule('node:path');
const { fileURLToPath, pathToFileURL } = process.getBuiltinModule('node:url');

const folder = path.dirname(fileURLToPath(import.meta.url));
const main = path.join(folder, 'main.ts');
const client = path.join(folder, '..', 'hook', 'built', 'client.cjs');
const [, , command, ...words] = process.argv;
const isHelp = words.includes('--help') || words.includes('-h');
const [major, minor] = process.versions.node.split('.').map(Number);

if (command === 'hook' && !isHelp && existsSync(client)) {
  // An agent waits for it: any Node runs the built client, and nothing else is loaded.
  createRequire(import.meta.url)(client);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  await import(pathToFileURL(main).href);
} else {
  const newer = [path.join(folder, '..', 'node_modules'), path.join(folder, '..', '..')]
    .map((modules) => path.join(modules, 'node', 'bin', 'node'))
    .find((file) => existsSync(file));
  if (newer === undefined) {
    process.stderr.write(
      `Recollect needs Node 22.18 or newer; this is ${process.versions.node}, and npm installed no other. Run npm ci again.\n`,
    );
    process.exitCode = 1;
  } else {
    const { spawn } = await import('node:child_process');
    const child = spawn(newer, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
    // A terminal sends its signals to both; one that is sent to this process alone is passed on.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal === null ? 1 : 128);
    });
  }
}
