const RUN_ID = /^[\w.:-]{1,200}$/;

/** Run ids become keys, subjects and headers. @throws TypeError when it is no id. */
export function checkRunId(runId: unknown): string {
  if (typeof runId === 'string' && RUN_ID.test(runId)) return runId;
  throw new TypeError(
    `a run id has 1 to 200 letters, digits and "._:-", not ${JSON.stringify(runId)?.slice(0, 80) ?? typeof runId}`,
  );
}
