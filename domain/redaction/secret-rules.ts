import { CLOUD_RULES } from './kinds/cloud.ts';
import { CODE_RULES } from './kinds/code-hosting.ts';
import { GENERAL_RULES } from './kinds/general.ts';
import { MODEL_RULES } from './kinds/models.ts';
import { OPERATIONS_RULES } from './kinds/operations.ts';
import { SERVICE_RULES } from './kinds/services.ts';
import type { SecretRule } from './rule.ts';

/** All rules in order: issuers' formats first, general rules last. */
export const SECRET_RULES: readonly SecretRule[] = [
  ...OPERATIONS_RULES,
  ...CLOUD_RULES,
  ...CODE_RULES,
  ...MODEL_RULES,
  ...SERVICE_RULES,
  ...GENERAL_RULES,
];
