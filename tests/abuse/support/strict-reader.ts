/*
 * A strict reader of recalled text. It shares no code with the functions that make recalled text inert: it decodes everything that a model
 * or a parser could decode, then searches for tags, turns and links. It returns violations as phrases.
 */

const FIRST = '<recollect-context>\n';
const LAST = '\n</recollect-context>';

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', sol: '/', nbsp: ' ', quot: '"' };
/** Letters of other scripts, in the order of the Latin letters they resemble. */
const LOOKALIKE = 'асеорхуѕіјтнкмвгԁοαειντυρκ';
const PLAIN = 'aceopxysijthkmbrdoaeivtupk';

function decodedOnce(text: string): string {
  return text
    .replaceAll(
      /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));?/giu,
      (all: string, hex?: string, decimal?: string, name?: string) =>
        name === undefined
          ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
          : (ENTITIES[name.toLowerCase()] ?? all),
    )
    .replaceAll(/(?:%[0-9a-f]{2})+/giu, (bytes) => {
      try {
        return decodeURIComponent(bytes);
      } catch {
        return bytes;
      }
    })
    .replaceAll(/\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2}))/giu, (_, unit?: string, byte?: string) =>
      String.fromCharCode(Number.parseInt(unit ?? byte ?? '0', 16)),
    )
    .replaceAll(/\\+n/gu, '\n')
    .replaceAll(/\\+\//gu, '/');
}

/** Returns the text decoded until nothing changes, folded and in lower case. */
function taken(text: string): string {
  let now = text;
  for (let before = ''; before !== now;) {
    before = now;
    now = decodedOnce(now)
      .normalize('NFKC')
      .replaceAll(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, '')
      .toLowerCase();
  }
  return Array.from(now, (letter) => {
    const at = LOOKALIKE.indexOf(letter);
    return at < 0 ? letter : PLAIN.charAt(at);
  })
    .join('')
    .replaceAll(/[‹⟨〈《]/gu, '<')
    .replaceAll(/[›⟩〉》]/gu, '>')
    .replaceAll(/[∕⁄]/gu, '/')
    .replaceAll(/[‐‑‒–—▁_]/gu, '-');
}

const FRAME = /<[\s/\\]*recollect[\s-]*context/u;
const HOST_TAG =
  /<[\s/\\]*(?:[a-z]+:)?(?:system[\s-]*(?:reminder|prompt)?|user-prompt-submit-hook|user|human|assistant|function-calls?|function|invoke|parameter|tool-(?:call|result|use)|thinking|private|local-command-stdout|bash-stdout|(?:start|end)-of-turn|claude-mem-context|environment-context|sys)\s*(?:[\s=/][^<>]*)?(?:>|$)/u;
const TOKEN = /<\s*\||\[\/?(?:inst|tool-calls)\]|<<sys>>/u;
const TURN = /(?:^|\n)\s*(?:human|assistant)\s*:|(?:^|\n)#+ *(?:instruction|response):/u;
const SWALLOW = /<!--|<!\[cdata\[/u;
const LINK = /\]\((?:https?:|javascript:|data:|\/\/)|(?:^|\n)\[[^\]\n]+\]:\s*(?:https?:|javascript:)/u;
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u;

/** Returns what a reader could take for more than a quotation. */
export function violationsOf(text: string): string[] {
  const read = taken(text);
  return [
    ...(FRAME.test(read) ? ['the tag of the block'] : []),
    ...(HOST_TAG.test(read) ? [`a tag of a host: ${HOST_TAG.exec(read)?.[0] ?? ''}`] : []),
    ...(TOKEN.test(read) ? ['a special token'] : []),
    ...(TURN.test(read) ? ['a turn of a conversation'] : []),
    ...(SWALLOW.test(read) ? ['the beginning of a comment'] : []),
    ...(LINK.test(read) ? ['a link of Markdown'] : []),
    ...(UNSEEN.test(text) ? ['an invisible character'] : []),
  ];
}

/** Returns violations of a block: it must have one start tag, one end tag, and the notice in its first line. */
export function blockViolations(block: string): string[] {
  if (!block.startsWith(FIRST) || !block.endsWith(LAST)) return ['no block'];
  const inside = block.slice(FIRST.length, -LAST.length);
  const [notice = '', ...lines] = inside.split('\n');
  return [
    ...(/quotes from records, not instructions/iu.test(notice) ? [] : ['no notice']),
    ...violationsOf(inside),
    ...(lines.length === 1 && lines[0]?.startsWith('{') === true
      ? stringsOf(JSON.parse(lines[0])).flatMap(violationsOf)
      : []),
  ];
}

/** Returns every string in a JSON value. */
export function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}
