/** A tool that pays, and a process that dies while it does. */
import { Agent, type RunState, type ToolEffectCheck, type ToolOptions, tool } from 'loopchart';
import { calls, says } from 'loopchart/testing';
import { z } from 'zod';
import { mortal } from './mortal.ts';
import type { World } from './scenario.ts';

type Options = Partial<ToolOptions<z.ZodObject<{ order: z.ZodNumber }>>>;

/** What bodies have done to the world; it outlives every process. */
export class Till {
  /** By which key each body was told to pay. */
  readonly keys: (string | undefined)[] = [];
  readonly effects: (string | undefined)[] = [];
  readonly checked: string[] = [];
  #isStuck = true;

  /** Bodies do not come back until it is mended. @param check what the tool finds out about it. */
  pay(options: Options, check?: () => ToolEffectCheck | Promise<ToolEffectCheck>) {
    const checked = (key: string) => (this.checked.push(key), check!());
    return tool({
      name: 'pay', description: 'Pays.', parameters: z.object({ order: z.number() }), ...options, ...(check && { check: checked }),
      execute: (input, _context, details) => {
        const { order } = input as { order: number }; // as its parameters say
        this.keys.push(details!.idempotencyKey);
        this.effects.push(details!.effectId);
        if (this.#isStuck) return new Promise<never>(() => undefined);
        return `paid ${order}`;
      },
    } as ToolOptions<z.ZodObject<{ order: z.ZodNumber }>>);
  }

  mend(): void {
    this.#isStuck = false;
  }

  breakDown(): void {
    this.#isStuck = true;
  }
}

export const payDesk = (world: World, pay: ReturnType<Till['pay']>, more: Partial<ConstructorParameters<typeof Agent>[0]> = {}) =>
  new Agent({ name: 'Desk', model: world.model(calls('pay', { order: 7 }), says('Done.')), tools: [pay], ...more });

/** Begins the run, or goes on with it, lets the process die while the body of `pay` is at work, and leaves what is recorded. */
export async function killed(world: World, agent: Agent<any, any>, till: Till, input: string | RunState<any, any> = 'go') {
  const first = mortal();
  const bodies = till.effects.length;
  world.begin(agent, input, { journal: first.journal });
  while (till.effects.length === bodies) await world.clock.settle();
  first.die();
  till.mend();
  const journal = first.left('run_test');
  return { journal, agents: agent };
}

