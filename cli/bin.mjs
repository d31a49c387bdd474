#!/usr/bin/env node
// Plain JavaScript, so that any Node can read it: finds one that Recollect runs on, and hands over to it.

// Not imported: linking four built-in modules takes a tenth of the time that a hook has.
// An old Node cannot do that.
const builtin = process.getBuiltinModule ?? (await import('node:module')).createRequire(import.meta.url);
const { existsSync } = builtin('node:fs');
const { createRequire } = builtin('node:module');
const path = builtin('node:path');
const { fileURLToPath, pathToFileURL } = builtin('node:url');

const folder = path.dirname(fileURLToPath(import.meta.url));
// The npm package has JavaScript, a checkout has sources.
const isPackage = existsSync(path.join(folder, 'main.js'));
const main = path.join(folder, isPackage ? 'main.js' : 'main.ts');
const client = path.join(folder, '..', 'hook', 'built', 'client.cjs');
const [, , command, ...words] = process.argv;
const isHelp = words.includes('--help') || words.includes('-h');
const [major, minor] = process.versions.node.split('.').map(Number);

if (command === 'hook' && !isHelp && existsSync(client)) {
  // An agent waits for it: any Node runs the built client, and nothing else is loaded.
  createRequire(import.meta.url)(client);
} else if (major > 24 || (major === 24 && minor >= 7)) {
  // Since 24.7 node:crypto has argon2, which passwords are hashed with.
  await import(pathToFileURL(main).href).catch((error) => {
    if (!error?.message?.startsWith('Cannot find package')) throw error;
    process.stderr.write(
      `The packages of Recollect are missing: ${isPackage ? 'install it again' : 'run npm ci first'}.\n`,
    );
    process.exitCode = 1;
  });
} else {
  const newer = [path.join(folder, '..', 'node_modules'), path.join(folder, '..', '..')]
    .map((modules) => path.join(modules, 'node', 'bin', 'node'))
    .find((file) => existsSync(file));
  if (newer === undefined) {
    process.stderr.write(
      `Recollect needs Node 24.7 or newer; this is ${process.versions.node}${isPackage ? ': install a newer Node' : ', and npm installed no other: run npm ci again'}.\n`,
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
