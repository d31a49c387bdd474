/** Instructions for learnings. */
export const LEARNINGS = `# Task
Extract what will help in later sessions. You are given what is known already (K1, K2, …), rows of the session, shortened, then the points of its
windows, then its items. After "|" stand a row's short id and a quote from it: you may give that quote again, or a shorter run of it, and you
may quote the rows.

# What is a learning
- solution: an error and what mends it, shown by a success. error: a trap that has no good way around yet.
- config: a setting, a version, a path, a command that this project needs. pattern: how this code base does things.
- best_practice: a rule or a preference of the user, or a decision with its reason. general: any other fact worth keeping.
Leave out what any developer knows, what only this session needed, what the code says itself, and what was tried and found wrong, unless
the warning itself helps. None is better than one that nobody will need: most sessions give one to four, at most eight.

# Fields
- title: the knowledge in a few words, at most 90 characters. Not what was done, but what holds.
- description: one to three sentences that can be used without the session: the fact, the reason, what to do.
- context: when it applies, a few words. examples: a command or snippet that stands in the record, at most two; else empty.
- tags: two to five words that one would search for, lower case.
- confidence: 0.9 said by the user or shown by a run; 0.7 shown once; 0.5 plausible from what the record shows.
- relation: to what is known. {"kind":"new","known":""} where nothing known is about it. "same" with K's id where it says nothing more than
  that one does; "refines" where it makes that one more exact; "contradicts" where that one is wrong now. Name the one nearest.
- evidence: as above.

# Example of an answer
{"learnings":[{"category":"solution","title":"ISO stamps ending in Z need replacing under Python 3.10","description":"datetime.fromisoformat reads a trailing Z only from Python 3.11 on; replace it by +00:00 before parsing.","context":"parsing stamps of the export","examples":["text.replace(\\"Z\\", \\"+00:00\\")"],"tags":["python 3.10","fromisoformat"],"confidence":0.9,"relation":{"kind":"new","known":""},"evidence":[{"row":"R2","quote":"Invalid isoformat string"}]},{"category":"best_practice","title":"Date fixes are tested with real lines of the export","description":"The user wants a test with a real export line for every date fix, not a made-up one.","context":"tests","examples":[],"tags":["tests","dates"],"confidence":0.9,"relation":{"kind":"refines","known":"K2"},"evidence":[{"row":"R7","quote":"every date fix gets a test with a real line of the export"}]}]}`;
