/** The view of a thread as it is when somebody begins to look. */
import type { RunToolApprovalItem } from '../approvalItem.ts';
import type { ThreadLook } from '../thread/types.ts';
import type { Usage } from '../usage.ts';
import { argumentsOf } from './itemText.ts';
import { depthOf } from './paths.ts';
import { entriesOf } from './transcript.ts';
import { EMPTY_VIEW, type PendingRequest, type ThreadView, type UsageView } from './types.ts';

/** What a run that is going brings is not in it: its events tell that, from its begin. */
export function viewOfLook(look: ThreadLook, interruptions: readonly RunToolApprovalItem[], { keepEntries = 1_000 } = {}): ThreadView {
  const settled = look.history.slice(0, settledLength(look));
  const entries = entriesOf(settled, (at) => ({ id: `history/${at}`, path: '', runId: runAt(look, at), agent: look.agent, depth: depthOf(''), at: 0 }));
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
  const { questions, reason } = item as { questions?: readonly unknown[]; reason?: string }; // of calls that ask
  return {
    id: item.id, path: item.id.slice(0, item.id.lastIndexOf('/')), agent: item.agent.name, tool: item.name ?? '', arguments: argumentsOf(item.rawItem),
    kind: item.uncertain ? 'uncertain' : questions ? 'question' : 'approval',
    ...(questions && { questions }), ...(reason === undefined ? {} : { reason }), ...(item.expiresAt === undefined ? {} : { expiresAt: item.expiresAt }),
  };
}

/** Items that were there before the run that is going. */
function settledLength({ activeRunId, history, runs }: ThreadLook): number {
  if (activeRunId === undefined) return history.length;
  return runs.find(({ runId }) => runId === activeRunId)?.from ?? history.length;
}

/** The run that brought an item, as far as it is known. */
const runAt = ({ runs }: ThreadLook, at: number): string => runs.findLast(({ from }) => from !== null && from <= at)?.runId ?? '';
