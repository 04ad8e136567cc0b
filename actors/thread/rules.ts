/** The approval rules of a thread: its policy, and what was said for always since (M8). */
import type { RunOverrides, SessionRule } from '../../machines/protocol/thread.ts';
import { type ApprovalPolicy, type ApprovalQuestion, type ApprovalRule, ApprovalRules, type ApprovalVerdict } from '../approvalRules.ts';

/** Its own: what is added to it here holds for this thread alone. */
export function rulesOf(policy: ApprovalPolicy | ApprovalRules | undefined): ApprovalRules {
  const { rules, otherwise } = policy instanceof ApprovalRules ? { rules: policy.list, otherwise: policy.toJSON().otherwise } : (policy ?? { rules: [] });
  return new ApprovalRules({ rules, ...(otherwise && { otherwise }) });
}

/** @throws UserError for a rule that cannot be, or whose id is that of a rule of the policy. */
export function checkedRule(rules: ApprovalRules, rule: SessionRule): SessionRule {
  const given = JSON.parse(JSON.stringify(rule)) as SessionRule; // as it will be recorded
  const { rules: policy } = rules.toJSON();
  new ApprovalRules({ rules: policy }).add(given as ApprovalRule); // which is what it finds out
  return given;
}

/** What the thread keeps is the truth; this follows it. */
export function replaceSession(rules: ApprovalRules, session: readonly SessionRule[]): void {
  for (const { id } of rules.session) rules.remove(id!); // each has one
  for (const rule of session) rules.add(rule as ApprovalRule); // checked before it was recorded
}

/** @param known ids of the rules that the thread had when the run began. */
export function rulesOfRun(thread: ApprovalRules, overrides: RunOverrides | undefined, known: readonly string[] = []): ApprovalRules {
  const own = overrides?.approvalPolicy as ApprovalPolicy | undefined; // checked before it was recorded
  return own ? new RulesOfRun(own, thread, new Set(known)) : thread;
}

/**
 * What one run is told comes before what its thread says; what was said for always since it began comes before both. But what its own
 * rules deny stays denied.
 */
class RulesOfRun extends ApprovalRules {
  readonly #thread: ApprovalRules;
  readonly #known: ReadonlySet<string>;

  constructor(own: ApprovalPolicy, thread: ApprovalRules, known: ReadonlySet<string>) {
    super(own);
    this.#thread = thread;
    this.#known = known;
  }

  override get isSilent(): boolean {
    return super.isSilent && this.#thread.isSilent;
  }

  override verdictOn(question: ApprovalQuestion): ApprovalVerdict | undefined {
    const own = super.verdictOn(question);
    if (own && own.rule !== 'otherwise') return own.decision === 'deny' ? own : (this.#saidSince(question) ?? own);
    const ofThread = this.#thread.verdictOn(question);
    return ofThread && ofThread.rule !== 'otherwise' ? ofThread : (own ?? ofThread);
  }

  #saidSince(question: ApprovalQuestion): ApprovalVerdict | undefined {
    const since = this.#thread.session.filter(({ id }) => !this.#known.has(id!)); // each has one
    return new ApprovalRules({ rules: since }).verdictOn(question);
  }
}
