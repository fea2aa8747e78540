import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import { BUCKETS, METRIC } from './conventions.js';

/** What is measured. */
export interface Instruments {
  tokens: Histogram;
  duration: Histogram;
  firstChunk: Histogram;
  perChunk: Histogram;
  agent: Histogram;
  tool: Histogram;
  interruptions: Counter;
}

export function createInstruments(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, explicitBucketBoundaries: number[], description: string): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
  const { agentSeconds, seconds, tokens } = BUCKETS;
  return {
    tokens: histogram(METRIC.tokens, '{token}', tokens, 'Input and output tokens, all attempts together.'),
    duration: histogram(METRIC.duration, 's', seconds, 'Time from the request to the end of the answer.'),
    firstChunk: histogram(METRIC.firstChunk, 's', seconds, 'Time from the request to the first piece of the answer.'),
    perChunk: histogram(METRIC.perChunk, 's', seconds, 'Time between two pieces of the answer.'),
    agent: histogram(METRIC.agent, 's', agentSeconds, 'Time of a conversation with its tools.'),
    tool: histogram(METRIC.tool, 's', seconds, 'Time of one run of a tool.'),
    interruptions: meter.createCounter(METRIC.interruptions, {
      unit: '{interruption}',
      description: 'Answers that broke in the middle and were gone on with.',
    }),
  };
}
