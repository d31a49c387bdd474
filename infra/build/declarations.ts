import { z } from 'zod';

/** The parts of JSON Schema that zod's schemas of the HTTP API use. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Shape of a request body, of an answer, or of a query, whose parameters are all optional. */
export type ShapeKind = 'Answer' | 'Body' | 'Query';

const NAME = /^[A-Za-z_$][\w$]*$/;

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'` : JSON.stringify(value);
}

function comment(schema: JsonSchema, indent: string): string {
  return schema.description === undefined ? '' : `${indent}/** ${schema.description.replaceAll('*/', '* /')} */\n`;
}

/** Writes schemas of the HTTP API as types. `declared` are components with a type of the same name. */
export class TypeWriter {
  readonly #definitions: Readonly<Record<string, JsonSchema>>;
  readonly #declared: ReadonlySet<string>;

  constructor(definitions: Readonly<Record<string, JsonSchema>>, declared: ReadonlySet<string>) {
    this.#definitions = definitions;
    this.#declared = declared;
  }

  fields({ properties = {}, required = [] }: JsonSchema, indent: string, allOptional: boolean): string {
    const inner = `${indent}  `;
    const lines = Object.entries(properties).map(([name, value]) => {
      const schema = typeof value === 'boolean' ? {} : value;
      const key = NAME.test(name) ? name : literal(name);
      const isRequired = !allOptional && required.includes(name);
      const type = this.type(schema, inner);
      return `${comment(schema, inner)}${inner}readonly ${key}${isRequired ? `: ${type}` : `?: ${type} | undefined`};\n`;
    });
    return `{\n${lines.join('')}${indent}}`;
  }

  type(given: JsonSchema | boolean, indent: string): string {
    if (typeof given === 'boolean') return 'unknown';
    const { $ref, type, items, additionalProperties } = given;
    if ($ref !== undefined) return this.#reference($ref.slice($ref.lastIndexOf('/') + 1), indent);
    if (given.const !== undefined) return literal(given.const);
    if (given.enum !== undefined) return given.enum.map(literal).join(' | ');
    if (type === 'object' && given.properties !== undefined) return this.fields(given, indent, false);
    if (type === 'object') return `{ readonly [name: string]: ${this.type(additionalProperties ?? true, indent)} }`;
    if (type === 'array') {
      const item = this.type(Array.isArray(items) ? true : (items ?? true), indent);
      return / [|] /.test(item) ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    if (type !== undefined) return [type].flat().join(' | ').replace('integer', 'number');
    const members = given.anyOf ?? given.oneOf;
    return members === undefined
      ? 'unknown'
      : [...new Set(members.map((member) => this.type(member, indent)))].join(' | ');
  }

  #reference(name: string, indent: string): string {
    const definition = this.#definitions[name];
    return this.#declared.has(name) || definition === undefined ? name : this.type(definition, indent);
  }
}

/** Returns the exported type of a schema, without a dependency. `declared` are names of other exported types. */
export function declarationOf(name: string, kind: ShapeKind, schema: z.ZodType, declared: ReadonlySet<string>): string {
  const io = kind === 'Body' ? 'input' : 'output';
  const complete = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const others = new Set([...declared].filter((other) => other !== name));
  const writer = new TypeWriter(complete.$defs ?? {}, others);
  const own =
    complete.$ref === undefined ? complete : (complete.$defs?.[complete.$ref.slice('#/$defs/'.length)] ?? complete);
  const head = comment(own, '');
  return own.properties === undefined
    ? `${head}export type ${name} = ${writer.type(own, '')};\n`
    : `${head}export interface ${name} ${writer.fields(own, '', kind === 'Query')}\n`;
}
