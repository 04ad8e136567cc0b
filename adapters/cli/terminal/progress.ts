/** What the run is doing right now, in a few words. */
import type { RunEvent } from '../../../actors/runView.ts';

export class Progress {
  readonly #tools = new Map<string, string>();
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
      case 'tool.started':
        this.#tools.set(event.id, event.call.name);
        return;
      case 'item.completed':
        this.#tools.delete(event.id);
        return;
      default: // Nothing that takes time begins with the others.
        return;
    }
  }

  /** The line at a time, with a sign of life. */
  text(now: number = Date.now()): string {
    const passed = now - this.#began;
    const doing = this.#tools.size > 0 ? `running ${[...this.#tools.values()].join(', ')}` : this.#doing;
    return `${FRAMES[Math.floor(passed / FRAME_MS) % FRAMES.length]} ${doing} · ${Math.floor(passed / 1000)} s · Ctrl-C interrupts`;
  }
}

export const FRAME_MS = 120;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
