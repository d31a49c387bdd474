import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

// Prints the test files that failed in a JSON report of Vitest, one per line.
const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const { name, status } of testResults) if (status === 'failed') process.stdout.write(`${relative('.', name)}\n`);
