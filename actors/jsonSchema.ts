/**
 * Reading JSON Schema without a schema library: local references, and a check of a JSON value against a schema. It knows the
 * keywords that describe data in practice and ignores those it does not know, as JSON Schema asks of a validator.
 */

/** A schema node; booleans mean "anything" and "nothing". */
export type JsonSchemaNode = boolean | JsonSchemaRecord;
export type JsonSchemaRecord = { [keyword: string]: unknown };

/** Deeper than any schema that a person wrote; a cycle is caught here too. */
export const MAX_SCHEMA_DEPTH = 100;

export interface CheckOptions {
  /** Accept properties that `additionalProperties: false` forbids. Tools do: a superfluous argument harms nobody. */
  allowExtraProperties?: boolean;
  /** The document that references are resolved in, when `schema` is a part of one. */
  root?: unknown;
}

/**
 * Says where and how a value departs from a schema, or `undefined` when it fits.
 *
 * @example
 * findViolation({ type: 'object', properties: { n: { type: 'number' } } }, { n: 'x' }); // 'n: expected number, got string'
 */
export function findViolation(schema: unknown, value: unknown, options: CheckOptions = {}): string | undefined {
  return check(schema, value, '', { root: options.root ?? schema, options, depth: 0 });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Follows a pointer inside one document (`#`, `#/$defs/name`); `undefined` for anything else. */
export function resolveLocalReference(reference: string, root: unknown): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let current: unknown = root;
  for (const segment of decodePointer(reference)) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined;
    current = (current as Record<string, unknown>)[segment];
  }
  return current;
}

export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

interface Scope { root: unknown; options: CheckOptions; depth: number }

function check(schema: unknown, value: unknown, path: string, scope: Scope): string | undefined {
  if (schema === false) return at(path, 'is not allowed');
  if (!isRecord(schema) || scope.depth > MAX_SCHEMA_DEPTH) return undefined;
  const inner = { ...scope, depth: scope.depth + 1 };
  return (
    checkReference(schema, value, path, inner) ??
    checkType(schema, value, path) ??
    checkChoices(schema, value, path) ??
    checkCombinations(schema, value, path, inner) ??
    checkScalar(schema, value, path) ??
    (Array.isArray(value) ? checkArray(schema, value, path, inner) : undefined) ??
    (isRecord(value) ? checkObject(schema, value, path, inner) : undefined)
  );
}

function checkReference(schema: JsonSchemaRecord, value: unknown, path: string, scope: Scope): string | undefined {
  if (typeof schema.$ref !== 'string') return undefined;
  return check(resolveLocalReference(schema.$ref, scope.root), value, path, scope);
}

function checkType(schema: JsonSchemaRecord, value: unknown, path: string): string | undefined {
  if (schema.type === undefined) return undefined;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.some((type) => hasType(value, type))) return undefined;
  return at(path, `expected ${types.join(' or ')}, got ${typeName(value)}`);
}

function checkChoices(schema: JsonSchemaRecord, value: unknown, path: string): string | undefined {
  if (Array.isArray(schema.enum) && !schema.enum.some((choice) => isSameJson(choice, value))) {
    return at(path, `expected one of ${schema.enum.map((choice) => JSON.stringify(choice)).join(', ')}`);
  }
  if ('const' in schema && !isSameJson(schema.const, value)) return at(path, `expected ${JSON.stringify(schema.const)}`);
  return undefined;
}

function checkCombinations(schema: JsonSchemaRecord, value: unknown, path: string, scope: Scope): string | undefined {
  const fits = (branch: unknown) => check(branch, value, path, scope) === undefined;
  if (Array.isArray(schema.allOf)) {
    for (const branch of schema.allOf) {
      const violation = check(branch, value, path, scope);
      if (violation !== undefined) return violation;
    }
  }
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(fits)) return at(path, 'matches none of the allowed forms');
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter(fits).length !== 1) {
    return at(path, 'must match exactly one of the allowed forms');
  }
  if (schema.not !== undefined && fits(schema.not)) return at(path, 'has a form that is not allowed');
  return undefined;
}

function checkScalar(schema: JsonSchemaRecord, value: unknown, path: string): string | undefined {
  if (typeof value === 'string') {
    const length = [...value].length;
    if (typeof schema.minLength === 'number' && length < schema.minLength) return at(path, `must have at least ${schema.minLength} characters`);
    if (typeof schema.maxLength === 'number' && length > schema.maxLength) return at(path, `must have at most ${schema.maxLength} characters`);
    if (typeof schema.pattern === 'string' && compile(schema.pattern)?.test(value) === false) return at(path, `must match ${schema.pattern}`);
  }
  if (typeof value === 'number') {
    if (typeof schema.minimum === 'number' && value < schema.minimum) return at(path, `must be at least ${schema.minimum}`);
    if (typeof schema.maximum === 'number' && value > schema.maximum) return at(path, `must be at most ${schema.maximum}`);
    if (typeof schema.exclusiveMinimum === 'number' && value <= schema.exclusiveMinimum) return at(path, `must be greater than ${schema.exclusiveMinimum}`);
    if (typeof schema.exclusiveMaximum === 'number' && value >= schema.exclusiveMaximum) return at(path, `must be less than ${schema.exclusiveMaximum}`);
    if (typeof schema.multipleOf === 'number' && !isMultiple(value, schema.multipleOf)) return at(path, `must be a multiple of ${schema.multipleOf}`);
  }
  return undefined;
}

function checkArray(schema: JsonSchemaRecord, value: unknown[], path: string, scope: Scope): string | undefined {
  if (typeof schema.minItems === 'number' && value.length < schema.minItems) return at(path, `must have at least ${schema.minItems} items`);
  if (typeof schema.maxItems === 'number' && value.length > schema.maxItems) return at(path, `must have at most ${schema.maxItems} items`);
  const positional = Array.isArray(schema.prefixItems) ? schema.prefixItems : Array.isArray(schema.items) ? schema.items : [];
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  for (const [index, entry] of value.entries()) {
    const violation = check(index < positional.length ? positional[index] : rest, entry, joinPath(path, index), scope);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function checkObject(schema: JsonSchemaRecord, value: Record<string, unknown>, path: string, scope: Scope): string | undefined {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  for (const key of Array.isArray(schema.required) ? schema.required : []) {
    if (typeof key === 'string' && !Object.hasOwn(value, key)) return at(joinPath(path, key), 'is missing');
  }
  for (const [key, entry] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key);
    if (!known && schema.additionalProperties === false) {
      if (scope.options.allowExtraProperties || matchesPattern(schema.patternProperties, key)) continue;
      return at(joinPath(path, key), 'is not a known property');
    }
    const violation = check(known ? properties[key] : schema.additionalProperties, entry, joinPath(path, key), scope);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function at(path: string, message: string): string {
  return path === '' ? message : `${path}: ${message}`;
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'integer': return Number.isInteger(value);
    case 'number': return typeof value === 'number';
    case 'null': return value === null;
    case 'array': return Array.isArray(value);
    case 'object': return isRecord(value);
    default: return typeof value === type;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isSameJson(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((entry, index) => isSameJson(entry, right[index]));
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && isSameJson(left[key], right[key]));
}

/** Decimal fractions do not divide evenly in binary: 0.3 is a multiple of 0.1 for everybody but the processor. */
function isMultiple(value: number, divisor: number): boolean {
  const quotient = value / divisor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function matchesPattern(patterns: unknown, key: string): boolean {
  return isRecord(patterns) && Object.keys(patterns).some((pattern) => compile(pattern)?.test(key) === true);
}

/** Patterns of other regex dialects do not compile here; such a pattern is not checked. */
function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

function decodePointer(reference: string): string[] {
  try {
    return decodeURIComponent(reference.slice(2)).split('/').map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    // A percent sign that encodes nothing: such a pointer leads nowhere.
    return ['\u0000'];
  }
}
