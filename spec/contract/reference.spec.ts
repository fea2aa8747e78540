import {
  collectedToStreamEvents,
  describeCause,
  errorFromResponse,
  idleLimitOf,
  InferenceExecutionError,
  interruptCauseOf,
  openBackoff,
  planRecovery,
  RETRY_AFTER_CAP,
  snapshotFromPartials,
  streamBackoff,
  type ContentBlock,
  type InferenceErrorKind,
  type InterruptCause,
  type InterruptSnapshot,
  type JsonValue,
  type LlmStreamEvent,
  type ReasoningEffort,
  type StreamResult,
  type TokenUsage,
} from '../../src/index.js';
import { inOurWords, referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';

interface ReferenceError {
  kind: string;
  message?: string;
  retry_after_ms?: number;
  cause?: unknown;
}

function errorOf({ kind, message = '', retry_after_ms, cause }: ReferenceError): InferenceExecutionError {
  return new InferenceExecutionError(inOurWords(kind, 'kind') as InferenceErrorKind, message, {
    retryAfter: retry_after_ms,
    ...(cause === undefined ? {} : { interruption: inOurWords(cause) as InterruptCause }),
  });
}

/** The answer that is asserted: ours where the case shows a defect, else the reference's. */
function answer(test: ReferenceCase, ours: Record<string, unknown>): unknown {
  if (test.defect === undefined) return test.expected;
  if (!(test.id in ours)) throw new Error(`${test.id} is marked ${test.defect}: say what the better answer is`);
  return ours[test.id];
}

describe('snapshotFromPartials, by the cases of the reference', () => {
  // The rule is ported to the letter, defects included: what is better is in the accumulator, and in `inFlightTools`.
  it.each(referenceCases('snapshot').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const input = test.input as { text: string | null; partials: [string, string, string][]; bytes_received: number };

      const snapshot = snapshotFromPartials(input.text, input.partials, input.bytes_received);

      expect(snapshot).toMatchObject(inOurWords(test.expected) as object);
      expect(snapshot.inFlightTools.at(-1) ?? null).toEqual(snapshot.inFlightTool);
      expect(snapshot.completedToolCalls.length + snapshot.inFlightTools.length).toBe(input.partials.length);
    },
  );

  it('should list every open call, not only the last (W7)', () => {
    const { inFlightTools } = snapshotFromPartials(
      null,
      [
        ['a', 'f', '{"p":'],
        ['b', 'g', '{"q":1}'],
        ['c', 'h', '{'],
      ],
      0,
    );

    expect(inFlightTools.map(({ id }) => id)).toEqual(['a', 'c']);
  });
});

describe('planRecovery, by the cases of the reference', () => {
  it.each(referenceCases('plan').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const { snapshot } = inOurWords(test.input) as { snapshot: Partial<InterruptSnapshot> };

      expect(planRecovery(snapshot)).toEqual(inOurWords(test.expected));
    },
  );

  it('should reattach first where there is a live cursor', () => {
    const cursor = { provider: 'openai', runId: 'resp_1', after: 7 };

    expect(planRecovery({ text: 'Hello', cursor })).toEqual({ kind: 'reattach', cursor });
  });
});

describe('collectedToStreamEvents, by the cases of the reference', () => {
  it.each(referenceCases('collected_events').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      expect(collectedToStreamEvents(resultOf(test.input['result'] as Record<string, unknown>))).toEqual(
        (test.expected as Record<string, unknown>[]).map(eventOf),
      );
    },
  );

  it('should send no arguments as an empty object, not as null (W17)', () => {
    const events = collectedToStreamEvents({ toolCalls: [{ id: 'c', name: 's', arguments: null }] });

    expect(events[1]).toEqual({ type: 'tool-call-delta', id: 'c', argsDelta: '{}' });
  });
});

function resultOf(raw: Record<string, unknown>): Partial<StreamResult> {
  const blocks = (raw['content'] ?? []) as Record<string, unknown>[];
  return {
    content: blocks.map((block): ContentBlock => {
      if (block['type'] === 'thinking') return { type: 'reasoning', text: String(block['thinking']) };
      if (block['type'] !== 'tool_use') return inOurWords(block) as ContentBlock;
      const { id, name, input } = block as { id: string; name: string; input: JsonValue };
      return { type: 'tool-call', id, name, arguments: input };
    }),
    toolCalls: (raw['tool_calls'] ?? []) as StreamResult['toolCalls'],
    ...(raw['usage'] ? { usage: inOurWords(raw['usage']) as TokenUsage } : {}),
    ...(raw['stop_reason']
      ? { stopReason: inOurWords(raw['stop_reason'], 'stop_reason') as StreamResult['stopReason'] }
      : {}),
  };
}

function eventOf({ delta, ...rest }: Record<string, unknown>): LlmStreamEvent {
  return { ...(inOurWords(rest) as object), ...(delta === undefined ? {} : { text: delta }) } as LlmStreamEvent;
}

describe('InferenceExecutionError, by the cases of the reference', () => {
  it.each(referenceCases('error_semantics').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const error = errorOf(test.input['error'] as ReferenceError);

      expect({
        counts_toward_circuit_breaker: error.countsTowardCircuitBreaker,
        display: error.message,
        retry_after_ms: error.retryAfter ?? null,
        retryable: error.isRetryable,
      }).toEqual(test.expected);
    },
  );
});

describe('describeCause, by the cases of the reference', () => {
  it.each(referenceCases('cause_display').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      expect(describeCause(inOurWords(test.input['cause']) as InterruptCause)).toBe(test.expected);
    },
  );

  it('should say the causes that the reference does not know', () => {
    expect(describeCause({ kind: 'truncated' })).toBe('stream ended early');
    expect(describeCause({ kind: 'provider-5xx', status: 529 })).toBe('provider 529 mid-stream');
    expect(describeCause({ kind: 'resumed-from-checkpoint' })).toBe('resumed from checkpoint');
  });
});

describe('interruptCauseOf, by the cases of the reference', () => {
  const better: Record<string, unknown> = {
    // A provider that says it was idle has stalled; nothing was reset.
    M11: { kind: 'idle-stall' },
    // The cause is the reference's; what it drops, the wait that the provider asked for, stays on the error.
    M12: { kind: 'connection-reset' },
  };

  it.each(referenceCases('mid_stream_classification').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const input = test.input['error'] as ReferenceError;
      const error = errorOf(input);

      expect(interruptCauseOf(error)).toEqual(inOurWords(answer(test, better)));
      expect(error.retryAfter).toBe(input.retry_after_ms);
    },
  );

  it.each([500, 502, 503, 504, 529])('should keep the status %d of a failure in mid-stream (W23)', (status) => {
    const error = new InferenceExecutionError('provider', `${status} went wrong`);

    expect(interruptCauseOf(error)).toEqual({ kind: 'provider-5xx', status });
  });

  it('should not take a longer number for a status (W23)', () => {
    expect(interruptCauseOf(new InferenceExecutionError('provider', '5029 tokens were made'))).toEqual({
      kind: 'connection-reset',
    });
  });

  it.each([
    ['ECONNRESET', { kind: 'connection-reset' }],
    ['UND_ERR_SOCKET', { kind: 'connection-reset' }],
    ['UND_ERR_BODY_TIMEOUT', { kind: 'idle-stall' }],
    ['ERR_HTTP2_GOAWAY_SESSION', { kind: 'go-away' }],
  ])('should find the code %s along the chain of causes', (code, cause) => {
    const socket = Object.assign(new Error('socket'), { code });

    expect(interruptCauseOf(new TypeError('something', { cause: socket }))).toEqual(cause);
    expect(interruptCauseOf(new InferenceExecutionError('provider', 'x', { cause: socket }))).toEqual(cause);
  });

  it('should leave alone what says nothing about the connection', () => {
    expect(interruptCauseOf(new RangeError('a bug'))).toBeNull();
    expect(interruptCauseOf(new DOMException('aborted', 'AbortError'))).toBeNull();
    expect(interruptCauseOf('reset')).toBeNull();
  });

  it('should not hang on a chain of causes that bites its tail', () => {
    const error = new Error('loop');
    error.cause = error;

    expect(interruptCauseOf(error)).toBeNull();
  });
});

describe('errorFromResponse, by the cases of the reference', () => {
  const better: Record<string, unknown> = {
    // A fraction of a second is a wait like any other.
    H03: { kind: 'rate_limited', retry_after_ms: 1500 },
    // A request in conflict stays in conflict: it is not retried.
    H16: { kind: 'invalid_request' },
  };

  it.each(referenceCases('http_classification').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const {
        status,
        message,
        body,
        retry_after_header: wait,
      } = test.input as {
        status?: number;
        message?: string;
        body?: string;
        retry_after_header?: string;
      };
      const headers = wait === undefined ? {} : { 'Retry-After': wait };
      const expected = inOurWords(answer(test, better)) as { kind: string; retryAfterMs?: number | null };

      const error = errorFromResponse({ status, headers, body, message });

      expect(error.kind).toBe(expected.kind);
      expect(error.retryAfter ?? null).toBe(expected.retryAfterMs ?? null);
    },
  );

  it('should not take "generate" for a rate limit (W24)', () => {
    expect(errorFromResponse({ message: 'could not generate an answer' }).kind).toBe('provider');
  });
});

describe('openBackoff and streamBackoff, by the cases of the reference', () => {
  const better: Record<string, unknown> = {
    // An hour is not waited inside one call.
    B11: RETRY_AFTER_CAP,
  };

  it.each(referenceCases('backoff').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const { policy, error, attempt } = test.input as {
        policy: { backoff_base_ms?: number; overloaded_backoff_base_ms?: number };
        error: ReferenceError;
        attempt: number;
      };
      const config = { base: policy.backoff_base_ms, overloadedBase: policy.overloaded_backoff_base_ms };

      expect(openBackoff(errorOf(error), attempt, config)).toBe(answer(test, better));
    },
  );

  it.each(referenceCases('stream_backoff').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const { cause, attempt } = test.input as { cause: unknown; attempt: number };

      expect(streamBackoff(inOurWords(cause) as InterruptCause, attempt)).toBe(test.expected);
    },
  );
});

describe('idleLimitOf, by the cases of the reference', () => {
  const better: Record<string, unknown> = {
    // A provider's prefix does not make the model another one.
    I06: 120_000,
    // Who switches reasoning off does not wait for it.
    I10: 60_000,
    // o100 is no o1.
    I11: 60_000,
  };

  it.each(referenceCases('idle_timeout').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const { request } = test.input as {
        request: { upstream_model: string; overrides: { reasoning_effort?: ReasoningEffort } | null };
      };
      const overrides = request.overrides ? { reasoningEffort: request.overrides.reasoning_effort } : undefined;

      expect(idleLimitOf({ model: request.upstream_model, overrides })).toBe(answer(test, better));
    },
  );
});
