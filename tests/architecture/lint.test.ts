import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PATCHES } from '../../workflows/registry.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OXLINT = path.join(ROOT, 'node_modules/.bin/oxlint');

/** Lints one file at a place of the tree, with the repository's own configuration, and returns oxlint's output, empty if it passes. */
function lintAt(file: string, code: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-lint-'));
  try {
    cpSync(path.join(ROOT, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'));
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), code);
    const run = spawnSync(OXLINT, ['--deny-warnings', file], { cwd: folder, encoding: 'utf8' });
    return run.status === 0 ? '' : run.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const used = (name: string) => `export const imported = ${name};\n`;

describe('lint rules of the architecture', { timeout: 240_000 }, () => {
  test.each([
    [
      'workflows/session/workflow.ts',
      "import { z } from 'zod';\n" + used('z'),
      'workflow code imports @temporalio/workflow',
    ],
    [
      'workflows/session/workflow.ts',
      "import { Client } from '@temporalio/client';\n" + used('Client'),
      'workflow code imports @temporalio/workflow',
    ],
    [
      'workflows/session/workflow.ts',
      "import { readFileSync } from 'node:fs';\n" + used('readFileSync'),
      'workflow code imports @temporalio/workflow',
    ],
    [
      'workflows/session/workflow.ts',
      "import { newId } from '../../domain/ids.ts';\n" + used('newId'),
      'workflows import no other module',
    ],
    [
      'workflows/session/workflow.ts',
      "import { PrismaClient } from '../../prisma/generated/client.ts';\n" + used('PrismaClient'),
      'workflows import no other module',
    ],
    [
      'workflows/registry.ts',
      "import { newId } from '../domain/ids.ts';\n" + used('newId'),
      'workflows import no other module',
    ],
    ['workflows/session/workflow.ts', 'export const home = process.env;\n', 'process'],
    [
      'domain/windows.ts',
      "import { createPool } from '../stores/postgres/pool.ts';\n" + used('createPool'),
      'domain may import no other module',
    ],
    [
      'domain/windows.ts',
      "import { JOBS } from '../workflows/registry.ts';\n" + used('JOBS'),
      'domain may import no other module',
    ],
    [
      'domain/jobs.ts',
      "import { runJob } from '../workflows/run-job.ts';\n" + used('runJob'),
      'domain/jobs.ts may import workflows/registry.ts only',
    ],
    [
      'observability/dashboards/capture.ts',
      "import { createLogger } from '../../telemetry/logger.ts';\n" + used('createLogger'),
      'observability may import no other module',
    ],
    ['domain/windows.ts', "import { z } from 'zod';\n" + used('z'), 'the domain is pure'],
    ['domain/windows.ts', "import { readFileSync } from 'node:fs';\n" + used('readFileSync'), 'the domain is pure'],
    [
      'stores/postgres/connection/pool.ts',
      "import { createServer } from '../../api/server.ts';\n" + used('createServer'),
      'stores may import',
    ],
    [
      'stores/temporal/hints.ts',
      "import { session } from '../../workflows/session/workflow.ts';\n" + used('session'),
      'only the bundle imports workflow code',
    ],
    [
      'activities/session/create.ts',
      "import { createServer } from '../../api/server.ts';\n" + used('createServer'),
      'activities may import',
    ],
    [
      'api/routes/capture/events.ts',
      "import { PrismaClient } from '../../prisma/generated/client.ts';\n" + used('PrismaClient'),
      'api may import',
    ],
    [
      'api/routes/capture/events.ts',
      "import { toFailure } from '../../activities/failures.ts';\n" + used('toFailure'),
      'api may import',
    ],
    [
      'client/recollect-client.ts',
      "import { newId } from '../domain/ids.ts';\n" + used('newId'),
      'client may import no other module',
    ],
    ['client/recollect-client.ts', "import { z } from 'zod';\n" + used('z'), 'the client has no dependency'],
    [
      'mcp/tools.ts',
      "import { createPool } from '../stores/postgres/pool.ts';\n" + used('createPool'),
      'mcp may import',
    ],
    ['mcp/tools.ts', "import { createServer } from '../api/server.ts';\n" + used('createServer'), 'mcp may import'],
    [
      'domain/windows.ts',
      "import { tools } from '../mcp/tools.ts';\n" + used('tools'),
      'domain may import no other module',
    ],
    [
      'retrieval/search.ts',
      "import { createOnnxEmbedder } from '../models/embedding/onnx-embedder.ts';\n" + used('createOnnxEmbedder'),
      'retrieval may import',
    ],
    [
      'hook/deliver.ts',
      "import { newId } from '../stores/postgres/pool.ts';\n" + used('newId'),
      'hook may import domain',
    ],
    ['hook/deliver.ts', "import { z } from 'zod';\n" + used('z'), 'the hook client loads'],
    [
      'viewer/link/ask.ts',
      "import { ERROR_STATUS } from '../../api/errors.ts';\n" + used('ERROR_STATUS'),
      'viewer may import',
    ],
    ['viewer/shell/app.tsx', "import { z } from 'zod';\n" + used('z'), 'of libraries the viewer needs'],
    [
      'viewer/shell/app.tsx',
      "import { route } from 'preact-router';\n" + used('route'),
      'of libraries the viewer needs',
    ],
    ['viewer/shell/app.tsx', "import { scaleLinear } from 'd3-scale';\n" + used('scaleLinear'), 'of libraries'],
    [
      'infra/build/viewer-contract.ts',
      "import { createPool } from '../../stores/postgres/pool.ts';\n" + used('createPool'),
      'viewer-contract.ts may import api, config and telemetry only',
    ],
    [
      'viewer/parts/text.ts',
      "export const set = (e: Element) => {\n  e.innerHTML = '';\n};\n",
      'captured text is text only',
    ],
    ['api/server.ts', "import { deliver } from '../hook/deliver.ts';\n" + used('deliver'), 'api may import'],
    ['api/server.ts', 'export const home = process.env.HOME;\n', 'process.env'],
    ['api/server.ts', "console.log('x');\n", 'console'],
    ['tests/domain/windows.test.ts', "import { test } from 'vitest';\ntest.only('x', () => {});\n", 'focus'],
  ])('rejects a forbidden import or call in %s: %#', (file, code, message) => {
    expect(lintAt(file, code)).toContain(message);
  });

  test.each([
    ['workflows/session/workflow.ts', "import { condition } from '@temporalio/workflow';\n" + used('condition')],
    ['workflows/session/workflow.ts', "import { QUEUES } from '../registry.ts';\n" + used('QUEUES')],
    ['domain/windows.ts', "import { createHash } from 'node:crypto';\n" + used('createHash')],
    ['domain/jobs.ts', "import { JOBS } from '../workflows/registry.ts';\n" + used('JOBS')],
    ['api/routes/mcp.ts', "import { createMcp } from '../../mcp/http.ts';\n" + used('createMcp')],
    ['mcp/tools.ts', "import { RecollectClient } from '../client/index.ts';\n" + used('RecollectClient')],
    ['stores/postgres/connection/pool.ts', "import { newId } from '../../domain/ids.ts';\n" + used('newId')],
    ['viewer/link/stream.ts', "import { signal } from '@preact/signals';\n" + used('signal')],
    ['viewer/shell/app.tsx', "import { useState } from 'preact/hooks';\n" + used('useState')],
    ['infra/build/viewer-contract.ts', "import { createServer } from '../../api/server.ts';\n" + used('createServer')],
    ['viewer/shell/app.tsx', "import type { Session } from '../contract/index.ts';\nexport type Shown = Session;\n"],
  ])('accepts an allowed import in %s: %#', (file, code) => {
    expect(lintAt(file, code)).toBe('');
  });
});

describe('state of workflow modules', () => {
  const moduleState = /^(?:export )?(?:let|var) /m;

  test('finds no module-level variable in a workflow file', () => {
    const files = readdirSync(path.join(ROOT, 'workflows'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => moduleState.test(readFileSync(path.join(ROOT, 'workflows', file), 'utf8')))).toEqual(
      [],
    );
  });

  test('finds a module-level variable in an example', () => {
    expect(moduleState.test('import x;\nlet count = 0;\n')).toBe(true);
    expect(moduleState.test('function f() {\n  let inner = 0;\n}\n')).toBe(false);
  });
});

describe('patches', () => {
  const files = readdirSync(path.join(ROOT, 'workflows'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== 'patches.ts',
  );
  const used = files.flatMap((file) =>
    [
      ...readFileSync(path.join(ROOT, 'workflows', file), 'utf8').matchAll(
        /(?:deprecateP|\bp)atch(?:ed)?\('([^']+)'\)/g,
      ),
    ].map((match) => match[1]),
  );

  test('lists exactly the patches that the code uses', () => {
    expect([...new Set(used)].map(String).sort()).toEqual(PATCHES.map((patch) => patch.id).sort());
  });

  test('states since when and until when each patch is needed', () => {
    for (const patch of PATCHES) {
      expect(patch.since).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(patch.removeWhen.length).toBeGreaterThan(10);
    }
    expect(new Set(PATCHES.map((patch) => patch.id)).size).toBe(PATCHES.length);
  });
});
