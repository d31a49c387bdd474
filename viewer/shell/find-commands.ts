/** Returns how well a text matches what was typed: all words in it, the more the earlier; 0 for no match. */
export function matchScore(text: string, typed: string): number {
  const place = text.toLowerCase();
  let score = 1;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = place.indexOf(word);
    if (at === -1) return 0;
    const isStart = at === 0 || place[at - 1] === ' ';
    score += (isStart ? 2 : 1) / (1 + at / place.length);
  }
  return score;
}

/** Returns the commands that match, best first; equal ones in their order. */
export function findCommands<Command extends { readonly text: string; readonly words?: string | undefined }>(
  commands: readonly Command[],
  typed: string,
): readonly Command[] {
  return commands
    .map((command) => ({ command, score: matchScore(`${command.text} ${command.words ?? ''}`, typed) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .map(({ command }) => command);
}
