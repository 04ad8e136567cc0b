import type { EffectIo } from '../host.ts';

interface Deadline {
  ms: number;
  /** Why the work is told to stop. */
  late: Error;
  /** Hears what work that was too late brings all the same. */
  tellLate?: (value: unknown) => void;
}

/**
 * Does the work under a time limit of its own, in ms. When the time is over the work is told to stop and not waited for.
 * @returns the value, or nothing when it was late.
 */
export async function inTime<Value>(
  io: EffectIo,
  { ms, late, tellLate }: Deadline,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<{ value: Value } | undefined> {
  const controller = new AbortController();
  let timer: unknown;
  const passOn = () => {
    io.clock.clearTimeout(timer); // work that ignores its signal leaves no timer behind (J4)
    controller.abort(io.signal.reason);
  };
  io.signal.addEventListener('abort', passOn, { once: true });
  let isLate = false;
  const deadline = new Promise<undefined>((resolve) => {
    timer = io.clock.setTimeout(() => {
      isLate = true;
      resolve(undefined);
      controller.abort(late);
    }, ms);
  });
  try {
    const done = work(controller.signal).then((value) => {
      if (isLate) tellLate?.(value);
      return { value };
    });
    return await Promise.race([done, deadline]);
  } finally {
    io.clock.clearTimeout(timer);
    io.signal.removeEventListener('abort', passOn);
  }
}
