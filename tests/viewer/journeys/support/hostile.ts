export const SCRIPT_ADDRESS = 'javascript:globalThis.hit=1';

/** Captured texts that run or hide as markup: elements, handlers, escaped tags, characters that turn the direction, addresses of scripts. What runs sets `hit`. */
export const HOSTILE_TEXTS = [
  '<img src=x data-hostile onerror="globalThis.hit=1">',
  '<svg data-hostile onload="globalThis.hit=1"><script>globalThis.hit=1</script></svg>',
  '<mark data-hostile>&lt;b&gt;</mark>',
  'admin\u202Egnp.exe\u0007',
  SCRIPT_ADDRESS,
] as const;

/** All of them in one text. */
export const HOSTILE = HOSTILE_TEXTS.join(' ');
