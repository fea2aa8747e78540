/** True when the model was stopped against its will: what it had asked for is not carried out. */
export function wasStopped(reason: string | undefined): boolean {
  return reason === 'content-filter' || reason === 'refusal';
}

/** True when the model may have been about to say more: a call without arguments may have been cut before its first one. */
export function wasCut(reason: string | undefined): boolean {
  return reason === 'max-tokens' || wasStopped(reason);
}
