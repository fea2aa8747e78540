import type { Continuation, InferenceRequest, InterruptSnapshot, RecoveryPlan } from '../contract/index.js';

/**
 * Makes the request that goes on after an interruption: always from what was asked in the first place, with all the text
 * so far, so that a second interruption neither repeats nor loses a piece. A restart asks again as it was.
 */
export function continuationRequest(
  request: InferenceRequest,
  plan: RecoveryPlan,
  snapshot: InterruptSnapshot,
): InferenceRequest {
  const { continuation: before, ...original } = request;
  if (plan.kind === 'synthesize-tool-use') return request;
  // What is taken back is not gone on from, even when an earlier stream has shown it.
  if (plan.kind === 'whole-restart') return before?.prefix ? original : request;
  const reattach = plan.kind === 'reattach';
  const continuation: Continuation = {
    prefix: snapshot.text ?? '',
    cancelledTools: reattach
      ? []
      : [...(before?.cancelledTools ?? []), ...snapshot.inFlightTools.map(({ id, name }) => ({ id, name }))],
    ...(reattach && { mechanism: 'reattach', cursor: plan.cursor }),
  };
  return { ...request, continuation };
}
