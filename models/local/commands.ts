import { stripAnsi } from '../../domain/text/clean.ts';

type CommandFamily = 'test' | 'types' | 'lint' | 'build' | 'install' | 'vcs' | 'look' | 'other';

export interface Command {
  /** The main part of the command line, without directory changes, environment and pipes. */
  readonly line: string;
  readonly family: CommandFamily;
  /** Program and subcommand: comparable between runs. */
  readonly key: string;
  /** Files, tests or packages in its arguments. */
  readonly targets: readonly string[];
}

const FAMILIES: readonly (readonly [CommandFamily, RegExp])[] = [
  [
    'test',
    /\b(?:pytest|vitest|jest|mocha|ava|rspec|phpunit|ctest|tox|nox|unittest|playwright test|go test|dotnet test|bun test|deno test|swift test|mix test|cargo (?:test|nextest)|(?:npm|yarn|pnpm)(?: run)? (?:test|t)\b\S*|(?:mvn|gradlew?|\.\/gradlew)\b.*\btest|make (?:test|check)|node --test)\b/u,
  ],
  ['types', /\b(?:tsc|mypy|pyright|pyre|flow check|vue-tsc|(?:npm|yarn|pnpm) run (?:type-?check|types))\b/u],
  [
    'lint',
    /\b(?:eslint|oxlint|ruff|flake8|pylint|clippy|golangci-lint|pre-commit|prettier|black|biome|rubocop|shellcheck|(?:npm|yarn|pnpm) run (?:lint|format)\S*)\b/u,
  ],
  [
    'install',
    /\b(?:(?:npm|pnpm|yarn|bun) (?:i|install|ci|add)|pip3? install|uv (?:pip|sync|venv|add)|poetry (?:install|add)|brew install|apt(?:-get)? install|cargo add|go (?:get|mod)|bundle install)\b/u,
  ],
  [
    'build',
    /\b(?:(?:npm|yarn|pnpm) run build|vite build|next build|webpack|rollup|esbuild|cargo (?:build|check)|go (?:build|vet)|make|cmake|mvn|gradlew?|docker(?: compose)? build|swift build|dotnet build|javac|gcc|clang)\b/u,
  ],
  ['vcs', /^(?:git|gh|hg|svn)\b/u],
  [
    'look',
    /^(?:cat|ls|head|tail|less|grep|rg|find|tree|wc|which|pwd|echo|sed -n|file|stat|du|diff|jq|sort|awk|cd|source|export|curl -s)\b/u,
  ],
];
const PREPARATION = /^(?:cd|pushd|source|\.|export|set|PATH=\S+$|[A-Z_][A-Z0-9_]*=\S*$|mkdir|sleep|true|echo)(?:\s|$)/u;
const ASSIGNMENTS = /^(?:[A-Za-z_][A-Za-z0-9_]*=(?:"[^"]*"|'[^']*'|\S*)\s+)+/u;
const RUNNERS =
  /^(?:sudo|time|env|npx|pnpm exec|yarn exec|bunx|uvx?(?= run )|uv run|poetry run|python3? -m|bundle exec|timeout \S+)\s+/u;

/** Parses a shell command line. Of a chain the first check (test, types, lint, build) counts, else the last part that is not preparation. */
export function readCommand(input: string): Command {
  const text = stripAnsi(input).trim();
  const parts = text
    .split(/&&|\|\||;|\n/u)
    .map((part) => (part.split(/\s\|\s|\s[12&]?>/u)[0] ?? '').trim())
    .filter((part) => part !== '');
  const bare = parts.map((part) => part.replace(ASSIGNMENTS, '')).filter((part) => part !== '');
  const work = bare.filter((part) => !PREPARATION.test(part));
  const line = work.find((part) => isCheck(familyOf(part))) ?? work.at(-1) ?? bare.at(-1) ?? text;
  const words = line.replace(RUNNERS, '').split(/\s+/u);
  const rest = words.slice(1);
  const subcommand = rest[0] !== undefined && /^[a-z][\w:-]*$/u.test(rest[0]) ? ` ${rest[0]}` : '';
  return {
    line,
    family: familyOf(line),
    key: `${(words[0] ?? '').split('/').at(-1) ?? ''}${subcommand}`,
    targets: rest
      .filter((word) => /[./:]/u.test(word) && !word.startsWith('-') && word !== '.')
      .map((word) => word.replaceAll(/["']/gu, '')),
  };
}

/** Returns true for families whose exit code shows whether the code is correct. */
export function isCheck(family: CommandFamily): boolean {
  return family === 'test' || family === 'types' || family === 'lint' || family === 'build';
}

function familyOf(line: string): CommandFamily {
  if (/^(?:git|gh)\b/u.test(line)) return 'vcs';
  for (const [family, pattern] of FAMILIES) if (pattern.test(line)) return family;
  return 'other';
}

/** Returns true if a success of `later` shows that the failure of `earlier` is fixed. */
export function answers(later: Command, earlier: Command): boolean {
  if (isCheck(earlier.family)) {
    if (later.family !== earlier.family) return false;
    if (earlier.targets.length === 0 || later.targets.length === 0) return true;
    return later.targets.some((target) =>
      earlier.targets.some((other) => target.startsWith(other) || other.startsWith(target)),
    );
  }
  return later.key === earlier.key && earlier.family !== 'look';
}
