import { isMixed, isRandom } from '../rule.ts';
import type { SecretRule } from '../rule.ts';

/** Keys of language model providers and related services. */
export const MODEL_RULES: readonly SecretRule[] = [
  { kind: 'anthropic-key', hints: ['|sk-ant-'], pattern: /\bsk-ant-[A-Za-z0-9_-]{20,200}/g },
  { kind: 'openrouter-key', hints: ['|sk-or-v'], pattern: /\bsk-or-v\d-[a-f0-9]{64}\b/g },
  { kind: 'langfuse-key', hints: ['|sk-lf-'], pattern: /\bsk-lf-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\b/g },
  {
    kind: 'openai-key',
    hints: ['|sk-'],
    pattern: /\bsk-(?!ant-|or-v|lf-)(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{32,200}/g,
    accepts: isMixed,
  },
  { kind: 'hugging-face-token', hints: ['|hf_', '|api_org_'], pattern: /\b(?:hf|api_org)_[A-Za-z]{34,37}\b/g },
  { kind: 'groq-key', hints: ['|gsk_'], pattern: /\bgsk_[A-Za-z0-9]{52}\b/g },
  { kind: 'xai-key', hints: ['|xai-'], pattern: /\bxai-[A-Za-z0-9]{70,90}\b/g },
  { kind: 'perplexity-key', hints: ['|pplx-'], pattern: /\bpplx-[A-Za-z0-9]{40,60}\b/g },
  { kind: 'replicate-token', hints: ['|r8_'], pattern: /\br8_[A-Za-z0-9]{37}\b/g },
  { kind: 'together-key', hints: ['|tgp_v1_'], pattern: /\btgp_v1_[A-Za-z0-9_-]{40,60}/g },
  { kind: 'fireworks-key', hints: ['|fw_'], pattern: /\bfw_[A-Za-z0-9]{22,40}\b/g, accepts: isMixed },
  { kind: 'cerebras-key', hints: ['|csk-'], pattern: /\bcsk-[a-z0-9]{40,60}\b/g, accepts: isMixed },
  { kind: 'nvidia-key', hints: ['|nvapi-'], pattern: /\bnvapi-[A-Za-z0-9_-]{60,80}/g },
  { kind: 'voyage-key', hints: ['|pa-'], pattern: /\bpa-[A-Za-z0-9_-]{43}(?![\w-])/g, accepts: isMixed },
  { kind: 'pinecone-key', hints: ['|pcsk_'], pattern: /\bpcsk_[A-Za-z0-9_]{40,90}\b/g },
  { kind: 'tavily-key', hints: ['|tvly-'], pattern: /\btvly-(?:dev-|prod-)?[A-Za-z0-9-]{28,40}/g },
  { kind: 'langsmith-key', hints: ['|lsv2_'], pattern: /\blsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}\b/g },
  { kind: 'elevenlabs-key', hints: ['|sk_'], pattern: /\bsk_[a-f0-9]{48}\b/g },
  {
    kind: 'model-provider-key',
    hints: ['cohere', '|co_api_key', 'mistral', 'deepseek', 'wandb', 'ai21', 'assemblyai', 'deepgram'],
    pattern:
      /(?:cohere|\bco_api|mistral|deepseek|wandb|ai21|assemblyai|deepgram)[\w -]{0,20}(?:key|token)\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[A-Za-z0-9]{32,40})\b/gi,
    accepts: isRandom,
  },
];
