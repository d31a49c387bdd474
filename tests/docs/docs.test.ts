import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApiDependencies } from '../../api/dependencies.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { ERROR_STATUS } from '../../api/errors.ts';
import { createServer } from '../../api/server.ts';
import { createProgram } from '../../cli/program.ts';
import { environmentSchema, parseConfig } from '../../config/config.ts';
import { VALUE_FILTERS } from '../../domain/search-names.ts';
import { CONFIGURATION_PAGE, configurationPage } from '../../infra/build/configuration-docs.ts';
import { METRICS_PAGE, metricsPage } from '../../infra/build/metrics-docs.ts';
import { DEFAULT_PORTS } from '../../infra/instance/ports.ts';
import { STUCK_REASONS } from '../../domain/stuck.ts';
import { SESSION_PHASES } from '../../domain/jobs.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { WAITING_REASONS } from '../../workflows/failure-types.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXCLUDED_FOLDERS = new Set(['node_modules', '.git', 'generated', 'bundle', 'coverage', 'dist']);

function filesUnder(folder: string, extension: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) return EXCLUDED_FOLDERS.has(entry.name) ? [] : filesUnder(at, extension);
    return entry.name.endsWith(extension) ? [at] : [];
  });
}

const read = (file: string) => readFileSync(path.resolve(ROOT, file), 'utf8');
const nameOf = (file: string) => path.relative(ROOT, file);
const pages = filesUnder(ROOT, '.md').map((file) => ({ file, text: read(file) }));

/** Returns the rows of a page's tables as cells, without separator lines. */
function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .filter((cells) => !cells.every((cell) => /^-+$/.test(cell)));
}

/** Returns the first group of every match, with its page. */
function mentions(pattern: RegExp): { readonly file: string; readonly found: string }[] {
  return pages.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map((match) => ({ file: nameOf(file), found: match[1] ?? '' })),
  );
}

/** Returns the anchor that repository viewers derive from a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));

test('finds the pages', () => {
  expect(pages.length).toBeGreaterThan(25);
});

test('configuration.md equals the output of its generator', () => {
  expect(readFileSync(CONFIGURATION_PAGE, 'utf8')).toBe(configurationPage());
});

test('metrics.md equals the output of its generator', async () => {
  expect(readFileSync(METRICS_PAGE, 'utf8')).toBe(await metricsPage());
});

test('configuration.md has a row for every setting', () => {
  const names = tableRows(configurationPage()).map(([name]) => name);
  for (const name of Object.keys(environmentSchema.shape)) expect(names).toContain(`\`${name}\``);
});

test('docs/api.md lists exactly the error codes with their status', () => {
  const rows = tableRows(read('docs/api.md')).filter(([code]) => /^`[A-Z0-9_]+`$/.test(code ?? ''));
  const documented = Object.fromEntries(rows.map(([code, status]) => [code?.replaceAll('`', ''), Number(status)]));
  expect(documented).toEqual(ERROR_STATUS);
});

test.each(VALUE_FILTERS)('search.md, api.md and consistency.md list the filter %s', (name) => {
  const [, ofSearch = ''] = read('docs/api.md').split('\n## Search\n');
  expect(ofSearch.split('\n## ')[0]).toContain(`\`${name}\``);
  expect(tableRows(read('docs/search.md')).some(([syntax]) => syntax?.startsWith(`\`${name}:`))).toBe(true);
  const stale = tableRows(read('docs/consistency.md')).find(([kind]) => kind === '`stale`');
  expect(stale?.[1]?.match(/\w+/g)).toContain(name);
});

test.each([
  ['docs/runbooks/stuck-workflow.md', WAITING_REASONS],
  ['docs/sessions-and-jobs.md', [...SESSION_PHASES, ...STUCK_REASONS]],
])('the tables of %s have a row for every reason and phase', (page, words) => {
  const documented = tableRows(read(page)).flatMap(([word = '']) => word.match(/\w+/g) ?? []);
  expect(documented).toEqual(expect.arrayContaining([...words]));
});

describe('links', () => {
  const links = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ file, target: match[1] ?? '' })),
  );
  const relative = links.filter(({ target }) => !/^[a-z]+:/.test(target));

  test('every relative link has a target file', () => {
    expect(relative.length).toBeGreaterThan(40);
    const broken = relative.filter(({ file, target }) => {
      const [to = ''] = target.split('#');
      return to !== '' && !existsSync(path.resolve(path.dirname(file), to));
    });
    expect(broken.map(({ file, target }) => `${nameOf(file)} → ${target}`)).toEqual([]);
  });

  test('every anchor matches a heading of its page', () => {
    const broken = relative.filter(({ file, target }) => {
      const [to = '', anchor] = target.split('#');
      if (anchor === undefined) return false;
      const page = to === '' ? file : path.resolve(path.dirname(file), to);
      return !existsSync(page) || !anchorsOf(readFileSync(page, 'utf8')).includes(anchor);
    });
    expect(broken.map(({ file, target }) => `${nameOf(file)} → ${target}`)).toEqual([]);
  });
});

describe('commands', () => {
  test('every npm script in a page exists', () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    const named = mentions(/npm run (?:-s )?([a-z][a-z:-]*)/g);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ found }) => !(found in scripts))).toEqual([]);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('every subcommand and option of recollect in a page exists', () => {
    const program = createProgram(
      { environment: {}, output: { out: () => {}, err: () => {}, columns: null, hasColours: false } },
      () => {},
    );
    const commands = new Map(program.commands.map((command) => [command.name(), command]));
    // At the start of a line or of a quoted command; a comment ends it.
    const calls = mentions(/(?:^|[`"]|&& |-- |\| )recollect ([a-z-][^`"\n#|]*)/gm);
    expect(calls.length).toBeGreaterThan(200);
    const wrong = calls.filter(({ found }) => {
      const [name = '', ...rest] = found.trim().split(/\s+/);
      const command = commands.get(name);
      // A subcommand with options of its own: `projects exclude --remove`.
      const nested = command?.commands.find((each) => each.name() === rest[0]);
      const known = new Set([...(command?.options ?? []), ...(nested?.options ?? [])].map((option) => option.long));
      return command === undefined || rest.some((word) => word.startsWith('--') && !known.has(word));
    });
    expect(wrong).toEqual([]);
  });
});

test('every variable in a page is read by the code', () => {
  const sources = [
    'config',
    'infra/instance',
    'infra/engines',
    'infra/supervisor',
    'cli/commands',
    'hook',
    'tests/abuse',
    'tests/agents',
  ].flatMap((folder) => filesUnder(path.join(ROOT, folder), '.ts'));
  const known = new Set([
    ...Object.keys(environmentSchema.shape),
    ...sources.flatMap((file) => read(file).match(/RECOLLECT_[A-Z0-9_]*[A-Z]/g) ?? []),
  ]);
  // `RECOLLECT_WINDOW_*` matches all settings with that prefix.
  const named = mentions(/(RECOLLECT_[A-Z0-9_]*[A-Z](?:_\*)?)/g);
  expect(named.length).toBeGreaterThan(60);
  const unknown = named.filter(({ found }) =>
    found.endsWith('*') ? ![...known].some((name) => name.startsWith(found.slice(0, -1))) : !known.has(found),
  );
  expect(unknown).toEqual([]);
});

const top = new Set(
  readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== '.git')
    .map((entry) => entry.name),
);

test('every path in a workflow of the continuous integration exists', () => {
  const workflows = filesUnder(path.join(ROOT, '.github/workflows'), '.yml').map((file) => read(file));
  const paths = workflows
    .flatMap((text) => text.match(/(?<![\w./@-])[\w.-]+\/[\w./*-]+/g) ?? [])
    .filter((found) => top.has(found.split('/')[0] ?? ''));
  expect(paths).toContain('.ci/run');
  expect(paths.filter((found) => globSync(found, { cwd: ROOT }).length === 0)).toEqual([]);
});

test('every path in a page exists', () => {
  const paths = mentions(/`([\w.-]+\/[\w./-]*)`/g).filter(({ found }) => top.has(found.split('/')[0] ?? ''));
  expect(paths.filter(({ file }) => file === 'ARCHITECTURE.md').length).toBeGreaterThan(30);
  expect(paths.filter(({ found }) => !existsSync(path.join(ROOT, found)))).toEqual([]);
});

test('ARCHITECTURE.md has a row for every module that lint has a rule for', () => {
  const modules = tableRows(read('ARCHITECTURE.md')).flatMap(
    ([folder]) => /^`([a-z]+)\/`$/.exec(folder ?? '')?.[1] ?? [],
  );
  const rules = z
    .object({ overrides: z.array(z.object({ files: z.array(z.string()) })) })
    .parse(JSON.parse(read('.oxlintrc.json')));
  const ruled = rules.overrides.flatMap(({ files }) => files.map((glob) => glob.split('/')[0] ?? ''));
  expect(modules.toSorted()).toEqual([...new Set(ruled)].sort());
});

describe('operations.md', () => {
  const text = read('docs/operations.md');

  test('lists every port', () => {
    for (const port of Object.values(DEFAULT_PORTS)) expect(text).toContain(String(port));
  });
});

describe('routes', () => {
  let dependencies: ApiDependencies;
  let served: string[];

  beforeAll(async () => {
    // Clients connect at first use, and no route is called here.
    const config = parseConfig({
      RECOLLECT_DATABASE_URL: 'postgresql://app@127.0.0.1:1/none',
      RECOLLECT_MAINTENANCE_DATABASE_URL: 'postgresql://app@127.0.0.1:1/none',
      RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:1',
      RECOLLECT_WEAVIATE_URL: 'http://127.0.0.1:1',
      RECOLLECT_WEAVIATE_GRPC_PORT: '1',
      RECOLLECT_WEAVIATE_API_KEY: 'none',
      RECOLLECT_CACHE_DIR: '/nonexistent',
    });
    const logger = createLogger('test', 'error');
    dependencies = createApiDependencies(config, logger);
    const server = await createServer({ dependencies, logger, isStopping: () => false });
    await server.ready();
    const methods = z.record(z.string(), z.unknown());
    const { paths } = z.object({ paths: z.record(z.string(), methods) }).parse(server.swagger());
    served = Object.entries(paths).flatMap(([route, byMethod]) =>
      Object.keys(byMethod).map((method) => `${method.toUpperCase()} ${route}`),
    );
    await server.close();
  });
  afterAll(() => dependencies.close());

  test('docs/api.md lists exactly the routes', () => {
    const listed = tableRows(read('docs/api.md'))
      .filter(([method]) => /^(?:GET|POST|PUT|DELETE)$/.test(method ?? ''))
      .map(([method, route]) => `${method} ${route?.replaceAll('`', '')}`);
    expect(listed.length).toBeGreaterThan(10);
    expect(listed.toSorted()).toEqual(served.toSorted());
  });
});

test('every decision is short and has its three parts', () => {
  const records = filesUnder(path.join(ROOT, 'docs/adr'), '.md').filter((file) => /\/\d{4}-/.test(file));
  expect(records.length).toBeGreaterThanOrEqual(14);
  const index = read('docs/adr/README.md');
  const wrong = records.filter((file) => {
    const text = readFileSync(file, 'utf8');
    const parts = ['**Context.**', '**Decision.**', '**Consequence.**'];
    return !parts.every((part) => text.includes(part)) || text.split('\n').length > 40;
  });
  expect(wrong.map(nameOf)).toEqual([]);
  for (const file of records) expect(index).toContain(path.basename(file));
});
