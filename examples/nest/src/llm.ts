import type { FactoryProvider } from '@nestjs/common';
import { withRecovery, type LlmExecutor } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';

/** Token under which the executor is injected. */
export const LLM = Symbol('LLM');

/** A model whose answers survive being cut off. Tests provide another one under the same token. */
export const llmProvider: FactoryProvider<LlmExecutor> = {
  provide: LLM,
  useFactory: () => {
    const apiKey = process.env['ANTHROPIC_API_KEY'] ?? '';
    return withRecovery(anthropicMessages({ apiKey }), { count: 3 });
  },
};
