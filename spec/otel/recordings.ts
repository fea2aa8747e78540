import { AsyncLocalStorage } from 'node:async_hooks';
import { context, ROOT_CONTEXT, type Context, type ContextManager, type MetricAdvice } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

/** What telemetry has recorded in memory. */
export function recordings() {
  const spans = new InMemorySpanExporter();
  const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 30 });
  const metering = new MeterProvider({ readers: [reader] });
  return {
    config: { tracer: tracing.getTracer('spec'), meter: metering.getMeter('spec') },
    spans: () => spans.getFinishedSpans(),
    /** The metrics by name: of each row its attributes, and the sum and count of a histogram or the value of a counter. */
    metrics: async () => {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
      return Object.fromEntries(all.map((metric) => [metric.descriptor.name, rowsOf(metric)]));
    },
    descriptors: async () => {
      const { resourceMetrics } = await reader.collect();
      return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics).map(adviceOf);
    },
    close: () => Promise.all([tracing.shutdown(), metering.shutdown()]),
  };
}

/** What the instrument was asked to be; the exporter's type leaves it out. */
function adviceOf({ descriptor }: MetricData) {
  const { name, unit, advice } = descriptor as MetricData['descriptor'] & { advice?: MetricAdvice };
  return { name, unit, boundaries: advice?.explicitBucketBoundaries ?? [] };
}

export type Recordings = ReturnType<typeof recordings>;

function rowsOf({ dataPoints }: MetricData) {
  return dataPoints.map(({ attributes, value }) =>
    typeof value === 'object' && 'count' in value
      ? { attributes, count: value.count, sum: 'sum' in value ? value.sum : undefined }
      : { attributes, value },
  );
}

/** Keeps the active span over timers and promises, as Node's own context manager does. */
export function enableContext(): () => void {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, callback, self, ...args) => storage.run(active, () => callback.apply(self, args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  context.setGlobalContextManager(manager);
  return () => context.disable();
}
