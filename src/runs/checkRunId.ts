const RUN_ID = /^[\w.:-]{1,200}$/;

/** Run ids become keys, subjects and headers. @throws TypeError when it is no id. */
export function checkRunId(runId: unknown): string {
  if (typeof runId === 'string' && RUN_ID.test(runId)) return runId;
  throw new TypeError(
    `a run id has 1 to 200 letters, digits and "._:-", not ${JSON.stringify(runId)?.slice(0, 80) ?? typeof runId}`,
  );
}

/** @throws TypeError when it is no id, RangeError when the lease would take no time. */
export function checkClaim(runId: unknown, ttl: number): void {
  checkRunId(runId);
  if (!(ttl > 0)) throw new RangeError(`claim: ttl is a positive number of milliseconds, not ${ttl}`);
}
