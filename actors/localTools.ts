/** Tools that this process carries out through a port: a screen, a shell, an editor of files. */
import type {
  ApplyPatchCallResultItem, ApplyPatchOperation, ComputerAction, ComputerCallResultItem, ComputerUseCallItem, ShellAction,
} from '../machines/protocol/item.ts';
import { UserError } from './errors.ts';
import { checkExpiry } from './expiry.ts';
import type { RunToolApprovalItem } from './items.ts';
import { isRecord } from './jsonSchema.ts';
import type { Computer, Editor, Shell } from './ports.ts';
import type { RunContext } from './runContext.ts';
import type { UnknownContext } from './schemaTypes.ts';
import { toShellEnvironment, type ShellToolHostedEnvironment, type ShellToolLocalEnvironment } from './shellEnvironment.ts';
import { toAllowedCallers } from './toolNames.ts';
import type { ToolAllowedCallers, ToolOutputCustomDataExtractor } from './toolTypes.ts';

export type * from './shellEnvironment.ts';

type Promisable<T> = T | Promise<T>;
type OnApproval = (runContext: RunContext, approvalItem: RunToolApprovalItem) => Promise<{ approve: boolean; reason?: string }>;

// -- computer ---------------------------------------------------------------------------------------------------------

export type ComputerInitializerArgs<Context = UnknownContext> = { runContext: RunContext<Context> };
// Declared as methods, which are compared loosely: a computer made for one context may be given where any context is meant.
type Loose<Arguments, Result> = { call(args: Arguments): Result }['call'];
export type ComputerCreate<Context = UnknownContext, TComputer extends Computer = Computer> =
  Loose<ComputerInitializerArgs<Context>, Promisable<TComputer>>;
export type ComputerDispose<Context = UnknownContext, TComputer extends Computer = Computer> =
  Loose<ComputerInitializerArgs<Context> & { computer: TComputer }, Promisable<void>>;
export type ComputerProvider<Context = UnknownContext, TComputer extends Computer = Computer> = {
  create: ComputerCreate<Context, TComputer>;
  /** Called once, after the run that the computer was made for, whatever its outcome. */
  dispose?: ComputerDispose<Context, TComputer>;
};
/** A computer to share, or how to make one for each run. */
export type ComputerConfig<Context = UnknownContext, TComputer extends Computer = Computer> =
  | Computer
  | ComputerCreate<Context, TComputer>
  | ComputerProvider<Context, TComputer>;

export type ComputerApprovalFunction = (runContext: RunContext, action: ComputerAction, callId?: string) => Promise<boolean>;
export type ComputerSafetyCheck = { id: string; code: string; message?: string; [key: string]: unknown };
/** `true` acknowledges all checks, `false` refuses the call; nothing leaves them unacknowledged and lets it run. */
export type ComputerSafetyCheckResult =
  | void
  | boolean
  | { acknowledgedSafetyChecks: ComputerSafetyCheck[] }
  | { acknowledged_safety_checks: ComputerSafetyCheck[] };
export type ComputerOnSafetyCheckFunction = (args: {
  runContext: RunContext;
  pendingSafetyChecks: ComputerSafetyCheck[];
  toolCall: ComputerUseCallItem;
}) => Promise<ComputerSafetyCheckResult>;
export type ComputerToolCustomDataContext<Context = UnknownContext, TComputer extends Computer = Computer> = {
  runContext: RunContext<Context>;
  tool: ComputerTool<Context, TComputer>;
  toolCall: ComputerUseCallItem;
  output: string;
  rawItem: ComputerCallResultItem;
};
export type ComputerToolCustomDataExtractor<Context = UnknownContext, TComputer extends Computer = Computer> =
  ToolOutputCustomDataExtractor<ComputerToolCustomDataContext<Context, TComputer>>;

export type ComputerTool<Context = UnknownContext, TComputer extends Computer = Computer> = {
  type: 'computer';
  name: 'computer_use_preview' | (string & {});
  computer: ComputerConfig<Context, TComputer>;
  needsApproval: ComputerApprovalFunction;
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  onSafetyCheck?: ComputerOnSafetyCheckFunction;
  customDataExtractor?: ComputerToolCustomDataExtractor<Context, TComputer>;
};

/**
 * Lets a model use a screen, mouse and keyboard.
 * @throws UserError without a computer.
 *
 * @example
 * ```ts
 * import { computerTool, type Computer } from 'loopchart';
 *
 * const nothing = async () => undefined;
 * const blank: Computer = {
 *   screenshot: async () => '', click: nothing, doubleClick: nothing, scroll: nothing, type: nothing,
 *   wait: nothing, move: nothing, keypress: nothing, drag: nothing,
 * };
 * computerTool({ computer: { create: async () => blank, dispose: async () => console.log('closed') } });
 * ```
 */
export function computerTool<Context = UnknownContext, TComputer extends Computer = Computer>(options: {
  name?: string;
  computer: ComputerConfig<Context, TComputer>;
  needsApproval?: boolean | ComputerApprovalFunction;
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  onSafetyCheck?: ComputerOnSafetyCheckFunction;
  customDataExtractor?: ComputerToolCustomDataExtractor<Context, TComputer>;
}): ComputerTool<Context, TComputer> {
  if (!options.computer) throw new UserError('computerTool() needs a computer, a function that makes one, or {create, dispose}.');
  return {
    type: 'computer',
    name: options.name ?? 'computer_use_preview',
    computer: options.computer,
    needsApproval: toFunction(options.needsApproval),
    ...expiryIn(options, 'the computer tool'),
    onSafetyCheck: options.onSafetyCheck,
    customDataExtractor: options.customDataExtractor,
  };
}

const COMPUTER_METHODS = ['screenshot', 'click', 'doubleClick', 'drag', 'keypress', 'move', 'scroll', 'type', 'wait'];

/** Tells a computer that is there from the ways to make one. */
export function isComputer(candidate: unknown): candidate is Computer {
  if (typeof candidate !== 'object' || candidate === null) return false;
  return COMPUTER_METHODS.every((method) => typeof (candidate as Record<string, unknown>)[method] === 'function');
}

/**
 * Gives the computer of a tool for one run, and what is to be done with it afterwards. Who calls it keeps the result for the run:
 * each call of a `create` makes another computer.
 * @throws UserError when nothing usable comes out.
 */
export async function openComputer<Context>(
  computerToUse: ComputerTool<Context, any>,
  runContext: RunContext<Context>,
): Promise<{ computer: Computer; dispose: () => Promise<void> }> {
  const config: unknown = computerToUse.computer;
  if (isComputer(config)) return { computer: config, dispose: async () => undefined };
  const provider = toProvider<Context>(config);
  const computer: unknown = await provider?.create({ runContext });
  if (!isComputer(computer)) {
    const methods = COMPUTER_METHODS.join(', ');
    throw new UserError(`The computer tool '${computerToUse.name}' made no computer; its \`create\` must return an object with the methods ${methods}.`);
  }
  return { computer, dispose: async () => provider?.dispose?.({ runContext, computer }) };
}

function toProvider<Context>(config: unknown): ComputerProvider<Context> | undefined {
  if (typeof config === 'function') return { create: config as ComputerCreate<Context> }; // Not a computer, so the other thing the type allows.
  return isRecord(config) && typeof config.create === 'function' ? (config as unknown as ComputerProvider<Context>) : undefined;
}

// -- shell ------------------------------------------------------------------------------------------------------------

export type ShellApprovalFunction = (runContext: RunContext, action: ShellAction, callId?: string) => Promise<boolean>;
export type ShellOnApprovalFunction = OnApproval;
type ShellToolBase = {
  type: 'shell';
  name: string;
  needsApproval: ShellApprovalFunction;
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  /** Decides at once, in place of a person. */
  onApproval?: ShellOnApprovalFunction;
  allowedCallers?: ToolAllowedCallers;
};
type LocalShellTool = ShellToolBase & { environment?: ShellToolLocalEnvironment; shell: Shell };
type HostedShellTool = ShellToolBase & { environment: ShellToolHostedEnvironment; shell?: never };
export type ShellTool = LocalShellTool | HostedShellTool;

type LocalShellToolOptions = {
  name?: string;
  environment?: ShellToolLocalEnvironment;
  shell: Shell;
  needsApproval?: boolean | ShellApprovalFunction;
  onApproval?: ShellOnApprovalFunction;
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  allowedCallers?: ToolAllowedCallers;
};
type HostedShellToolOptions = {
  name?: string;
  environment: ShellToolHostedEnvironment;
  shell?: never;
  needsApproval?: never;
  onApproval?: never;
  expiresAfterMs?: never;
  allowedCallers?: ToolAllowedCallers;
};

/**
 * Lets a model run shell commands: here, through `shell`, or in a container of the provider.
 * @throws UserError for a local shell without `shell`, and for a hosted one with `shell`, `needsApproval` or `onApproval`.
 */
export function shellTool(options: LocalShellToolOptions): LocalShellTool & { environment: ShellToolLocalEnvironment };
export function shellTool(options: HostedShellToolOptions): HostedShellTool;
export function shellTool(options: LocalShellToolOptions | HostedShellToolOptions): ShellTool {
  const name = options.name ?? 'shell';
  const environment = toShellEnvironment(options.environment);
  const allowedCallers = toAllowedCallers(options.allowedCallers, name);
  const base = { type: 'shell' as const, name, needsApproval: toFunction(options.needsApproval), ...(allowedCallers ? { allowedCallers } : {}) };
  if (environment.type === 'local') {
    if (!options.shell) throw new UserError(`shellTool '${name}' runs locally and needs a \`shell\` that executes commands.`);
    return { ...base, ...expiryIn(options, name), environment, shell: options.shell, onApproval: options.onApproval };
  }
  if (options.shell !== undefined) throw new UserError(`shellTool '${name}' runs in a container of the provider and takes no \`shell\`.`);
  if (options.needsApproval !== undefined || options.onApproval !== undefined) {
    throw new UserError(`shellTool '${name}' runs in a container of the provider, where nobody can be asked: remove needsApproval and onApproval.`);
  }
  return { ...base, environment };
}

// -- editor -----------------------------------------------------------------------------------------------------------

export type ApplyPatchApprovalFunction = (runContext: RunContext, operation: ApplyPatchOperation, callId?: string) => Promise<boolean>;
export type ApplyPatchOnApprovalFunction = OnApproval;
export type ApplyPatchToolCustomDataContext = {
  runContext: RunContext;
  tool: ApplyPatchTool;
  operation: ApplyPatchOperation;
  output: string;
  status: ApplyPatchCallResultItem['status'];
  rawItem: ApplyPatchCallResultItem;
};
export type ApplyPatchToolCustomDataExtractor = ToolOutputCustomDataExtractor<ApplyPatchToolCustomDataContext>;
export type ApplyPatchTool = {
  type: 'apply_patch';
  name: string;
  editor: Editor;
  needsApproval: ApplyPatchApprovalFunction;
  /** How long a call waits for a person, in ms; then it is rejected (D7). */
  expiresAfterMs?: number;
  /** Decides at once, in place of a person. */
  onApproval?: ApplyPatchOnApprovalFunction;
  allowedCallers?: ToolAllowedCallers;
  customDataExtractor?: ApplyPatchToolCustomDataExtractor;
};

/**
 * Lets a model create, change and delete files through an editor.
 * @throws UserError without an editor.
 */
export function applyPatchTool(
  options: Partial<Omit<ApplyPatchTool, 'type' | 'editor' | 'needsApproval'>> & { editor: Editor; needsApproval?: boolean | ApplyPatchApprovalFunction },
): ApplyPatchTool {
  const name = options.name ?? 'apply_patch';
  if (!options.editor) throw new UserError(`applyPatchTool '${name}' needs an \`editor\` that creates, updates and deletes files.`);
  const allowedCallers = toAllowedCallers(options.allowedCallers, name);
  return {
    type: 'apply_patch',
    name,
    editor: options.editor,
    needsApproval: toFunction(options.needsApproval),
    onApproval: options.onApproval,
    ...expiryIn(options, name),
    ...(allowedCallers ? { allowedCallers } : {}),
    customDataExtractor: options.customDataExtractor,
  };
}

function expiryIn({ expiresAfterMs }: { expiresAfterMs?: number }, name: string): { expiresAfterMs?: number } {
  checkExpiry(expiresAfterMs, `expiresAfterMs of ${name}`);
  return expiresAfterMs === undefined ? {} : { expiresAfterMs };
}

function toFunction<T extends (...args: never[]) => Promise<boolean>>(answer: boolean | T | undefined): T | (() => Promise<boolean>) {
  return typeof answer === 'function' ? answer : async () => answer ?? false;
}
