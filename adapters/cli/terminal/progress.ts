/** What the run is doing right now, in a few words. */
import type { RunEvent } from '../../../actors/runView.ts';
import { shortened } from '../wording.ts';

export class Progress {
  readonly #tools = new Map<string, string>();
  /** How far tools say they have come. */
  readonly #words = new Map<string, string>();
  readonly #began = Date.now();
  #doing = 'starting';

  add(event: RunEvent): void {
    switch (event.type) {
      case 'turn.started':
        this.#doing = `${event.agent} is thinking`;
        return;
      case 'delta':
        if (event.data.type === 'output_text_delta') this.#doing = `${event.agent} is answering`;
        return;
      case 'turn.retrying':
        this.#doing = `${event.agent} waits to try again`;
        return;
      case 'tool.progress':
        if (this.#tools.has(event.id)) this.#words.set(event.id, shortened(typeof event.value === 'string' ? event.value : (JSON.stringify(event.value) ?? ''), 40));
        return;
      case 'thread.changed':
        if (event.phase !== undefined) this.#doing = PHASES[event.phase] ?? this.#doing;
        return;
      case 'tool.started':
        this.#tools.set(event.id, event.call.name);
        return;
      case 'item.completed':
        this.#tools.delete(event.id);
        this.#words.delete(event.id);
        return;
      default: // Nothing that takes time begins with the others.
        return;
    }
  }

  /** The line at a time, with a sign of life. */
  text(now: number = Date.now()): string {
    const passed = now - this.#began;
    const doing = this.#tools.size > 0 ? `running ${[...this.#tools].map(([id, name]) => `${name}${this.#words.has(id) ? ` (${this.#words.get(id)})` : ''}`).join(', ')}` : this.#doing;
    return `${FRAMES[Math.floor(passed / FRAME_MS) % FRAMES.length]} ${doing} · ${Math.floor(passed / 1000)} s · Ctrl-C interrupts`;
  }
}

const PHASES: Readonly<Record<string, string>> = { compacting: 'summing up the conversation', judging: 'looking whether the goal is reached', stopping: 'stopping', closing: 'closing' };
export const FRAME_MS = 120;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
