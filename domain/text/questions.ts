const QUESTION_START =
  /^(?:how|what|which|who|whose|when|where|why|is|are|was|were|do|does|did|can|could|should|shall)\b|^(?:如何|怎么|怎样|为什么|什么|哪)/iu;

/** Returns true if a text ends as a question does, which states nothing; "…, right?" states something. */
export function endsAsQuestion(text: string): boolean {
  return /(?<!\bright)[?？]["'”’)\]*_`]*\s*$/iu.test(text);
}

/** Returns true if a text is a question by its first word or its end. */
export function isQuestion(text: string): boolean {
  return endsAsQuestion(text) || QUESTION_START.test(text.trimStart());
}
