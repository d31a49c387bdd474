/** The agent's built-in tools: used by every session, so they characterise no project. */
const AGENT_TOOLS = new Set(
  'Bash BashOutput KillShell Read Write Edit MultiEdit NotebookEdit NotebookRead Glob Grep LS Task Agent TodoWrite TodoRead ExitPlanMode AskUserQuestion Skill SlashCommand WebFetch WebSearch ToolSearch'.split(
    ' ',
  ),
);
/** Programs of the shell itself. */
const SHELL_PROGRAMS = new Set(
  (
    'cd ls cat echo printf head tail grep rg egrep find sed awk sort uniq wc cut tr xargs tee test true false set unset export source sleep pwd mkdir rm cp mv ' +
    'touch chmod chown ln rmdir tree du df file stat realpath basename dirname jq which command type exit if then else fi for while do done case esac time env sudo nohup timeout diff kill pkill ps read eval exec bash sh zsh less more date ' +
    // First words of heredoc lines.
    'from import def class print return try except with as const let var function'
  ).split(' '),
);
/** Programs that only run another one. */
const RUNNERS = new Set(['npx', 'pnpx', 'bunx', 'uvx', 'pipx']);
const MAX_SEGMENTS = 8;
const PROGRAM = /^[a-z][a-z0-9._+-]{0,40}$/u;
/** An unclosed quotation ends with the line: long command lines are truncated. */
const QUOTED = /"(?:\\.|[^"\\])*(?:"|$)|'[^']*(?:'|$)/gsu;

/** Returns the programs of a command line in order, without those of the shell: "cd a && npx vitest run | tail" → vitest. */
export function programsOf(command: string): readonly string[] {
  const programs: string[] = [];
  // Quoted text and heredocs are no commands.
  const [plain = ''] = command.slice(0, 2_000).split('<<', 1);
  for (const segment of plain.replaceAll(QUOTED, ' ""').split(/&&|\|\||[;|\n]/u, MAX_SEGMENTS)) {
    const words = segment
      .trim()
      .split(/\s+/u)
      .filter((word) => !/^\w+=/u.test(word) && !word.startsWith('-'));
    while (words[0] !== undefined && (words[0] === 'sudo' || words[0] === 'time' || words[0] === 'env')) words.shift();
    if (words[1] === '=') continue;
    const runs = words[0] !== undefined && RUNNERS.has(words[0]) ? words[1] : words[0];
    const program = runs?.slice(runs.lastIndexOf('/') + 1).replace(/(?<=\w)@.*$/u, '');
    if (program !== undefined && PROGRAM.test(program) && !SHELL_PROGRAMS.has(program)) programs.push(program);
  }
  return [...new Set(programs)];
}

/** Returns the graph's name of a tool; null for the agent's built-in tools. */
export function toolLabel(tool: string): string | null {
  if (AGENT_TOOLS.has(tool)) return null;
  const [, server, name] = /^mcp__(.+?)__(.+)$/u.exec(tool) ?? [];
  return server === undefined || name === undefined ? tool : `${server}: ${name}`;
}

/** Returns a path relative to the project root that contains it, else unchanged; null for other texts. Uses forward slashes. */
export function fileLabel(path: string, roots: readonly string[]): string | null {
  const plain = path.replaceAll('\\', '/').replace(/^\.\//u, '').trim();
  if (plain === '' || plain.endsWith('/') || /[`\n]/u.test(plain)) return null;
  const root = roots
    .map((each) => each.replaceAll('\\', '/').replace(/\/+$/u, ''))
    .filter((each) => each !== '' && plain.startsWith(`${each}/`))
    .toSorted((a, b) => b.length - a.length)[0];
  return root === undefined ? plain : plain.slice(root.length + 1);
}

/** Tags for kinds of notes, not for subjects. */
const KIND_TAGS = new Set(
  'preference correction bugfix feature refactor change discovery decision security pattern solution error config general test tests fix'.split(
    ' ',
  ),
);
const EXTENSION =
  /^(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|cc?|cpp|h|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|env)$/u;

/** Returns the tags that name a concept: no kinds, file extensions or too short words. */
export function conceptTags(tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => {
    const folded = tag.toLowerCase().trim();
    return folded.length > 2 && folded.length <= 60 && !KIND_TAGS.has(folded) && !EXTENSION.test(folded);
  });
}

/** Most names of a glossary. */
const MAX_NAMES = 40;
/** A glossary is in the prefix of every window: 300 tokens, at about four characters a token and one for the comma. */
const MAX_CHARACTERS = 1_200;
const MAX_NAME_CHARACTERS = 80;

/** Returns a project's glossary from names by descending weight: unique, on one line, at most 40 and about 300 tokens. Deterministic. */
export function glossaryOf(labels: readonly string[]): readonly string[] {
  const names: string[] = [];
  const seen = new Set<string>();
  let characters = 0;
  for (const label of labels) {
    const name = label.replaceAll(/\s+/gu, ' ').trim();
    const folded = name.toLowerCase();
    const cost = Buffer.byteLength(name, 'utf8') + 2;
    if (name === '' || name.length > MAX_NAME_CHARACTERS || seen.has(folded) || characters + cost > MAX_CHARACTERS)
      continue;
    names.push(name);
    seen.add(folded);
    characters += cost;
    if (names.length === MAX_NAMES) break;
  }
  return names;
}
