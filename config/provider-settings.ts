import { z } from 'zod';
import { MODEL_PROVIDERS, OUTSIDE_PROVIDERS } from '../domain/ports/model.ts';
import type { ModelProvider, OutsideProvider } from '../domain/ports/model.ts';

/** US dollars per million tokens: input, output, prompt cache write, prompt cache read. */
export interface Prices {
  readonly inputUsdPerMTok: number;
  readonly outputUsdPerMTok: number;
  readonly cacheWriteUsdPerMTok: number;
  readonly cacheReadUsdPerMTok: number;
}

export const prices = z.string().regex(/^\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?){3}\s*$/u, {
  error: 'must be four prices separated by commas: input, output, cache write, cache read',
});

/** Parses a text validated by {@link prices}. */
export function readPrices(text: string): Prices {
  const [input = 0, output = 0, write = 0, read = 0] = text.split(',').map(Number);
  return { inputUsdPerMTok: input, outputUsdPerMTok: output, cacheWriteUsdPerMTok: write, cacheReadUsdPerMTok: read };
}

/** Address of a provider, to which paths are added, and which is no secret. */
export const providerUrl = z
  .url({ protocol: /^https?$/u })
  .max(2_000)
  .refine(
    (text) => {
      const url = URL.parse(text);
      return url === null || (url.username + url.password === '' && !/[?#]/u.test(text));
    },
    { error: 'must have no user, password, query or fragment: the key of the provider is a setting of its own' },
  );

/** Providers in the order in which they are used, each at most once. */
const providers = z
  .string()
  .max(100)
  .refine((text) => namesOf(text).every((name) => MODEL_PROVIDERS.some((known) => known === name)), {
    error: `must be of ${MODEL_PROVIDERS.join(', ')}, separated by commas`,
  })
  .refine((text) => new Set(namesOf(text)).size === namesOf(text).length, { error: 'must not name a provider twice' });

function namesOf(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

/** Returns the providers of a text validated by {@link providers}. */
function readProviders(text: string): readonly ModelProvider[] {
  return namesOf(text).flatMap((name) => MODEL_PROVIDERS.filter((known) => known === name));
}

/** `provider=tokens`, separated by commas; the local model has no budget. */
const providerTokens = z
  .string()
  .max(200)
  .refine((text) => readShares(text) !== null, {
    error: `must be provider=tokens separated by commas, each of ${OUTSIDE_PROVIDERS.join(', ')} with at most 1000000000`,
  });

const MAX_TOKENS = 1e9;

/** Returns the tokens by provider; null for a text of another form. */
function readShares(text: string): Readonly<Partial<Record<OutsideProvider, number>>> | null {
  const shares: Partial<Record<OutsideProvider, number>> = {};
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, digits] = /^\s*([a-z-]+)\s*=\s*(\d{1,10})\s*$/u.exec(part) ?? [];
    const provider = OUTSIDE_PROVIDERS.find((known) => known === name);
    if (provider === undefined || shares[provider] !== undefined || Number(digits) > MAX_TOKENS) return null;
    shares[provider] = Number(digits);
  }
  return shares;
}

/** Settings of the order of providers, and of those other than Anthropic. */
export const providerEnvironment = {
  RECOLLECT_MODEL_PROVIDER: providers
    .default('local')
    .describe(
      'Model providers for summaries and learnings, of `local`, `anthropic`, `openai` and `claude-cli`: one, or several in order separated by commas; the next one is used if one fails or its budget is exceeded; see docs/models.md',
    ),
  RECOLLECT_SMALL_MODEL_PROVIDER: providers
    .optional()
    .describe('The same for windows of the small model; unset: as for all requests'),
  RECOLLECT_MODEL_PROVIDER_TOKENS: providerTokens
    .default('')
    .describe(
      'Maximum tokens per user and UTC day at single providers, such as `anthropic=200000,openai=1000000`; unset: the daily tokens of the user alone',
    ),
  RECOLLECT_OPENAI_BASE_URL: providerUrl
    .optional()
    .describe(
      'Address of a server with `POST /chat/completions`, mostly ending in `/v1`; required for the provider `openai`',
    ),
  RECOLLECT_OPENAI_API_KEY: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('API key of that server; optional for your own'),
  RECOLLECT_OPENAI_SMALL_MODEL: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Its model for short windows without failures; unset: the large one'),
  RECOLLECT_OPENAI_LARGE_MODEL: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Its model for everything else; required for the provider `openai`'),
  RECOLLECT_OPENAI_SMALL_MODEL_PRICES: prices
    .default('0,0,0,0')
    .describe('Prices of its small model, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_OPENAI_LARGE_MODEL_PRICES: prices
    .default('0,0,0,0')
    .describe('Prices of its large model, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_OPENAI_LIMIT_FIELD: z
    .enum(['max_tokens', 'max_completion_tokens'])
    .default('max_tokens')
    .describe('Field of the maximum output tokens; newer models of OpenAI need `max_completion_tokens`'),
  RECOLLECT_OPENAI_TEMPERATURE: z
    .string()
    .regex(/^(?:unset|[01](?:\.\d{1,3})?|2)$/u, { error: 'must be a number from 0 to 2, or unset' })
    .default('0')
    .describe('Temperature, 0–2; `unset` for models that reject the field'),
  RECOLLECT_CLAUDE_CLI_COMMAND: z
    .string()
    .min(1)
    .max(1_000)
    .default('claude')
    .describe('Program of the provider `claude-cli`: your own Claude Code, which must be logged in'),
};

const environment = z.object(providerEnvironment);

/** Returns the part of the configuration of these settings. */
export function providerConfig(env: z.output<typeof environment>) {
  const large = env.RECOLLECT_OPENAI_LARGE_MODEL;
  const order = readProviders(env.RECOLLECT_MODEL_PROVIDER);
  return {
    /** Providers in order, by size of the model. */
    providers: {
      large: order,
      small:
        env.RECOLLECT_SMALL_MODEL_PROVIDER === undefined ? order : readProviders(env.RECOLLECT_SMALL_MODEL_PROVIDER),
    },
    /** Tokens of a user and UTC day at single providers. */
    providerTokens: readShares(env.RECOLLECT_MODEL_PROVIDER_TOKENS) ?? {},
    openai: {
      baseUrl: env.RECOLLECT_OPENAI_BASE_URL,
      apiKey: env.RECOLLECT_OPENAI_API_KEY,
      small: env.RECOLLECT_OPENAI_SMALL_MODEL ?? large,
      large,
      smallPrices: readPrices(
        env.RECOLLECT_OPENAI_SMALL_MODEL === undefined
          ? env.RECOLLECT_OPENAI_LARGE_MODEL_PRICES
          : env.RECOLLECT_OPENAI_SMALL_MODEL_PRICES,
      ),
      largePrices: readPrices(env.RECOLLECT_OPENAI_LARGE_MODEL_PRICES),
      limitField: env.RECOLLECT_OPENAI_LIMIT_FIELD,
      temperature: env.RECOLLECT_OPENAI_TEMPERATURE === 'unset' ? null : Number(env.RECOLLECT_OPENAI_TEMPERATURE),
    },
    claudeCli: { command: env.RECOLLECT_CLAUDE_CLI_COMMAND },
  };
}

type ProviderConfig = ReturnType<typeof providerConfig>;

/** Returns true if a provider is named for any request. */
export function usesProvider({ providers: { small, large } }: Pick<ProviderConfig, 'providers'>, name: ModelProvider) {
  return small.includes(name) || large.includes(name);
}

/** Returns true if a provider beyond this process is named for any request. */
export function usesOutside(config: Pick<ProviderConfig, 'providers'>): boolean {
  return OUTSIDE_PROVIDERS.some((name) => usesProvider(config, name));
}
