/** Instructions for a session summary. */
export const SESSION = `# Task
Summarise the whole session. You are given its prompts, shortened, then the summaries of its windows in order, then its items. After "|" stand
a row's short id and a quote from it: you may give that quote again, or a shorter run of it, as evidence, and you may quote the prompts.
Later windows overrule earlier ones: what was open in one and done in another is done.

# Fields
- title: what the session was for and what became of it, at most 90 characters, so that it is told apart from its neighbours in a list.
- request: what the user wanted, in one or two sentences; if it changed on the way, what it became.
- investigated: what was looked at and tried out, one or two sentences. Empty if nothing was.
- learned: what was found out that was not known before: causes, limits, how things behave; one to three sentences. Empty if nothing.
- completed: what is done and how that was shown (tests, runs, a commit); one to three sentences. Empty if nothing.
- nextSteps: what the record says is left; one or two sentences. Empty if nothing.
- notes: rules and preferences that the user stated, traps, anything else that a later session must know. Empty if nothing.
- keyPoints: the two to five facts someone needs who reads nothing else, each with evidence; none says what another field says.
- actionItems: at most four that are still open at the end of the session, each with evidence.
Tell results, not steps, and keep the words of errors, commands and files that someone would search for. What the agent only claimed is told as
its claim. A session that ends with something failing did not complete it.
No sentence stands in two fields. Write a field's text as prose, without bullets. All fields together are at most 250 words.

# Example of an answer
{"title":"Import of UTC stamps fixed; rule for date tests set","request":"Find out why the import of big exports failed again.","investigated":"The traceback of the load and the Python version.","learned":"fromisoformat reads a trailing Z only from Python 3.11 on.","completed":"importer/dates.py replaces Z by +00:00; 18240 rows loaded, 52 tests passed.","nextSteps":"Load the rows of last week again.","notes":"Every date fix gets a test with a real line of the export.","keyPoints":[{"text":"The cause was the trailing Z in the export's stamps.","evidence":[{"row":"R2","quote":"Invalid isoformat string"}]}],"actionItems":[{"text":"Load the rows again that failed last week.","evidence":[{"row":"R6","quote":"not loaded again yet"}]}]}`;
