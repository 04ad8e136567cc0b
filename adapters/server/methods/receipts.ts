/** What a thread answers to a command, as the answer to a request. */
import type { Receipt, SteerReceipt, ThreadRun } from '../../../actors/thread/types.ts';
import { RequestFault, cannotSteerCompaction, submissionNotFound, threadNotFound, turnNotFound } from '../fault.ts';

type Rejected = Extract<Receipt, { status: 'rejected' }>;

/** @throws RequestFault when the thread did not take it. */
export function taken<Taken extends Receipt | SteerReceipt>(receipt: Taken): Exclude<Taken, { status: 'rejected' }> {
  if (receipt.status === 'rejected') throw faultFor(receipt as Rejected);
  return receipt as Exclude<Taken, { status: 'rejected' }>; // just seen
}

function faultFor({ reason, message, id }: Rejected): RequestFault {
  switch (reason) {
    case 'compacting':
      return cannotSteerCompaction();
    case 'unknownEntry':
      return submissionNotFound(id);
    case 'unknownPoint':
      return turnNotFound(id);
    case 'empty':
      return new RequestFault('input must not be empty');
    case 'closed':
      return threadNotFound(id);
    default:
      return new RequestFault(message);
  }
}

/** Its end is told by events; here nobody waits for it. */
export function letGo(run: ThreadRun): ThreadRun {
  for (const promise of [run.receipt, run.started, run.result]) promise.catch(() => undefined);
  return run;
}
