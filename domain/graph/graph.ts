export const ENTITY_TYPES = ['concept', 'tool', 'error', 'solution', 'project', 'file'] as const;
export type EntityType = (typeof ENTITY_TYPES)[number];

export const RELATION_TYPES = ['uses', 'solves', 'causes', 'related_to', 'part_of'] as const;
export type RelationType = (typeof RELATION_TYPES)[number];

export const MENTION_SOURCES = ['prompt', 'observation', 'summary', 'learning'] as const;

/** A place that names an entity: a row, a summary or a learning of the session. */
export interface Mention {
  readonly sourceType: (typeof MENTION_SOURCES)[number];
  readonly sourceId: string;
  /** Verbatim from a row of the session; null if the source itself is the proof (a tool's input). */
  readonly quote: string | null;
  /** Milliseconds since 1970. */
  readonly occurredAtMs: number;
}

export interface EntityDraft {
  readonly type: EntityType;
  /** Case-folded: identifies an entity within its type. */
  readonly name: string;
  readonly label: string;
  readonly mentions: readonly Mention[];
}

/** Ends are indexes into the list of entities. */
export interface RelationDraft {
  readonly type: RelationType;
  readonly from: number;
  readonly to: number;
  readonly evidence: readonly Mention[];
}

/** A session's part of the graph. */
export interface SessionGraph {
  readonly entities: readonly EntityDraft[];
  readonly relations: readonly RelationDraft[];
}

export const MAX_NAME_CHARACTERS = 200;
const MAX_QUOTE_CHARACTERS = 300;
/** Per session: beyond that, further names add no knowledge. */
const MAX_ENTITIES: Readonly<Record<EntityType, number>> = {
  concept: 25,
  tool: 25,
  error: 20,
  solution: 20,
  project: 1,
  file: 60,
};
const MAX_MENTIONS = 8;
const MAX_RELATIONS = 300;
const MAX_EVIDENCE = 5;

interface Growing<Draft> {
  readonly draft: Draft;
  readonly mentions: Map<string, Mention>;
}

/** Collects a session's part of the graph within its bounds. Deterministic. */
export interface GraphBuilder {
  /** Returns the index of the entity; null if its name is empty or the bound of its type is reached. */
  mention(type: EntityType, label: string, mention: Mention): number | null;
  relate(type: RelationType, from: number | null, to: number | null, mention: Mention): void;
  build(): SessionGraph;
}

/** Returns the identifying name of an entity: NFKC, lower case, single blanks, at most 200 characters. */
export function entityName(label: string): string {
  return shortened(label.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim(), MAX_NAME_CHARACTERS);
}

function shortened(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = /[\uD800-\uDBFF]/u.test(text.charAt(characters - 1)) ? characters - 1 : characters;
  return text.slice(0, end);
}

export function createGraphBuilder(): GraphBuilder {
  const places = new Map<string, number>();
  const entities: Growing<Omit<EntityDraft, 'mentions'>>[] = [];
  const relations = new Map<string, Growing<Omit<RelationDraft, 'evidence'>>>();
  const counts = new Map<EntityType, number>();
  const addTo = (mentions: Map<string, Mention>, mention: Mention, most: number) => {
    if (mentions.size >= most || mentions.has(mention.sourceId)) return;
    const quote = mention.quote === null ? null : shortened(mention.quote, MAX_QUOTE_CHARACTERS);
    mentions.set(mention.sourceId, { ...mention, quote });
  };
  return {
    mention(type, label, mention) {
      const name = entityName(label);
      if (name === '') return null;
      const key = `${type} ${name}`;
      let place = places.get(key);
      if (place === undefined) {
        const count = counts.get(type) ?? 0;
        if (count >= MAX_ENTITIES[type]) return null;
        counts.set(type, count + 1);
        place = entities.length;
        places.set(key, place);
        const draft = { type, name, label: shortened(label.replaceAll(/\s+/gu, ' ').trim(), MAX_NAME_CHARACTERS) };
        entities.push({ draft, mentions: new Map() });
      }
      const entity = entities[place];
      if (entity !== undefined) addTo(entity.mentions, mention, MAX_MENTIONS);
      return place;
    },
    relate(type, from, to, mention) {
      if (from === null || to === null || from === to) return;
      // Co-mention has no direction: one relation, from the entity whose name sorts first.
      const swapped = type === 'related_to' && nameAt(to) < nameAt(from);
      const ends = swapped ? { from: to, to: from } : { from, to };
      const key = `${type} ${ends.from} ${ends.to}`;
      let relation = relations.get(key);
      if (relation === undefined) {
        if (relations.size >= MAX_RELATIONS) return;
        relation = { draft: { type, ...ends }, mentions: new Map() };
        relations.set(key, relation);
      }
      addTo(relation.mentions, mention, MAX_EVIDENCE);
    },
    build: () => ({
      entities: entities.map(({ draft, mentions }) => ({ ...draft, mentions: [...mentions.values()] })),
      relations: [...relations.values()].map(({ draft, mentions }) => ({ ...draft, evidence: [...mentions.values()] })),
    }),
  };

  function nameAt(place: number): string {
    const draft = entities[place]?.draft;
    return draft === undefined ? '' : `${draft.type} ${draft.name}`;
  }
}
