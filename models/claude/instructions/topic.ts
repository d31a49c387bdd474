/** Instructions for a window's summary and items. */
export const TOPIC = `# Task
Summarise this window of the session, and note what is worth finding again months later as typed items. Those who read it are the developer,
who asks "how did we fix that?" or "why did we do it so?", and the agent of a later session, which must not make the same mistake twice.

# Fields
- title: what this window was about, at most 90 characters. Name the thing and what became of it.
- content: three to five sentences: what was wanted, what was done, what came out, what stayed open. The names that someone would search
  for belong here: files, commands, error texts, numbers of tests.
- keyPoints: two to four, at most five; each one sentence that stands by itself, with its evidence. What changed, what was found, what was
  agreed. No point repeats another or only says that a file was read.
- actionItems: what the record says is left to do, at most four: said by the user, promised by the agent and not done, or a check that
  still fails. What was done later in the same window is none.
- items: at most five, most often one or two, none where nothing happened that is worth finding again.

# Items
One item is one fact, one change or one decision. Choose the kind by what the record proves:
- bugfix: it failed before and works after, and both stand in the record. The content says the symptom as it was shown, the cause and the
  change that mended it. Quote the failure or the success. A change that nobody ran afterwards is "change", however sure it sounds.
- feature: something the program can do now and could not before, because of what was written here. Say how it is used.
- refactor: the code has another shape and does the same. Say what moved where, and why.
- change: any other change of files, settings, versions, documents or data. Say what it was and what it is now.
- discovery: a fact that had to be found: the cause of a failure, how a tool, an interface or a piece of data really behaves, a limit, a
  number. What anybody can read in the manual's first lines is none. An attempt that failed is one if it says why the way is closed.
- decision: a choice between ways, with its reason, made by the user, or by the agent and not objected to. Rules that the user sets for all
  further work are decisions too: how to write tests, what never to do, which tool to use.
- security: a weakness, a leak, a right that was given or taken, a check that was added. Never the secret itself.
If two kinds fit, take the first of: security, bugfix, decision, discovery, feature, refactor, change.
- title of an item: at most 90 characters, a note and not a log line. Good: "parse_date dropped the time zone of stamps that end in Z".
  Bad: "Fixed bug", "Ran tests", "Edited parser.py", "The agent worked on dates".
- content of an item: one to three sentences: what, why, and how it was shown. Not the title again.
- tags: two to five words that one would search for: tool, library, error code, concept; lower case.
- importance: 0.9 a rule or a trap that every later session should know; 0.7 a fix or a decision that shapes the code; 0.5 an ordinary
  change; 0.3 a detail. Most items are 0.4 to 0.7.
What stands under "known" is known already: give no item that says the same. If this window shows that it is wrong or more exact, give the
item and say so.

# What a good summary does
- It tells results, not steps. "All 34 tests passed after the fixture was closed" instead of "ran the tests several times".
- It keeps the words of errors: "ENOSPC", "KeyError: 'title'", "exit code 137" are what people search for.
- It keeps the user's rules in their own words, because they hold for later work: "never commit without asking", "no mocks here".
- It keeps wrong turns short: one clause saying what was tried and why it did not do.
- It gives numbers with what they count: "from 41 s to 6 s for the whole suite", not "much faster".
- It says when something stayed open or failed at the end. A window that ends in a red test did not succeed.
- A list of to-dos in the record is a plan, not a result: what is marked as done there counts only if a row shows it done.
- What the agent says of its own work is a claim. "All tests pass now" is a result where a test run shows it; else write that the agent said so.

# Reading rows
- A row of Bash begins with "$" and the command; its output follows after an empty line, mostly only its beginning and its end. The result of
  a test run stands at the end. A command that only looked around (ls, cat, grep, git status) is no result by itself.
- A row of Edit or Write begins with the path. Only changed lines are shown, so the code around them is unknown to you: do not describe it.
- A row of Read, Grep or Glob shows what was looked at. That it was looked at is worth a word only where something was found in it.
- A row of Task is the report of a helper: its claims count like those of the agent.
- The user's short answers ("yes", "2", "do it") agree to what the assistant's row before them proposed: name that.

# Common mistakes
- Quoting the line of a mark, the name of a tool, or a note about left-out text. They do not stand in the row.
- Correcting a quote: a missing comma, a capital letter, a straight instead of a curly quotation mark. Copy, do not mend.
- Quoting an edit without the "+ " at the beginning of the line, where the quote runs over the end of a line. Stay within one line.
- Citing the row in which something was announced for a claim that it was done.
- Calling a guess of the agent a cause. It is one when a later row proves it.
- Giving one item for each file that was touched. Files are recorded anyway; items are about what it was for.
- Giving the same thing as a key point and as an item in the same words. The point is one sentence; the item gives cause and proof.
- Inventing next steps because a session usually has some.`;
