#!/usr/bin/env node
// Plain JavaScript, so that any Node can read it: finds one that can run TypeScript, and hands over to it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const main = path.join(folder, 'main.ts');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
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
    const child = spawn(newer, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
    // A terminal sends its signals to both; one that is sent to this process alone is passed on.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal === null ? 1 : 128);
    });
  }
}
