/** The order of play: which step answers the next request, and what is left. */
import { ScriptError } from './failures.ts';
import type { SingleStep, Step } from './steps.ts';

/** Steps unrolled: those played once, then those played for ever. */
interface Unrolled { once: SingleStep[]; forever: readonly SingleStep[] }

export class Script {
  #steps: Unrolled;
  #taken = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = unroll(steps);
  }

  /** How many steps were not played; 0 once only a loop is left. */
  get remaining(): number {
    return Math.max(0, this.#steps.once.length - this.#taken);
  }

  /** @throws ScriptError when the script ends in a loop, after which nothing can be reached. */
  add(steps: readonly Step[]): void {
    const { once, forever } = this.#steps;
    if (forever.length > 0) throw new ScriptError('Steps after a loop() are never reached. Make the loop the last step.');
    const added = unroll(steps);
    this.#steps = { once: [...once, ...added.once], forever: added.forever };
  }

  /** @throws ScriptError that names the request when no step is left. */
  take(requestNumber: number): SingleStep {
    const { once, forever } = this.#steps;
    const step = once[this.#taken] ?? forever[(this.#taken - once.length) % forever.length];
    if (!step) {
      const written = `${once.length} ${once.length === 1 ? 'step' : 'steps'}`;
      throw new ScriptError(`The script has ${written}, but request ${requestNumber} asks for another. Add a step, or end the script with loop().`);
    }
    this.#taken += 1;
    return step;
  }

  /** @throws ScriptError that lists what was not played. */
  assertDone(): void {
    if (this.remaining === 0) return;
    const left = this.#steps.once.slice(this.#taken).map(nameOf).join(', ');
    throw new ScriptError(`The run ended with ${this.remaining} scripted ${this.remaining === 1 ? 'step' : 'steps'} left: ${left}.`);
  }
}

function unroll(steps: readonly Step[]): Unrolled {
  const once: SingleStep[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'repeated') {
      once.push(step);
      continue;
    }
    const inner = unroll(step.steps);
    const forever = step.times === Infinity && inner.forever.length === 0 ? inner.once : inner.forever;
    if (forever.length > 0 && step.times > 0) {
      if (index < steps.length - 1) throw new ScriptError('Steps after a loop() are never reached. Make the loop the last step.');
      if (inner.forever.length > 0) once.push(...inner.once);
      return { once, forever };
    }
    for (let round = 0; round < step.times; round += 1) once.push(...inner.once);
  }
  return { once, forever: [] };
}

function nameOf(step: SingleStep): string {
  switch (step.kind) {
    case 'answer': return step.parts.length === 0 ? 'an empty answer' : step.parts.map(({ item }) => itemName(item)).join(' + ');
    case 'fail': return 'a failure';
    case 'disturbed': return `${nameOf(step.step)} (${step.disturbance.kind} after ${step.after} events)`;
    case 'delayed': return `${nameOf(step.step)} (after ${step.ms} ms)`;
    case 'computed': return 'a computed answer';
  }
}

function itemName(item: { type?: string; name?: string }): string {
  return item.type === 'function_call' ? `a call of ${item.name}` : `a ${item.type ?? 'message'} item`;
}
