/** The events of a streamed run under the peer's names and shapes (I1). */
import type { StreamEvent } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import type { RunItem } from './items.ts';

/** Something the model sent, as it came, before the loop made anything of it. */
export type ResponseStreamEvent = StreamEvent;

/** One event of the model's own stream, forwarded at once (I3). */
export class RunRawModelStreamEvent {
  readonly type = 'raw_model_stream_event' as const;
  data: ResponseStreamEvent;
  /** Which provider API the event came from, where the model says so. */
  declare readonly source: string | undefined;

  constructor(data: ResponseStreamEvent, source?: string) {
    this.data = data;
    if (source !== undefined) this.source = source;
  }
}

export type RunItemStreamEventName =
  | 'message_output_created' | 'handoff_requested' | 'handoff_occurred' | 'tool_search_called' | 'tool_search_output_created'
  | 'tool_called' | 'tool_output' | 'reasoning_item_created' | 'compaction_item_created' | 'tool_approval_requested';

/** An item of the run is complete. */
export class RunItemStreamEvent {
  readonly type = 'run_item_stream_event' as const;
  name: RunItemStreamEventName;
  item: RunItem;

  constructor(name: RunItemStreamEventName, item: RunItem) {
    this.name = name;
    this.item = item;
  }
}

/** Another agent has the floor; the starting agent is announced too. */
export class RunAgentUpdatedStreamEvent {
  readonly type = 'agent_updated_stream_event' as const;
  agent: Agent<any, any>; // `any`: a run passes through agents of unlike types; the peer's type has it.

  constructor(agent: Agent<any, any>) {
    this.agent = agent;
  }
}

/**
 * What `for await` over a streamed run yields.
 *
 * @example
 * ```ts
 * import { RunRawModelStreamEvent, type RunStreamEvent } from 'loopchart';
 *
 * function print(event: RunStreamEvent) {
 *   if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') console.log(event.data.delta);
 * }
 * print(new RunRawModelStreamEvent({ type: 'output_text_delta', delta: 'Hello' })); // Hello
 * ```
 */
export type RunStreamEvent = RunRawModelStreamEvent | RunItemStreamEvent | RunAgentUpdatedStreamEvent;
