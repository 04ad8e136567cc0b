/**
 * Standard Schema values (zod among them): recognised, converted to JSON Schema and validated through the `~standard` contract,
 * so that no schema library is loaded for it.
 */
import { isRecord, joinPath, type JsonSchemaRecord } from './jsonSchema.ts';
import type { StandardIssue, StandardResult, StandardSchemaWithJSON, ZodObjectLike } from './schemaTypes.ts';
import { SchemaProblem } from './strictSchema.ts';

export type ParseResult<T = unknown> = { ok: true; value: T } | { ok: false; message: string };

/** Has the `~standard` mark, complete or not. */
export function hasStandardSchemaMark(value: unknown): value is { '~standard': unknown } {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value;
}

/** A Standard Schema that can both validate and describe itself as JSON Schema. */
export function isStandardSchemaWithJSON(value: unknown): value is StandardSchemaWithJSON<any, any> {
  const standard = hasStandardSchemaMark(value) ? value['~standard'] : undefined;
  if (!isRecord(standard) || standard.version !== 1 || typeof standard.validate !== 'function') return false;
  const conversion = standard.jsonSchema;
  return isRecord(conversion) && typeof conversion.input === 'function' && typeof conversion.output === 'function';
}

export function isZodSchema(value: unknown): boolean {
  return isStandardSchemaWithJSON(value) && value['~standard'].vendor === 'zod';
}

export function isZodObject(value: unknown): value is ZodObjectLike {
  return isZodSchema(value) && isRecord((value as { shape?: unknown }).shape);
}

/**
 * The JSON schema of what the schema accepts as input, in the form that strict mode starts from: forms that only restate what
 * validation checks anyway (`oneOf`, `propertyNames`, `additionalItems`) are loosened.
 * @throws SchemaProblem naming the part that JSON Schema cannot express.
 */
export function describeStandardSchema(schema: StandardSchemaWithJSON<any, any>): { jsonSchema: JsonSchemaRecord; isLossless: boolean } {
  const described = jsonSchemaOf(schema);
  if (described.type !== 'object') throw new SchemaProblem('', 'must describe an object; wrap it in an object schema');
  const loosened = { count: 0 };
  return { jsonSchema: loosen(described, loosened) as JsonSchemaRecord, isLossless: loosened.count === 0 };
}

/**
 * The JSON schema of what the schema accepts as input, of any type.
 * @throws SchemaProblem naming the part that JSON Schema cannot express.
 */
export function jsonSchemaOf(schema: StandardSchemaWithJSON<any, any>): JsonSchemaRecord {
  // zod describes tuples in draft 7 as OpenAI's strict mode wants them; other libraries are only sure to know the newest draft.
  const target = isZodSchema(schema) ? 'draft-07' : 'draft-2020-12';
  try {
    return schema['~standard'].jsonSchema.input({ target });
  } catch (error) {
    throw locateProblem(schema, target, '') ?? new SchemaProblem('', error instanceof Error ? error.message : String(error));
  }
}

/** Validates now; `'asynchronous'` when the schema can only say later. A check that throws has rejected the value. */
export function validateStandardSchema(schema: StandardSchemaWithJSON<any, any>, value: unknown): ParseResult | 'asynchronous' {
  let result: StandardResult<unknown> | Promise<StandardResult<unknown>>;
  try {
    result = isZodSchema(schema) ? validateZod(schema, value) : schema['~standard'].validate(value);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  if (isThenable(result)) {
    // Nobody waits for it; without this its failure would end the process.
    Promise.resolve(result).catch(() => undefined);
    return 'asynchronous';
  }
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, message: result.issues.map(formatIssue).join('; ') };
}

/** zod's `~standard.validate` tries again asynchronously when a check throws, and so hides which of the two it was. */
function validateZod(schema: StandardSchemaWithJSON<any, any>, value: unknown): StandardResult<unknown> | Promise<never> {
  type Parsed = { success: true; data: unknown } | { success: false; error: { issues: StandardIssue[] } };
  const zod = schema as unknown as { safeParse(value: unknown): Parsed }; // Every zod schema has it.
  try {
    const parsed = zod.safeParse(value);
    return parsed.success ? { value: parsed.data } : { issues: parsed.error.issues };
  } catch (error) {
    if (error instanceof Error && /^Encountered Promise during synchronous parse/.test(error.message)) return Promise.reject(error);
    throw error;
  }
}

function formatIssue(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const place = path.reduce<string>((joined, key) => joinPath(joined, typeof key === 'number' ? key : String(key)), '');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Libraries say what cannot be expressed, but not where; the parts are tried one by one. */
function locateProblem(schema: unknown, target: string, path: string): SchemaProblem | undefined {
  if (!isStandardSchemaWithJSON(schema)) return undefined;
  try {
    schema['~standard'].jsonSchema.input({ target });
    return undefined;
  } catch (error) {
    for (const [key, part] of partsOf(schema)) {
      const deeper = locateProblem(part, target, key === '[]' ? `${path}[]` : joinPath(path, key));
      if (deeper !== undefined) return deeper;
    }
    return new SchemaProblem(path, error instanceof Error ? error.message : String(error));
  }
}

function partsOf(schema: unknown): [string, unknown][] {
  const { shape, element, _zod } = schema as { shape?: unknown; element?: unknown; _zod?: { def?: { innerType?: unknown } } };
  if (isRecord(shape)) return Object.entries(shape);
  if (element !== undefined) return [['[]', element]];
  const inner = _zod?.def?.innerType;
  return inner === undefined ? [] : partsOf(inner);
}

function loosen(node: unknown, loosened: { count: number }): unknown {
  if (Array.isArray(node)) return node.map((entry) => loosen(entry, loosened));
  if (!isRecord(node)) return node;
  const { oneOf, propertyNames, additionalItems, ...rest } = node;
  if (oneOf !== undefined || propertyNames !== undefined || additionalItems !== undefined) loosened.count += 1;
  if (isRecord(rest.additionalProperties)) loosened.count += 1;
  const result: JsonSchemaRecord = {};
  for (const [key, value] of Object.entries(rest)) {
    if (LITERALS.has(key)) result[key] = value;
    else result[key] = NAMED_SCHEMAS.has(key) && isRecord(value) ? loosenEach(value, loosened) : loosen(value, loosened);
  }
  if (oneOf !== undefined) result.anyOf = loosen(oneOf, loosened);
  return result;
}

/** Keys here are names that the user chose; a property may well be called `oneOf`. */
function loosenEach(schemas: Record<string, unknown>, loosened: { count: number }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, loosen(schema, loosened)]));
}

const LITERALS = new Set(['const', 'enum', 'default', 'examples']);
const NAMED_SCHEMAS = new Set(['properties', '$defs', 'definitions', 'patternProperties']);
