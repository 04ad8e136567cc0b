import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ToolTimeoutError } from '../../actors/errors.ts';
import { RunContext } from '../../actors/runContext.ts';
import { describeToolFailure, describeToolTimeout, invokeFunctionTool, tool, toolTimeoutText } from '../../actors/tool.ts';
import { isAbortEcho } from '../../actors/toolInvocation.ts';

const runContext = new RunContext();
const base = { name: 'slow', description: '', parameters: z.object({}) };
const never = () => new Promise<string>(() => undefined);
/** Ends when told to, like a body that respects its signal. */
const untilAborted = (signal: AbortSignal | undefined) =>
  new Promise<string>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

describe('a timeout', () => {
  test('is a result that the model reads, and aborts the body', async () => {
    let reason: unknown;
    const slow = tool({ ...base, timeoutMs: 1, execute: (_input, _context, details) => { details?.signal?.addEventListener('abort', () => { reason = details.signal?.reason; }); return never(); } });
    expect(await slow.invoke(runContext, '{}')).toBe("Tool 'slow' timed out after 1ms.");
    expect(reason).toBeInstanceOf(ToolTimeoutError);
  });

  test('is the same when the body ends by throwing the reason', async () => {
    const slow = tool({ ...base, timeoutMs: 1, execute: (_input, _context, details) => untilAborted(details?.signal) });
    expect(await slow.invoke(runContext, '{}')).toBe(toolTimeoutText('slow', 1));
  });

  test('may be worded by the tool, or raised', async () => {
    const worded = tool({ ...base, timeoutMs: 1, execute: never, timeoutErrorFunction: (_context, error) => `${error.toolName}/${error.timeoutMs}` });
    expect(await worded.invoke(runContext, '{}')).toBe('slow/1');
    const raising = tool({ ...base, timeoutMs: 1, execute: never, timeoutBehavior: 'raise_exception' });
    await expect(raising.invoke(runContext, '{}')).rejects.toBeInstanceOf(ToolTimeoutError);
  });

  test('of a structured tool must fit its schema', async () => {
    const declare = (late: unknown) => tool({
      ...base, timeoutMs: 1, execute: () => never() as never, outputSchema: z.object({ id: z.string() }), timeoutBehavior: 'error_as_result', timeoutErrorFunction: () => late as { id: string },
    });
    expect(await declare({ id: 'late' }).invoke(runContext, '{}')).toEqual({ id: 'late' });
    await expect(declare({ id: 1 }).invoke(runContext, '{}')).rejects.toThrow("Invalid output of tool 'slow'");
  });

  test('of a copy is the copy\'s own when invoked as a tool', async () => {
    const patient = tool({ ...base, execute: never });
    expect(await invokeFunctionTool({ tool: { ...patient, timeoutMs: 1 }, runContext, input: '{}' })).toBe(toolTimeoutText('slow', 1));
    const quick = tool({ ...base, timeoutMs: 1, timeoutBehavior: 'raise_exception', execute: () => 'quick' });
    expect(await invokeFunctionTool({ tool: quick, runContext, input: '{}' })).toBe('quick');
  });

  test('leaves no listener on the caller\'s signal', async () => {
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const watched = new Proxy(signal, {
      get: (target, key) => {
        if (key === 'addEventListener') return (_type: string, listener: unknown) => void listeners.add(listener);
        if (key === 'removeEventListener') return (_type: string, listener: unknown) => void listeners.delete(listener);
        return Reflect.get(target, key, target) as unknown;
      },
    });
    await tool({ ...base, timeoutMs: 1_000, execute: () => 'done' }).invoke(runContext, '{}', { signal: watched });
    expect(listeners.size).toBe(0);
  });
});

describe('an abort', () => {
  test('reaches the body through a timeout, and its echo is not shown to the model', async () => {
    const slow = tool({ ...base, timeoutMs: 10_000, execute: (_input, _context, details) => untilAborted(details?.signal) });
    const controller = new AbortController();
    const result = slow.invoke(runContext, '{}', { signal: controller.signal });
    controller.abort(new Error('stop'));
    await expect(result).rejects.toThrow('stop');
  });

  test('that came before the call is there from the start', async () => {
    const slow = tool({ ...base, timeoutMs: 10_000, execute: (_input, _context, details) => `aborted: ${details?.signal?.aborted}` });
    expect(await slow.invoke(runContext, '{}', { signal: AbortSignal.abort() })).toBe('aborted: true');
  });

  test('is no excuse for another error', async () => {
    const failing = tool({ ...base, execute: () => { throw new Error('bug'); } });
    expect(await failing.invoke(runContext, '{}', { signal: AbortSignal.abort() })).toContain('An error occurred');
    expect(isAbortEcho(new Error('x'), AbortSignal.abort())).toBe(false);
    expect(isAbortEcho(new DOMException('x', 'AbortError'), AbortSignal.abort())).toBe(true);
    expect(isAbortEcho(new DOMException('x', 'AbortError'), new AbortController().signal)).toBe(false);
    expect(isAbortEcho(new DOMException('x', 'AbortError'), undefined)).toBe(false);
  });
});

test('the loop words failures and timeouts as invoke does', async () => {
  const boom = new Error('boom');
  const plain = tool({ ...base, timeoutMs: 3, execute: never });
  expect(await describeToolFailure(plain, runContext, boom)).toBe('An error occurred while running the tool. Please try again.');
  expect(await describeToolTimeout(plain, runContext)).toBe(toolTimeoutText('slow', 3));
  await expect(describeToolFailure(tool({ ...base, execute: never, errorFunction: null }), runContext, boom)).rejects.toBe(boom);
  await expect(describeToolTimeout(tool({ ...base, timeoutMs: 3, execute: never, timeoutBehavior: 'raise_exception' }), runContext)).rejects.toBeInstanceOf(ToolTimeoutError);
  const structured = tool({ ...base, execute: () => ({ id: 'x' }), outputSchema: z.object({ id: z.string() }), errorFunction: () => ({ id: 3 as never }) });
  await expect(describeToolFailure(structured, runContext, boom)).rejects.toThrow('Invalid output');
});
