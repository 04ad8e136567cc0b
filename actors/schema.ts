/**
 * The one place where a schema of any kind (zod, Standard Schema, plain JSON Schema, none) becomes what the loop needs: a JSON
 * schema for the model and a synchronous parser. Conversions are done once per schema.
 */
import type { SerializedOutputType } from './ports.ts';
import { UserError } from './errors.ts';
import { findViolation, isRecord, type JsonSchemaRecord } from './jsonSchema.ts';
import type { AgentOutputType, AnswerSchema, JsonObjectSchema, JsonSchemaDefinition, StandardSchemaWithJSON, ToolInputParameters } from './schemaTypes.ts';
import {
  describeStandardSchema, hasStandardSchemaMark, isStandardSchemaWithJSON, isZodSchema, jsonSchemaOf, validateStandardSchema,
  type ParseResult,
} from './standardSchema.ts';
import { SchemaProblem, acceptsNull, toStrictSchema, type StrictSchema } from './strictSchema.ts';

export { hasStandardSchemaMark, isStandardSchemaWithJSON, isZodObject, type ParseResult } from './standardSchema.ts';

export interface ResolvedSchema {
  jsonSchema: JsonObjectSchema<any>;
  strict: boolean;
  /**
   * Checks a JSON value and returns what the schema makes of it.
   * @throws UserError when the schema can only validate asynchronously.
   */
  parse(value: unknown): ParseResult;
}

export interface ResolvedOutput {
  /** What a request says about the answer's form. */
  serialized: SerializedOutputType;
  /** Whether the answer is text, taken as it is. */
  isText: boolean;
  parse(value: unknown): ParseResult;
}

export interface SchemaOptions {
  /** For error messages: whose schema it is, such as `tool 'pay'`. */
  owner: string;
  strict?: boolean;
}

const NO_PARAMETERS: JsonObjectSchema<any> = { type: 'object', properties: {}, required: [], additionalProperties: false };

/**
 * Resolves the schema of a tool's or handoff's arguments.
 * @throws UserError naming the owner and the place in the schema that cannot be used.
 */
export function resolveSchema(schema: ToolInputParameters, options: SchemaOptions): ResolvedSchema {
  const strict = options.strict ?? true;
  if (schema === undefined) return { jsonSchema: NO_PARAMETERS, strict, parse: (value) => ({ ok: true, value }) };
  if (isStandardSchemaWithJSON(schema)) {
    if (strict) return resolveStandardSchema(schema, options.owner);
    const kind = isZodSchema(schema) ? 'zod' : 'Standard Schema';
    throw new UserError(`The schema of ${options.owner} is a ${kind} schema, which needs strict mode. Remove \`strict: false\`, or pass a JSON schema.`);
  }
  if (hasStandardSchemaMark(schema)) throw unsupported(options.owner);
  if (!isRecord(schema)) throw new UserError(`The schema of ${options.owner} is neither a zod or Standard Schema, nor a JSON schema object.`);
  if (strict) return resolveJsonSchema(schema, options.owner);
  return { jsonSchema: asObjectSchema(schema), strict, parse: (value) => ({ ok: true, value }) };
}

/**
 * Resolves an agent's `outputType`.
 * @throws UserError naming the owner and the place in the schema that cannot be used.
 */
export function resolveOutputType(outputType: AgentOutputType<any>, owner: string): ResolvedOutput {
  if (outputType === 'text') return TEXT;
  if (isStandardSchemaWithJSON(outputType)) {
    const { serialized, restore } = explain(owner, () => outputFormOf(outputType));
    return { serialized, isText: false, parse: (value) => validate(outputType, restore(value), owner) };
  }
  if (hasStandardSchemaMark(outputType)) throw unsupported(owner);
  if (!isJsonSchemaDefinition(outputType)) {
    throw new UserError(`The output type of ${owner} is neither 'text', nor a zod or Standard Schema, nor {type: 'json_schema', …}.`);
  }
  return { serialized: outputType, isText: false, parse: (value) => checkJson(outputType.schema, value) };
}

export interface ResolvedAnswer { jsonSchema: JsonSchemaRecord; parse(value: unknown): ParseResult }

/**
 * Resolves the schema of an answer that a person gives: of any type.
 * @throws UserError naming the owner and the place in the schema that cannot be used.
 */
export function resolveAnswerSchema(schema: AnswerSchema, owner: string): ResolvedAnswer {
  if (isStandardSchemaWithJSON(schema)) {
    const { $schema: _dialect, ...jsonSchema } = explain(owner, () => jsonSchemaOf(schema));
    return { jsonSchema, parse: (value) => validate(schema, value, owner) };
  }
  if (hasStandardSchemaMark(schema)) throw unsupported(owner);
  if (!isRecord(schema)) throw new UserError(`The schema of ${owner} is neither a zod or Standard Schema, nor a JSON schema object.`);
  return { jsonSchema: schema, parse: (value) => checkJson(schema, value) };
}

const TEXT: ResolvedOutput = { serialized: 'text', isText: true, parse: (value) => ({ ok: true, value }) };

/** Conversions by schema: agents are cloned and schemas shared, and a schema does not change once it is made. */
const strictForms = new WeakMap<object, StrictSchema>();
const outputForms = new WeakMap<object, OutputForm>();
interface OutputForm { serialized: JsonSchemaDefinition; restore(value: unknown): unknown }

function strictFormOf(schema: StandardSchemaWithJSON<any, any>): StrictSchema {
  return remember(strictForms, schema, () => toStrictSchema(describeStandardSchema(schema).jsonSchema, { defaultsStand: isZodSchema(schema) }));
}

/**
 * A zod schema that strict mode cannot say as it stands is sent without it, because its users expect absent fields to be absent;
 * other libraries get strict mode with `null` for what is optional.
 */
function outputFormOf(schema: StandardSchemaWithJSON<any, any>): OutputForm {
  return remember(outputForms, schema, () => {
    const { jsonSchema, isLossless } = describeStandardSchema(schema);
    if (isZodSchema(schema) && (!isLossless || hasAbsentFields(jsonSchema, jsonSchema))) {
      return { serialized: toDefinition(false, closeObjects(jsonSchema) as JsonSchemaRecord), restore: (value) => value };
    }
    const strictForm = strictFormOf(schema);
    return { serialized: toDefinition(true, strictForm.schema), restore: strictForm.restore };
  });
}

function remember<T>(cache: WeakMap<object, T>, schema: object, make: () => T): T {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const made = make();
  cache.set(schema, made);
  return made;
}

function toDefinition(strict: boolean, schema: JsonSchemaRecord): JsonSchemaDefinition {
  return { type: 'json_schema', name: 'output', strict, schema: schema as JsonSchemaDefinition['schema'] };
}

function resolveStandardSchema(schema: StandardSchemaWithJSON<any, any>, owner: string): ResolvedSchema {
  const { schema: strictForm, restore } = explain(owner, () => strictFormOf(schema));
  return { jsonSchema: asObjectSchema(strictForm), strict: true, parse: (value) => validate(schema, restore(value), owner) };
}

function resolveJsonSchema(schema: JsonSchemaRecord, owner: string): ResolvedSchema {
  const converted = explain(owner, () => toStrictSchema(schema));
  const parse = (value: unknown): ParseResult => {
    const violation = findViolation(converted.schema, value, { allowExtraProperties: true });
    const restored = converted.restore(value);
    // A model without strict mode leaves optional properties out, as the schema that the user wrote allows.
    const fits = violation === undefined || findViolation(schema, restored, { allowExtraProperties: true }) === undefined;
    return fits ? { ok: true, value: restored } : { ok: false, message: violation };
  };
  return { jsonSchema: asObjectSchema(converted.schema), strict: true, parse };
}

function checkJson(schema: unknown, value: unknown): ParseResult {
  const violation = findViolation(schema, value);
  return violation === undefined ? { ok: true, value } : { ok: false, message: violation };
}

function validate(schema: StandardSchemaWithJSON<any, any>, value: unknown, owner: string): ParseResult {
  const result = validateStandardSchema(schema, value);
  if (result !== 'asynchronous') return result;
  throw new UserError(
    `The schema of ${owner} validates asynchronously, which is not supported here. Move the asynchronous check into the tool body or a guardrail.`,
  );
}

function explain<T>(owner: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const place = error.path === '' ? '' : ` at \`${error.path}\``;
    throw new UserError(`The schema of ${owner} cannot be used${place}: ${error.message}. Change the schema there.`);
  }
}

function unsupported(owner: string): UserError {
  return new UserError(
    `The schema of ${owner} must offer both \`~standard.validate\` and \`~standard.jsonSchema\`. Upgrade the schema library (zod: 4.2 or newer), or pass a JSON schema.`,
  );
}

/** A schema that the user wrote, or that was made of one: its root was declared, or found, to be an object's. */
function asObjectSchema(schema: unknown): JsonObjectSchema<any> {
  return schema as JsonObjectSchema<any>;
}

function isJsonSchemaDefinition(value: unknown): value is JsonSchemaDefinition {
  return isRecord(value) && value.type === 'json_schema' && isRecord(value.schema);
}

/** Whether some property may be missing and has neither a default nor `null` to stand for it. */
function hasAbsentFields(node: unknown, root: unknown): boolean {
  if (Array.isArray(node)) return node.some((entry) => hasAbsentFields(entry, root));
  if (!isRecord(node)) return false;
  const required = Array.isArray(node.required) ? node.required : [];
  const properties = isRecord(node.properties) ? node.properties : {};
  const isAbsent = ([key, property]: [string, unknown]) =>
    !required.includes(key) && !(isRecord(property) && 'default' in property) && acceptsNull(property, root) !== true;
  return Object.entries(properties).some(isAbsent) || Object.values(node).some((child) => hasAbsentFields(child, root));
}

function closeObjects(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closeObjects);
  if (!isRecord(node)) return node;
  const closed = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closeObjects(value)]));
  const isObject = node.type === 'object' && isRecord(node.properties);
  return isObject ? { ...closed, required: node.required ?? [], additionalProperties: false } : closed;
}
