import { ownMark } from './owned-file.ts';

/**
 * Returns the plugin file for opencode 1, plain JavaScript: it passes events to the hook client one after another, and adds the context that
 * the client prints to the user's message. `commands` are shell commands by event.
 */
export function opencodePlugin(commands: Readonly<Record<string, string>>): string {
  return `// ${ownMark('opencode')}
import { spawn } from 'node:child_process';

const COMMANDS = ${JSON.stringify(commands, null, 2)};

/** Runs the hook client. Resolves with the context that it prints; '' for none, and after a failure. */
function run(event, fields) {
  return new Promise((resolve) => {
    const child = spawn(COMMANDS[event], { shell: true, stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', () => resolve(''));
    child.once('close', () => {
      try {
        resolve(JSON.parse(output).additional_context ?? '');
      } catch {
        resolve('');
      }
    });
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(fields));
  });
}

const textOf = (parts) =>
  parts
    .filter((part) => part.type === 'text' && part.synthetic !== true)
    .map((part) => part.text)
    .join('\\n');

export const RecollectPlugin = async ({ client, directory }) => {
  const parents = new Map();
  const started = new Set();
  /** Sessions with a turn: opencode may report its end twice. */
  const busy = new Set();
  let queue = Promise.resolve('');

  /** Sends an event after the earlier ones. Events of a sub-agent belong to the session that started it. */
  const send = (event, id, fields = {}) => {
    let session = id;
    while (parents.has(session)) session = parents.get(session);
    const agent = session === id ? {} : { agent_id: id };
    const body = { session_id: session, cwd: directory, timestamp: new Date().toISOString(), ...agent, ...fields };
    queue = queue.then(() => run(event, body));
    return queue;
  };

  const lastText = async (id) => {
    const { data } = await client.session.messages({ path: { id } });
    const last = (data ?? []).filter(({ info }) => info.role === 'assistant').at(-1);
    return last === undefined ? '' : textOf(last.parts);
  };

  return {
    'chat.message': async ({ sessionID, agent, model }, { message, parts }) => {
      const prompt = textOf(parts);
      busy.add(sessionID);
      if (parents.has(sessionID)) {
        void send('subagent_start', sessionID, { agent_type: agent, task: prompt });
        return;
      }
      const contexts = [];
      if (!started.has(sessionID)) {
        started.add(sessionID);
        contexts.push(await send('session_created', sessionID, { model: (model ?? message.model)?.modelID }));
      }
      contexts.push(await send('chat_message', sessionID, { prompt }));
      const text = contexts.filter((context) => context !== '').join('\\n');
      if (text === '') return;
      const id = \`prt_recollect\${Date.now().toString(36)}\`;
      parts.push({ id, sessionID, messageID: message.id, type: 'text', text, synthetic: true });
    },
    'tool.execute.after': async ({ tool, sessionID, callID, args }, { output }) => {
      void send('tool_execute_after', sessionID, { tool, args, output, call_id: callID });
    },
    event: async ({ event: { type, properties } }) => {
      const id = properties.sessionID ?? properties.info?.id;
      if (type === 'session.created' && properties.info.parentID) parents.set(id, properties.info.parentID);
      if (id === undefined) return;
      if (type === 'session.compacted') void send('session_compacted', id);
      if (type === 'session.error') {
        const error = properties.error?.data?.message ?? properties.error?.name;
        void send('session_error', id, { error });
      }
      if (type === 'session.idle' && busy.delete(id))
        void send(parents.has(id) ? 'subagent_stop' : 'session_idle', id, { text: await lastText(id) });
      if (type === 'session.deleted' && !parents.has(id)) void send('session_deleted', id);
    },
    dispose: async () => {
      await queue;
    },
  };
};
`;
}
