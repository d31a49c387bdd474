import { textsOf } from '../../texts/texts.ts';

/** Texts of what admins do for a user who leaves, or who lost the second factors. */
export const transferTexts = textsOf(
  {
    transfer: 'Transfer the learnings',
    titleOf: (name: string) => `Transfer the learnings of ${name}`,
    hint: 'Another user becomes the owner of the shared learnings. Private ones, sessions and their rows remain with the user.',
    to: 'New owner',
    toHint: 'Name or id of an active user who is no viewer',
    count: 'Count them first',
    moves: 'This moves to',
    kinds: {
      extracted: 'Current learnings of sessions',
      by_hand: 'Current learnings by hand',
      closed: 'Closed versions',
      erased_with_user: 'Of the current ones: deleted when the former owner is erased',
    },
    transferred: (count: string, name: string) => `${count} current learnings belong to ${name} now`,
    resetFactors: 'Reset the second factors',
    resetFactorsHint:
      'For a user who lost them: the authenticator, the recovery codes and all passkeys are removed, and all sign-ins of the user end.',
    factorsReset: 'The second factors were removed',
    hadNoFactors: 'The user had no second factor; all sign-ins have ended',
  },
  {
    transfer: '转移经验',
    titleOf: (name) => `转移 ${name} 的经验`,
    hint: '另一用户将成为共享经验的所有者。私有经验、会话及其内容仍属于原用户。',
    to: '新所有者',
    toHint: '启用的用户的名称或 ID,且不是查看者',
    count: '先计数',
    moves: '将转移给',
    kinds: {
      extracted: '来自会话的当前经验',
      by_hand: '手动添加的当前经验',
      closed: '已关闭的版本',
      erased_with_user: '当前经验中,擦除原所有者时会被删除的',
    },
    transferred: (count, name) => `${count} 条当前经验现在属于 ${name}`,
    resetFactors: '重置第二因素',
    resetFactorsHint: '用于丢失第二因素的用户:会移除其身份验证器、恢复码和所有通行密钥,并结束其所有登录。',
    factorsReset: '第二因素已移除',
    hadNoFactors: '该用户没有第二因素;其所有登录已结束',
  },
);
