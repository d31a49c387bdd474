import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const ROOT = path.resolve(import.meta.dirname, '../../../..');

/** What an image gives to its containers. */
export interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const NONE: Image = { entrypoint: [], command: [], environment: {} };
const words = z.array(z.string());
/** Of the images of Recollect, as the Compose file and the chart name them. */
const OWN = /(?:^|\/)(api|worker|cli|model):[^/]+$/;

/** Returns the stages of the Containerfile by name, each with what it has from the stage that it begins with. */
function stages(): ReadonlyMap<string, Image> {
  const found = new Map<string, Image>();
  const text = readFileSync(path.join(ROOT, 'deploy/Containerfile'), 'utf8').replaceAll('\\\n', ' ');
  for (const [, from = '', name = '', body = ''] of text.matchAll(/^FROM (\S+) AS (\S+)\n((?:(?!^FROM ).*\n?)*)/gm)) {
    const base = found.get(from) ?? NONE;
    const list = (keyword: string) => {
      const json = new RegExp(`^${keyword} (\\[.*)$`, 'm').exec(body)?.[1];
      return json === undefined ? undefined : words.parse(JSON.parse(json));
    };
    const variables = [...body.matchAll(/^ENV (.*)$/gm)].flatMap(([, pairs = '']) =>
      [...pairs.matchAll(/(\w+)=(\S+)/g)].map(([, variable = '', value = '']) => [variable, value] as const),
    );
    found.set(name, {
      entrypoint: list('ENTRYPOINT') ?? base.entrypoint,
      command: list('CMD') ?? base.command,
      environment: { ...base.environment, ...Object.fromEntries(variables) },
    });
  }
  return found;
}

/** Returns what an image gives to its containers; for images of other projects nothing. `PATH` is that of this machine. */
export function imageOf(name: string): Image {
  const target = OWN.exec(name)?.[1];
  if (target === undefined) return NONE;
  const image = stages().get(target);
  if (image === undefined) throw new Error(`the Containerfile has no target ${target}`);
  const { PATH: _ofImage, ...environment } = image.environment;
  return { ...image, environment };
}

/** Returns the source file of a file in the images of Recollect. */
export function sourceOf(word: string): string {
  return word.replace(/^\/opt\/recollect\/(.*)\.js$/, (_all, module: string) => path.join(ROOT, `${module}.ts`));
}
