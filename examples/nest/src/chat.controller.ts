import { BadRequestException, Body, Controller, Inject, Query, RequestMethod, Sse } from '@nestjs/common';
import { userMessage, type LlmExecutor } from 'rx-llm';
import { toMessageEvents, type SseMessage } from 'rx-llm/server';
import type { Observable } from 'rxjs';
import { LLM } from './llm.js';

/** Streams answers. A client that goes away unsubscribes, and with that the request to the provider is aborted. */
@Controller('chat')
export class ChatController {
  constructor(@Inject(LLM) private readonly llm: LlmExecutor) {}

  /** For `EventSource`, which can only GET. */
  @Sse()
  ask(@Query('question') question?: string): Observable<SseMessage> {
    return this.answer(question);
  }

  /** For `connect` of `rx-llm/client`. */
  @Sse('', { method: RequestMethod.POST })
  post(@Body() body?: { question?: string }): Observable<SseMessage> {
    return this.answer(body?.question);
  }

  private answer(question: unknown): Observable<SseMessage> {
    if (typeof question !== 'string' || question.trim() === '') throw new BadRequestException('ask a question');
    return this.llm
      .executeStream({ model: 'claude-sonnet-4-5', messages: [userMessage(question)] })
      .pipe(toMessageEvents());
  }
}
