import type { ItemKind } from '../../../domain/ports/model.ts';

const REFACTOR =
  /\b(?:refactor\w*|renam\w+|extract\w*|mov(?:e|ed|ing)\b|simplif\w+|clean(?:ed|s|ing)?[- ]?up|restructur\w+|dedup\w+|reorgani[sz]\w+|streamlin\w+|inline[ds]?)\b|重构|リファクタ/iu;
const FEATURE =
  /\b(?:add(?:ed|s|ing)?|implement\w*|creat(?:e|ed|es|ing)|introduc\w+|support(?:s|ed)? for|new (?:command|feature|option|endpoint|page|flag|test|function|module|api))\b|实现|添加|新增|追加|実装/iu;

/** Returns the kind of work in a sentence by its verbs. */
export function changeKindOf(text: string): ItemKind {
  if (REFACTOR.test(text)) return 'refactor';
  return FEATURE.test(text) ? 'feature' : 'change';
}
