/** Which calls may run, have to be asked about, or may not run at all: said as data, by tool and arguments (M8). */
import type { Call } from '../machines/protocol/call.ts';
import { type ArgumentPattern, type NamePattern, argumentsOfCall, checkPattern, fitsName, fitsValues, valuesAt } from './approvalPatterns.ts';
import { UserError } from './errors.ts';
import { isRecord } from './jsonSchema.ts';
import type { RunToolApprovalItem } from './items.ts';

export type { ArgumentPattern, NamePattern } from './approvalPatterns.ts';

export type ApprovalRuling = 'allow' | 'ask' | 'deny';

export interface ApprovalRule {
  /** Tells rules apart. Default: made here, by the place of the rule. */
  id?: string;
  /** Name of the tool; of a hosted one, the name it has at its server. `*` stands for any characters. */
  tool: NamePattern;
  /** Name of the agent that calls. Default: any. */
  agent?: NamePattern;
  /** Label of the MCP server of a hosted tool. Default: any, or none. */
  server?: NamePattern;
  /**
   * What arguments have to be, by their paths (`address.city`). All of them have to fit. Where a path leads to several values, as
   * `commands` of a shell call, one that fits is enough to ask or deny, and all have to fit to allow. Patch calls have `path`
   * (where a file is moved, both), `type` and `diff`; computer calls `actions`; shell calls `commands`.
   */
  arguments?: Record<string, ArgumentPattern>;
  decision: ApprovalRuling;
  /** What the model reads of a call that is denied. */
  reason?: string;
}

/** What holds where no rule fits: what the tool itself says, or one answer for all. */
export type ApprovalDefault = 'tool' | ApprovalRuling;

/** Rules in their order: the first that fits decides. */
export interface ApprovalPolicy { rules: readonly ApprovalRule[]; otherwise?: ApprovalDefault }

/** As {@link ApprovalRules} saves itself: `session` are the rules that were added. */
export interface SavedApprovalRules { rules: ApprovalRule[]; session: ApprovalRule[]; otherwise: ApprovalDefault }

/** Which call is asked about. */
export interface ApprovalQuestion { agent: string; call: Call }
/** `rule` is the id of the rule that decided, or `otherwise`. */
export interface ApprovalVerdict { decision: ApprovalRuling; rule: string; reason?: string }

/**
 * An approval policy to which rules can be added while runs go on, by "approve always" for instance, and from which they can be
 * taken again. Added rules come before those of the policy, the newest first; but what the policy denies stays denied.
 *
 * @throws UserError for a policy that cannot be understood; it names the rule.
 * @example
 * ```ts
 * import { Agent, ApprovalRules, run } from 'loopchart';
 *
 * const rules = new ApprovalRules({
 *   rules: [
 *     { tool: 'shell', arguments: { commands: 'git *' }, decision: 'allow' },
 *     { tool: 'shell', arguments: { commands: { regex: '\\brm\\b' } }, decision: 'deny', reason: 'Nothing is deleted here.' },
 *     { tool: 'delete_*', decision: 'ask' },
 *   ],
 * });
 * const agent = new Agent({ name: 'Janitor' });
 * const { state, interruptions } = await run(agent, 'Tidy up.', { approvalPolicy: rules });
 * for (const item of interruptions) {
 *   rules.add(ApprovalRules.ruleFor(item)); // "approve always": this agent, this tool
 *   state.approve(item);
 * }
 * await run(agent, state, { approvalPolicy: rules });
 * ```
 */
export class ApprovalRules {
  readonly #policy: readonly NamedRule[];
  readonly #otherwise: ApprovalDefault;
  #session: readonly NamedRule[] = [];
  #added = 0;

  constructor(policy: ApprovalPolicy | SavedApprovalRules = { rules: [] }) {
    if (!isRecord(policy) || !Array.isArray(policy.rules)) throw new UserError('An approval policy is an object with a list of `rules`.');
    const { rules, otherwise = 'tool' } = policy;
    if (!DEFAULTS.includes(otherwise)) throw new UserError(`\`otherwise\` of an approval policy must be ${DEFAULTS.join(', ')}; got "${String(otherwise)}".`);
    this.#policy = (rules as ApprovalRule[]).map((rule, at) => checkedRule(rule, `rule.${at + 1}`));
    this.#otherwise = otherwise;
    const ids = this.#policy.map(({ id }) => id);
    const twice = ids.find((id, at) => ids.indexOf(id) < at);
    if (twice !== undefined) throw new UserError(`Two approval rules have the id "${twice}". Give each one its own, or none.`);
    for (const rule of [...((policy as Partial<SavedApprovalRules>).session ?? [])].reverse()) this.add(rule); // there in what was saved
  }

  /** The policy as given, or rules that live elsewhere; nothing where there is no policy. @throws UserError as the constructor. */
  static from(policy: ApprovalPolicy | ApprovalRules | undefined): ApprovalRules | undefined {
    return policy === undefined || policy instanceof ApprovalRules ? policy : new ApprovalRules(policy);
  }

  /** What *always* means for this call: this agent and this tool, and of a hosted tool this server (D2). */
  static ruleFor(item: RunToolApprovalItem, decision: ApprovalRuling = 'allow', reason?: string): ApprovalRule {
    const request = item.rawItem.type === 'hosted_tool_call' ? item.rawItem.providerData : undefined;
    const label: unknown = request?.['server_label'];
    return {
      tool: literal(item.name ?? item.rawItem.type),
      agent: literal(item.agent.name),
      ...(typeof label === 'string' && { server: literal(label) }),
      decision,
      ...(reason !== undefined && { reason }),
    };
  }

  /** All rules in the order in which they are asked, apart from what the policy denies, which comes first. */
  get list(): readonly ApprovalRule[] {
    return [...this.#session, ...this.#policy];
  }

  /** The rules that were added, the newest first. */
  get session(): readonly ApprovalRule[] {
    return [...this.#session];
  }

  /** Nothing is said about any call. */
  get isSilent(): boolean {
    return this.#policy.length === 0 && this.#session.length === 0 && this.#otherwise === 'tool';
  }

  /** Adds a rule before all others. @returns its id. @throws UserError as the constructor, and for an id that another rule has. */
  add(rule: ApprovalRule): string {
    this.#added += 1;
    const checked = checkedRule(rule, this.#freeId());
    if (this.list.some(({ id }) => id === checked.id)) throw new UserError(`There is an approval rule "${checked.id}" already. Remove it first, or give the new one another id.`);
    this.#session = [checked, ...this.#session];
    return checked.id;
  }

  /** Takes a rule away that was added; those of the policy stay. @returns whether there was one. */
  remove(id: string): boolean {
    const rest = this.#session.filter((rule) => rule.id !== id);
    const isRemoved = rest.length < this.#session.length;
    this.#session = rest;
    return isRemoved;
  }

  /** What is to be done with a call; nothing where the tool itself decides. */
  verdictOn(question: ApprovalQuestion): ApprovalVerdict | undefined {
    const ofPolicy = this.#policy.find((rule) => fits(rule, question));
    if (ofPolicy?.decision === 'deny') return verdictOf(ofPolicy);
    const rule = this.#session.find((added) => fits(added, question)) ?? ofPolicy;
    if (rule) return verdictOf(rule);
    return this.#otherwise === 'tool' ? undefined : { decision: this.#otherwise, rule: 'otherwise' };
  }

  toJSON(): SavedApprovalRules {
    return { rules: [...this.#policy], session: [...this.#session], otherwise: this.#otherwise };
  }

  /** Rules that were saved have ids of their own. */
  #freeId(): string {
    while (this.list.some(({ id }) => id === `session.${this.#added}`)) this.#added += 1;
    return `session.${this.#added}`;
  }
}

/**
 * What policies of several runs, one inside of the other, say about a call: the innermost decides, but what a rule further out denies
 * is denied at every depth (D6).
 */
export function verdictAtDepth([own, ...outer]: readonly ApprovalRules[], question: ApprovalQuestion): ApprovalVerdict | undefined {
  for (const rules of outer) {
    const verdict = rules.verdictOn(question);
    if (verdict?.decision === 'deny' && verdict.rule !== 'otherwise') return verdict;
  }
  return own?.verdictOn(question);
}

type NamedRule = ApprovalRule & { id: string };

function verdictOf({ decision, id, reason }: NamedRule): ApprovalVerdict {
  return { decision, rule: id, ...(reason !== undefined && { reason }) };
}

const RULINGS: readonly ApprovalRuling[] = ['allow', 'ask', 'deny'];
const DEFAULTS: readonly ApprovalDefault[] = ['tool', ...RULINGS];

function checkedRule(rule: ApprovalRule, id: string): NamedRule {
  if (!isRecord(rule)) throw new UserError(`The approval rule ${id} is no object.`);
  const named = { ...rule, id: rule.id ?? id };
  const owner = `the approval rule "${named.id}"`;
  if (typeof named.id !== 'string' || named.id === '' || named.id === 'otherwise') throw new UserError(`The id of ${owner} must be a text of its own.`);
  if (!RULINGS.includes(rule.decision)) throw new UserError(`The decision of ${owner} must be ${RULINGS.join(', ')}; got "${String(rule.decision)}".`);
  if (rule.reason !== undefined && typeof rule.reason !== 'string') throw new UserError(`The reason of ${owner} must be a text.`);
  checkPattern(rule.tool, `\`tool\` of ${owner}`, 'name');
  if (rule.agent !== undefined) checkPattern(rule.agent, `\`agent\` of ${owner}`, 'name');
  if (rule.server !== undefined) checkPattern(rule.server, `\`server\` of ${owner}`, 'name');
  if (rule.arguments !== undefined && !isRecord(rule.arguments)) throw new UserError(`\`arguments\` of ${owner} must be an object of patterns by path.`);
  for (const [path, pattern] of Object.entries(rule.arguments ?? {})) checkPattern(pattern, `\`arguments.${path}\` of ${owner}`, 'value');
  return named;
}

function fits(rule: ApprovalRule, { agent, call }: ApprovalQuestion): boolean {
  if (!fitsName(rule.tool, call.name) || (rule.agent !== undefined && !fitsName(rule.agent, agent))) return false;
  if (rule.server !== undefined && !fitsName(rule.server, serverOf(call))) return false;
  const patterns = Object.entries(rule.arguments ?? {});
  if (patterns.length === 0) return true;
  const given = argumentsOfCall(call);
  return patterns.every(([path, pattern]) => fitsValues(pattern, valuesAt(given, path), rule.decision === 'allow' ? 'all' : 'some'));
}

const serverOf = ({ item }: Call): string => String(item.providerData?.['server_label'] ?? '');
/** Names that hold a `*` of their own. */
const literal = (name: string): NamePattern => (name.includes('*') ? { regex: `^${name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$` } : name);
