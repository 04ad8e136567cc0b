/** The approval rules of a thread: its policy, and what was said for always since (M8). */
import type { RunOverrides, SessionRule } from '../../machines/protocol/thread.ts';
import { type ApprovalPolicy, type ApprovalRule, ApprovalRules } from '../approvalRules.ts';

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

/** What one run is told comes before what its thread says. */
export function rulesOfRun(thread: ApprovalRules, overrides: RunOverrides | undefined): ApprovalRules {
  const own = overrides?.approvalPolicy as ApprovalPolicy | undefined; // checked before it was recorded
  if (!own) return thread;
  return new ApprovalRules({ rules: [...own.rules, ...thread.list.map(({ id: _id, ...rule }) => rule)], otherwise: own.otherwise ?? thread.toJSON().otherwise });
}
