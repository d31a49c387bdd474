/** A tool call as text for search and summaries. */
export interface ToolText {
  /** One line: the tool and its main argument ("Bash: npm test"). */
  readonly title: string;
  /** The rendered input, a blank line, then the output. */
  readonly content: string;
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const TITLE_CHARS = 160;
/** Input fields that name a file. */
const FILE_FIELDS = ['file_path', 'notebook_path', 'path'] as const;
const READING_TOOLS = new Set(['Read', 'NotebookRead']);
const WRITING_TOOLS = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit', 'Delete', 'apply_patch']);
/** Input fields of a plain shell command. */
const COMMAND_FIELDS = new Set(['command', 'description', 'timeout', 'run_in_background', 'cwd', 'workdir']);
/** The most informative input fields, for unknown tools. */
const INFORMATIVE_FIELDS = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'query',
  'url',
  'path',
  'description',
  'prompt',
] as const;

function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
}

function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the files that an input names: by one field, or as the list that a host mapping adds for a patch. */
function filesOf(fields: Fields): string[] {
  const path = FILE_FIELDS.map((name) => textField(fields, name)).find((value) => value !== undefined);
  if (path !== undefined) return [path];
  const files: unknown = fields['files'];
  return Array.isArray(files) ? files.filter((file) => typeof file === 'string' && file !== '') : [];
}

function oneLine(text: string): string {
  const line = text
    .trimStart()
    .slice(0, 8 * TITLE_CHARS)
    .trimEnd()
    .replaceAll(/\s+/g, ' ');
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1).toWellFormed()}…`;
}

function editText(old: string | undefined, replacement: string | undefined): string {
  const lines = (text: string | undefined, sign: string): string =>
    text === undefined
      ? ''
      : text
          .split('\n')
          .map((line) => `${sign} ${line}`)
          .join('\n');
  return [lines(old, '-'), lines(replacement, '+')].filter((part) => part !== '').join('\n');
}

function renderInput(tool: string, input: unknown): string {
  if (typeof input === 'string') return input;
  const fields = fieldsOf(input);
  const command = textField(fields, 'command');
  // A patch contains its files.
  if (tool === 'apply_patch' && command !== undefined) return command;
  const onlyCommand = tool === 'Bash' || Object.keys(fields).every((name) => COMMAND_FIELDS.has(name));
  if (command !== undefined && onlyCommand) return `$ ${command}`;
  const path = FILE_FIELDS.map((name) => textField(fields, name)).find((value) => value !== undefined);
  if (tool === 'Write' && path !== undefined) return `${path}\n${textField(fields, 'content') ?? ''}`;
  if (WRITING_TOOLS.has(tool) && path !== undefined) {
    const edits = Array.isArray(fields['edits']) ? fields['edits'].map(fieldsOf) : [fields];
    const texts = edits.map((edit) =>
      editText(textField(edit, 'old_string'), textField(edit, 'new_string') ?? textField(edit, 'new_source')),
    );
    return [path, ...(tool === 'Delete' ? ['(deleted)'] : texts)].join('\n');
  }
  if (READING_TOOLS.has(tool) && path !== undefined) return path;
  if (input === null || input === undefined) return '';
  return typeof input === 'object' && Object.keys(input).length === 0 ? '' : JSON.stringify(input);
}

/** Renders a tool's response: known shapes by their text fields, anything else as JSON. */
function renderResponse(response: unknown): string {
  if (response === null || response === undefined) return '';
  if (typeof response === 'string') return response;
  if (Array.isArray(response)) {
    return response
      .map((entry: unknown) => {
        const text = fieldsOf(entry)['text'];
        return typeof text === 'string' ? text : renderResponse(entry);
      })
      .filter((text) => text !== '')
      .join('\n');
  }
  const fields = fieldsOf(response);
  // Image data is useless as text and would fill a window.
  if (fields['type'] === 'image') return '[image]';
  if ('stdout' in fields || 'stderr' in fields) {
    const streams = [textField(fields, 'stdout'), textField(fields, 'stderr')].filter((text) => text !== undefined);
    return fields['interrupted'] === true ? [...streams, '(interrupted)'].join('\n') : streams.join('\n');
  }
  const file = textField(fieldsOf(fields['file']), 'content');
  if (file !== undefined) return file;
  // An edit's response repeats its input, which is rendered already.
  if ('structuredPatch' in fields || 'oldString' in fields) return '';
  const content = fields['content'];
  if (typeof content === 'string' || Array.isArray(content)) return renderResponse(content);
  return JSON.stringify(response);
}

/** Renders one tool call. Files come from the input alone: files that the tool touched, never files that a text mentions. */
export function renderToolCall(tool: string, input: unknown, response: unknown, error: string | null): ToolText {
  const fields = fieldsOf(input);
  const files = filesOf(fields);
  const mainField = INFORMATIVE_FIELDS.map((name) => textField(fields, name)).find((value) => value !== undefined);
  const argument = typeof input === 'string' ? input : tool === 'apply_patch' ? files.join(', ') : (mainField ?? '');
  const output = [error ?? '', renderResponse(response)].filter((text) => text !== '').join('\n');
  return {
    title: oneLine(argument === '' ? tool : `${tool}: ${argument}`),
    content: [renderInput(tool, input), output].filter((text) => text !== '').join('\n\n'),
    filesRead: READING_TOOLS.has(tool) && error === null ? files : [],
    filesModified: WRITING_TOOLS.has(tool) && error === null ? files : [],
  };
}
