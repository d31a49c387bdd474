/** Names of tags by which hosts, prompts and models mark speakers, tool calls and host messages. */
export const HARNESS_TAGS: readonly string[] = `
  system-prompt system-message system-instruction system-instructions developer-message
  session-start-hook post-tool-use-hook pre-tool-use-hook stop-hook hook-output
  command-name command-message command-args command-contents local-command-stdout local-command-stderr
  bash-input bash-stdout bash-stderr ide-selection task-notification environment-details
  user-query user-instructions user-message user-prompt custom-instructions
  function-call function-calls function-result function-results function-response
  tool-call tool-calls tool-use tool-result tool-results tool-response tool-outputs tool-use-error
  start-of-turn end-of-turn start-of-text end-of-text`
  .trim()
  .split(/\s+/u);

/** Single-word tag names, which programs also use. */
export const HARNESS_WORDS: readonly string[] = `
  system developer user human assistant tool tools function instruction instructions
  invoke parameter parameters arguments thinking think sys inst bos eos`
  .trim()
  .split(/\s+/u);
