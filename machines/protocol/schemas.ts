/**
 * `loopchart/protocol`: schemas and types of the wire form of a conversation, under the names they have in the `protocol`
 * namespace of `@openai/agents-core`. They accept and reject what those do, and keep keys they do not know where those drop them.
 *
 * @example
 * import { ModelItem } from 'loopchart/protocol';
 * const item = ModelItem.parse(JSON.parse('{"type":"message","role":"user","content":"go"}'));
 */
export * from './callSchemas.ts';
export * from './contentSchemas.ts';
export * from './itemSchemas.ts';
export * from './streamSchemas.ts';
