/** The view of a thread as it is when somebody begins to look. */
import type { RunToolApprovalItem } from '../approvalItem.ts';
import type { ThreadLook } from '../thread/types.ts';
import type { Usage } from '../usage.ts';
import { argumentsOf } from './itemText.ts';
import { depthOf } from './paths.ts';
import { entriesOf } from './transcript.ts';
import { EMPTY_VIEW, type PendingRequest, type ThreadView, type UsageView } from './types.ts';

/** What the run that is going was told and brings is not in it: its events tell that, from its begin. */
export function viewOfLook(look: ThreadLook, interruptions: readonly RunToolApprovalItem[], { keepEntries = 1_000 } = {}): ThreadView {
  const entries = entriesOf(look.history, (at) => ({ id: `history/${at}`, path: '', runId: runAt(look, at), agent: look.agent, depth: depthOf(''), at: 0 }));
  return {
    ...EMPTY_VIEW,
    state: look.state,
    phase: look.phase ?? null,
    agent: look.agent,
    activeRunId: look.activeRunId ?? null,
    transcript: entries.slice(-keepEntries),
    pending: interruptions.map(requestOf),
    queue: look.queue,
    mailbox: look.mailbox,
    rules: look.rules,
    goal: look.goal,
    usage: usageOf(look.usage),
  };
}

export const usageOf = ({ requests, inputTokens, outputTokens, totalTokens }: Usage): UsageView => ({ requests, inputTokens, outputTokens, totalTokens });

function requestOf(item: RunToolApprovalItem): PendingRequest {
  const { questions, reason, expiresAt } = item;
  return {
    id: item.id, path: item.id.slice(0, item.id.lastIndexOf('/')), agent: item.agent.name, tool: item.name ?? '', arguments: argumentsOf(item.rawItem),
    kind: item.uncertain ? 'uncertain' : questions ? 'question' : 'approval',
    ...(questions && { questions }), ...(reason === undefined ? {} : { reason }), ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** The run that brought an item, as far as it is known. */
const runAt = ({ runs }: ThreadLook, at: number): string => runs.findLast(({ from }) => from !== null && from <= at)?.runId ?? '';
