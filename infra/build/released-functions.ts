import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const FOLDER = path.join(ROOT, 'prisma/sql/functions');

/** Signatures of the functions that processes of the released version call, one a line; `applyFunctions` reads their names. */
export const RELEASED_FUNCTIONS = path.join(ROOT, 'prisma/sql/released-functions.txt');

/** Returns name, arguments and result in the file of a function, in one line. @throws Error for a file without a function */
function signatureIn(sql: string): string {
  const head = /^CREATE (?:OR REPLACE )?FUNCTION (.*?)\sLANGUAGE\s/msu.exec(sql.replaceAll(/--.*$/gmu, ''))?.[1];
  if (head === undefined) throw new Error(`no function with a LANGUAGE in: ${sql.slice(0, 80)}`);
  return head.trim().replaceAll(/\s+/gu, ' ').replaceAll('( ', '(');
}

/** Returns the signatures of the functions of this version by name, in order. */
export function functionSignatures(): Map<string, string> {
  return new Map(
    readdirSync(FOLDER)
      .sort()
      .map((file) => [path.basename(file, '.sql'), signatureIn(readFileSync(path.join(FOLDER, file), 'utf8'))]),
  );
}

if (import.meta.main) {
  // No process calls the function of a trigger.
  const called = [...functionSignatures().values()].filter((signature) => !signature.endsWith('RETURNS trigger'));
  writeFileSync(RELEASED_FUNCTIONS, `${called.join('\n')}\n`);
}
