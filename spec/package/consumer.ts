/*
 * What a stranger's program says about types: compiled against the published declarations, with two versions of TypeScript,
 * and never run.
 */
import { expectTypeOf } from 'expect-type';
import type { Observable } from 'rxjs';
import {
  accumulate,
  converse,
  InferenceExecutionError,
  objects,
  recover,
  textDeltas,
  tool,
  userMessage,
  withRecovery,
  type InferenceErrorKind,
  type InterruptSnapshot,
  type JsonValue,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
  type TokenUsage,
} from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { bedrockConverse } from 'rx-llm/bedrock';
import { connect } from 'rx-llm/client';
import { cohereChat } from 'rx-llm/cohere';
import { geminiGenerateContent, geminiInteractions } from 'rx-llm/google';
import { ollamaChat } from 'rx-llm/ollama';
import { openaiChat, openaiCompatible, openaiResponses } from 'rx-llm/openai';
import { traceConversation, withTelemetry } from 'rx-llm/otel';
import { sseResponse } from 'rx-llm/server';
import { scriptedExecutor, startLlmServer, type LlmServer } from 'rx-llm/testing';
import { z } from 'zod';

declare const executor: LlmExecutor;
declare const event: LlmStreamEvent;
const request = { model: 'm', messages: [userMessage('hello')] };

export const factories: ((options: { apiKey: string; baseUrl: string }) => LlmExecutor)[] = [
  ...[anthropicMessages, bedrockConverse, cohereChat, geminiGenerateContent, geminiInteractions, ollamaChat],
  ...[openaiChat, openaiResponses, (options: { apiKey: string }) => openaiCompatible('groq', options)],
];

export function events(): void {
  expectTypeOf(executor.executeStream(request)).toEqualTypeOf<Observable<LlmStreamEvent>>();
  expectTypeOf(executor.execute(request)).toEqualTypeOf<Observable<StreamResult>>();
  expectTypeOf(event).not.toBeAny();
  if (event.type === 'text-delta') expectTypeOf(event.text).toEqualTypeOf<string>();
  if (event.type === 'usage') expectTypeOf(event.usage).toEqualTypeOf<TokenUsage>();
  if (event.type === 'tool-call-ready') expectTypeOf(event.arguments).toEqualTypeOf<JsonValue>();
  if (event.type === 'interrupted' && event.cause.kind === 'provider-5xx') {
    expectTypeOf(event.cause.status).toEqualTypeOf<number>();
  }
  // @ts-expect-error there is no event of this type
  if (event.type === 'text') return;
  // @ts-expect-error a text delta has no arguments
  if (event.type === 'text-delta') void event.argsDelta;
}

export function operators(): void {
  const answer$ = executor.executeStream(request);
  const resubscribe = (next: typeof request): Observable<LlmStreamEvent> => executor.executeStream(next);
  expectTypeOf(answer$.pipe(recover({ request, resubscribe }), textDeltas())).toEqualTypeOf<Observable<string>>();
  expectTypeOf(answer$.pipe(accumulate())).toEqualTypeOf<Observable<StreamResult>>();
  expectTypeOf(withTelemetry(withRecovery(executor))).toEqualTypeOf<LlmExecutor>();
  const recipe = z.object({ title: z.string(), steps: z.array(z.string()) });
  answer$.pipe(objects(recipe)).subscribe((snapshot) => {
    if (snapshot.complete) expectTypeOf(snapshot.value).toEqualTypeOf<{ title: string; steps: string[] }>();
  });
  // @ts-expect-error the request is missing
  recover({ resubscribe });
}

export function tools(): void {
  const weather = tool({
    name: 'weather',
    description: 'Tells the weather.',
    inputSchema: z.object({ city: z.string(), days: z.number().optional() }),
    execute: ({ city, days }) => {
      expectTypeOf(city).toEqualTypeOf<string>();
      expectTypeOf(days).toEqualTypeOf<number | undefined>();
      return { celsius: 20 };
    },
  });
  const clock = tool({
    name: 'clock',
    description: 'Tells the time.',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    execute: ({ city }) => {
      expectTypeOf(city).toEqualTypeOf<string>();
      return city;
    },
  });
  converse(executor, request, { tools: [weather, clock] })
    .pipe(traceConversation())
    .subscribe((told) => {
      if (told.type === 'conversation-end') expectTypeOf(told.steps).toEqualTypeOf<number>();
      if (told.type === 'tool-execution-result') expectTypeOf(told.name).toEqualTypeOf<string>();
    });
}

export function errors(error: unknown): void {
  if (!(error instanceof InferenceExecutionError)) return;
  expectTypeOf(error.kind).toEqualTypeOf<InferenceErrorKind>();
  expectTypeOf(error.snapshot).toEqualTypeOf<InterruptSnapshot | undefined>();
  expectTypeOf(error.retryAfter).toEqualTypeOf<number | undefined>();
}

export async function bothEnds(): Promise<void> {
  expectTypeOf(connect({ url: '/chat' })).toEqualTypeOf<Observable<LlmStreamEvent>>();
  expectTypeOf(sseResponse(executor.executeStream(request))).toEqualTypeOf<Response>();
  expectTypeOf(scriptedExecutor([[event]])).toMatchTypeOf<LlmExecutor>();
  expectTypeOf(await startLlmServer({ answer: 'Hello.' })).toEqualTypeOf<LlmServer>();
}
