/**
 * Strict mode: every object closed, every property required. A property that was optional accepts `null` instead, and
 * {@link StrictSchema.restore} takes that `null` out again before the value is validated. What strict mode cannot express is
 * refused with the place where it stands, never bent silently.
 */
import { MAX_SCHEMA_DEPTH, findViolation, isRecord, joinPath, resolveLocalReference, type JsonSchemaRecord } from './jsonSchema.ts';

export interface StrictSchema {
  schema: JsonSchemaRecord;
  /** Removes each `null` that only stands for "left out". The value is not changed in place. */
  restore(value: unknown): unknown;
}

export interface StrictOptions {
  /**
   * A property with a `default` is required and never `null`. True for zod, whose default says what a missing value is;
   * in a plain schema `default` is an annotation.
   */
  defaultsStand?: boolean;
}

/** Why a schema cannot be used, and where: `path` is dotted, empty for the root. */
export class SchemaProblem extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.name = 'SchemaProblem';
    this.path = path;
  }
}

/**
 * Turns a JSON schema into its strict form.
 * @throws SchemaProblem where strict mode cannot say the same.
 */
export function toStrictSchema(root: JsonSchemaRecord, options: StrictOptions = {}): StrictSchema {
  const pass: Pass = { root, options, optional: new WeakMap(), hoisted: new Map(), hoistedDefinitions: {} };
  const schema = convert(root, '', 0, pass) as JsonSchemaRecord;
  if (Object.keys(pass.hoistedDefinitions).length > 0) {
    schema.$defs = { ...(isRecord(schema.$defs) ? schema.$defs : {}), ...pass.hoistedDefinitions };
  }
  const changesValues = containsOptional(schema, pass.optional, 0);
  return { schema, restore: (value) => (changesValues ? restore(schema, value, { schema, optional: pass.optional }) : value) };
}

/** True when a value may be `null` under the schema; `undefined` when that cannot be told. */
export function acceptsNull(schema: unknown, root: unknown, depth = 0): boolean | undefined {
  if (typeof schema === 'boolean') return schema;
  if (!isRecord(schema) || depth > MAX_SCHEMA_DEPTH) return undefined;
  if ('type' in schema) {
    if (typeof schema.type !== 'string' && !Array.isArray(schema.type)) return undefined;
    if (schema.type !== 'null' && !(Array.isArray(schema.type) && schema.type.includes('null'))) return false;
  }
  if ('enum' in schema) {
    if (!Array.isArray(schema.enum)) return undefined;
    if (!schema.enum.includes(null)) return false;
  }
  if ('const' in schema && schema.const !== null) return false;
  if (typeof schema.$ref === 'string') {
    const behind = acceptsNull(resolveLocalReference(schema.$ref, root), root, depth + 1);
    if (behind !== true) return behind;
  }
  if (Array.isArray(schema.anyOf)) {
    const branches = schema.anyOf.map((branch) => acceptsNull(branch, root, depth + 1));
    if (branches.includes(true)) return true;
    return branches.every((branch) => branch === false) ? false : undefined;
  }
  // Properties without a type are read as an object's.
  return 'type' in schema || !isRecord(schema.properties);
}

interface Pass {
  root: JsonSchemaRecord;
  options: StrictOptions;
  /** From the nullable stand-in of an optional property to what was there. */
  optional: WeakMap<object, unknown>;
  /** Definitions made for references whose target moved, by pointer. */
  hoisted: Map<string, string>;
  hoistedDefinitions: Record<string, unknown>;
}

/** Keywords whose nullability or meaning strict mode cannot carry over. */
const UNSUPPORTED = [
  '$dynamicRef', '$recursiveRef', 'additionalItems', 'allOf', 'contains', 'contentSchema', 'dependencies', 'dependentRequired',
  'dependentSchemas', 'else', 'if', 'maxContains', 'minContains', 'not', 'oneOf', 'patternProperties', 'prefixItems', 'propertyNames',
  'then', 'unevaluatedItems', 'unevaluatedProperties',
];
const ANNOTATIONS = new Set([
  '$anchor', '$comment', '$defs', '$id', '$schema', 'default', 'definitions', 'deprecated', 'description', 'examples', 'readOnly',
  'title', 'writeOnly',
]);

function convert(node: unknown, path: string, depth: number, pass: Pass): unknown {
  if (depth > MAX_SCHEMA_DEPTH) throw new SchemaProblem(path.slice(0, 80), `is nested more than ${MAX_SCHEMA_DEPTH} levels deep; flatten it`);
  if (typeof node === 'boolean') return node;
  if (!isRecord(node)) throw new SchemaProblem(path, 'is neither a schema object nor a boolean');
  refuseUnsupported(node, path, pass);
  const result: JsonSchemaRecord = { ...node };
  if (result.default === null) delete result.default;
  if ('$ref' in node) result.$ref = convertReference(node, path, depth, pass);
  if ('anyOf' in node) result.anyOf = convertBranches(node, path, depth, pass);
  if (Array.isArray(node.items)) result.items = node.items.map((entry, index) => convert(entry, joinPath(path, index), depth + 1, pass));
  else if (node.items !== undefined) result.items = convert(node.items, `${path}[]`, depth + 1, pass);
  for (const key of ['$defs', 'definitions']) {
    const definitions = node[key];
    if (isRecord(definitions)) result[key] = mapValues(definitions, (entry, name) => convert(entry, `#/${key}/${name}`, depth + 1, pass));
  }
  if ('additionalProperties' in node) convert(node.additionalProperties, joinPath(path, '*'), depth + 1, pass);
  if (isRecord(node.properties)) convertProperties(node, node.properties, result, path, depth, pass);
  return result;
}

function convertProperties(
  node: JsonSchemaRecord,
  properties: Record<string, unknown>,
  result: JsonSchemaRecord,
  path: string,
  depth: number,
  pass: Pass,
): void {
  const types = Array.isArray(node.type) ? node.type : [node.type];
  if (node.type !== undefined && !types.includes('object')) return;
  const required = new Set(Array.isArray(node.required) ? node.required : []);
  if (node.type === undefined && path !== '') result.type = 'object';
  result.properties = mapValues(properties, (property, key) => {
    const here = joinPath(path, key);
    const converted = convert(property, here, depth + 1, pass);
    const isOptional = !required.has(key) && !(pass.options.defaultsStand && isRecord(property) && 'default' in property);
    return isOptional ? makeOptional(property, converted, here, pass) : converted;
  });
  result.required = Object.keys(properties);
  result.additionalProperties = false;
}

function makeOptional(original: unknown, converted: unknown, path: string, pass: Pass): unknown {
  const nullable = acceptsNull(original, pass.root);
  if (nullable === undefined) {
    throw new SchemaProblem(path, 'is optional, but whether it accepts null cannot be told; make it required or say so with a type');
  }
  if (nullable) return converted;
  const description = isRecord(converted) && typeof converted.description === 'string' ? { description: converted.description } : {};
  const standIn = { ...description, anyOf: [converted, { type: 'null' }] };
  pass.optional.set(standIn, converted);
  return standIn;
}

function convertReference(node: JsonSchemaRecord, path: string, depth: number, pass: Pass): string {
  const reference = node.$ref;
  if (typeof reference !== 'string') throw new SchemaProblem(path, 'has a $ref that is not text');
  const sibling = Object.keys(node).find((key) => key !== '$ref' && !ANNOTATIONS.has(key));
  if (sibling !== undefined) throw new SchemaProblem(path, `combines $ref with "${sibling}"; move it into the referenced schema`);
  const target = resolveLocalReference(reference, pass.root);
  if (target === undefined) throw new SchemaProblem(path, `refers to ${reference}, which is not in this schema; references must be local`);
  if (reference === '#' || /^#\/(\$defs|definitions)\/[^/]+$/.test(reference)) return reference;
  return `#/$defs/${hoist(reference, target, depth, pass)}`;
}

/** A target among the properties may get a stand-in where it stands; a reference to it must still mean the original. */
function hoist(reference: string, target: unknown, depth: number, pass: Pass): string {
  const known = pass.hoisted.get(reference);
  if (known !== undefined) return known;
  const taken = isRecord(pass.root.$defs) ? pass.root.$defs : {};
  let name = `target${pass.hoisted.size + 1}`;
  while (Object.hasOwn(taken, name)) name = `${name}_`;
  pass.hoisted.set(reference, name);
  pass.hoistedDefinitions[name] = convert(target, reference, depth + 1, pass);
  return name;
}

function convertBranches(node: JsonSchemaRecord, path: string, depth: number, pass: Pass): unknown[] {
  if (!Array.isArray(node.anyOf) || node.anyOf.length === 0) throw new SchemaProblem(path, 'has an anyOf that is not a list of schemas');
  const sibling = Object.keys(node).find((key) => key !== 'anyOf' && !ANNOTATIONS.has(key));
  if (sibling !== undefined) throw new SchemaProblem(path, `combines anyOf with "${sibling}"; move it into each branch`);
  return node.anyOf.map((branch) => convert(branch, path, depth + 1, pass));
}

function refuseUnsupported(node: JsonSchemaRecord, path: string, pass: Pass): void {
  const keyword = UNSUPPORTED.find((candidate) => candidate in node);
  if (keyword !== undefined) throw new SchemaProblem(path, `uses "${keyword}", which strict mode does not know`);
  if ('$id' in node && node !== pass.root) throw new SchemaProblem(path, 'has an $id of its own; references are resolved in one document only');
  const isOpen = (isRecord(node.properties) || 'additionalProperties' in node) && node.additionalProperties !== false;
  if (node.type === undefined && isOpen) {
    throw new SchemaProblem(path, 'is an open object without a type; add type: "object" and additionalProperties: false');
  }
}

interface RestoreScope { schema: JsonSchemaRecord; optional: WeakMap<object, unknown> }

function restore(schema: unknown, value: unknown, scope: RestoreScope): unknown {
  if (!isRecord(schema) || value === undefined) return value;
  if (scope.optional.has(schema)) return value === null ? undefined : restore(scope.optional.get(schema), value, scope);
  if (typeof schema.$ref === 'string') return restore(resolveLocalReference(schema.$ref, scope.schema), value, scope);
  if (Array.isArray(schema.anyOf)) {
    // The branch is the first that the value fits; with none, the validation that follows says what is wrong.
    const branch = schema.anyOf.find((candidate) => findViolation(candidate, value, { root: scope.schema }) === undefined);
    return branch === undefined ? value : restore(branch, value, scope);
  }
  if (Array.isArray(value)) {
    return value.map((entry, index) => restore(Array.isArray(schema.items) ? schema.items[index] : schema.items, entry, scope));
  }
  if (!isRecord(value) || !isRecord(schema.properties)) return value;
  const { properties } = schema;
  const restored = mapValues(value, (entry, key) => (Object.hasOwn(properties, key) ? restore(properties[key], entry, scope) : entry));
  return Object.fromEntries(Object.entries(restored).filter(([, entry]) => entry !== undefined));
}

function containsOptional(node: unknown, optional: WeakMap<object, unknown>, depth: number): boolean {
  if (typeof node !== 'object' || node === null || depth > 2 * MAX_SCHEMA_DEPTH) return false;
  return optional.has(node) || Object.values(node).some((child) => containsOptional(child, optional, depth + 1));
}

/** Keeps a key such as `__proto__` an ordinary property. */
function mapValues(record: Record<string, unknown>, map: (value: unknown, key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
