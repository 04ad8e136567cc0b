/**
 * The schema types of the front door: what a user may hand in to describe data, and what follows from it for the types of
 * tool arguments and final outputs. Types only, so that nothing here costs an import.
 */
import type { ZodObject, ZodType } from 'zod';
import type { JsonSchemaDefinition, TextOutput } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { Handoff } from './handoff.ts';
import type { UnknownContext } from './runContext.ts';

export type { JsonSchemaDefinition, TextOutput } from '../machines/protocol/item.ts';
export type { UnknownContext } from './runContext.ts';


export type StandardIssue = { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined };
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };
type StandardTarget = 'draft-2020-12' | 'draft-07' | 'openapi-3.0' | (string & {});
type StandardConverter = (options: {
  readonly target: StandardTarget;
  readonly libraryOptions?: Record<string, unknown> | undefined;
}) => Record<string, unknown>;

/** A schema of any library that implements Standard Schema with validation and conversion to JSON Schema (zod, ArkType, Valibot, …). */
export interface StandardSchemaWithJSON<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly validate: (
      value: unknown,
      options?: { readonly libraryOptions?: Record<string, unknown> | undefined } | undefined,
    ) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly jsonSchema: { readonly input: StandardConverter; readonly output: StandardConverter };
  };
}
export type StandardSchemaOutput<T extends StandardSchemaWithJSON<any, any>> = NonNullable<T['~standard']['types']>['output'];

/** Any zod 4 object schema. */
export type ZodObjectLike = ZodObject<any, any>;
export type ZodInfer<T extends ZodType<any, any, any>> = T extends { _output: infer Output } ? Output : never;

type JsonSchemaDefinitionEntry = Record<string, any>;
interface JsonObjectSchemaBase<Properties extends Record<string, JsonSchemaDefinitionEntry>> {
  type: 'object';
  properties: Properties;
  required: (keyof Properties)[];
  description?: string;
}
// Type aliases and not interfaces: an interface has no index signature, and could not be passed where a record is asked for.
export type JsonObjectSchemaStrict<Properties extends Record<string, JsonSchemaDefinitionEntry>> =
  JsonObjectSchemaBase<Properties> & { additionalProperties: false };
export type JsonObjectSchemaNonStrict<Properties extends Record<string, JsonSchemaDefinitionEntry>> =
  JsonObjectSchemaBase<Properties> & { additionalProperties: true };
export type JsonObjectSchema<Properties extends Record<string, JsonSchemaDefinitionEntry>> =
  | JsonObjectSchemaStrict<Properties>
  | JsonObjectSchemaNonStrict<Properties>;

/** What describes the arguments of a tool; `undefined` means: the body gets the text as the model wrote it. */
export type ToolInputParameters = undefined | ZodObjectLike | StandardSchemaWithJSON<any, any> | JsonObjectSchema<any>;
export type ToolInputParametersStrict = undefined | ZodObjectLike | StandardSchemaWithJSON<any, any> | JsonObjectSchemaStrict<any>;
export type ToolInputParametersNonStrict = undefined | JsonObjectSchemaNonStrict<any>;
/** What describes an answer of a person: of any type, unlike the arguments of a tool. */
export type AnswerSchema = ZodType<any, any, any> | StandardSchemaWithJSON<any, any> | Record<string, unknown>;
export type ToolOutputSchema = ZodObjectLike | JsonObjectSchema<any>;

/** The type a tool body receives for its parameters. */
export type ToolExecuteArgument<TParameters extends ToolInputParameters> =
  TParameters extends StandardSchemaWithJSON<any, any> ? StandardSchemaOutput<TParameters>
  : TParameters extends ZodObjectLike ? ZodInfer<TParameters>
  : TParameters extends JsonObjectSchema<any> ? unknown
  : string;
export type ResolveParsedToolParameters<TParameters extends ToolInputParameters> = ToolExecuteArgument<TParameters>;

/** What an agent may promise as its final output. */
export type AgentOutputType<HandoffOutputType = UnknownContext> =
  | TextOutput
  | ZodObjectLike
  | StandardSchemaWithJSON<any, any>
  | JsonSchemaDefinition
  | HandoffsOutput<HandoffOutputType>;

/** The TypeScript type of a final output. */
export type ResolvedAgentOutput<TOutput extends AgentOutputType<H>, H = unknown> =
  TOutput extends TextOutput ? string
  : TOutput extends StandardSchemaWithJSON<any, any> ? StandardSchemaOutput<TOutput>
  : TOutput extends ZodObjectLike ? ZodInfer<TOutput>
  : TOutput extends HandoffsOutput<infer Handed> ? HandoffsOutput<Handed>
  : unknown extends TOutput ? any // of an agent whose output type is not known; the peer's type has it
  : TOutput extends Record<string, any> ? unknown
  : never;

export type ExtractAgentOutput<T> = T extends Agent<any, any> ? ResolvedAgentOutput<T['outputType']> : never;
export type ExtractHandoffOutput<T> = T extends Handoff<any> ? unknown : never;
export type HandoffsOutput<H> = H extends Array<infer U> ? ExtractAgentOutput<U> | ExtractHandoffOutput<U> : never;

/** Flattens an intersection so that an editor shows its members. */
export type Expand<T> = T extends infer O ? { [K in keyof O]: O[K] } : never;
