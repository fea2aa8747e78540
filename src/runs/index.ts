export { adoptOrphans, type AdoptConfig, type Adoption } from './adoptOrphans.js';
export {
  checkpointStore,
  type CheckpointExpectation,
  type CheckpointStoreConfig,
  type StreamCheckpoint,
  type StreamCheckpointStore,
} from './checkpointStore.js';
export { durable, type DurableConfig } from './durable.js';
export { followRun, type FollowConfig, type FollowedEvent } from './followRun.js';
export { memoryRunLog, type MemoryRunLogConfig } from './memoryRunLog.js';
export { resumeRun, type ProduceConfig, type ResumeRunConfig } from './resumeRun.js';
export type { ClaimConfig, Fence, RunEndEvent, RunEntry, RunEvent, RunHead, RunLog, RunStartEvent } from './RunLog.js';
export { isRunLogError, RunLogError, type RunLogErrorCode } from './RunLogError.js';
export type { GroupConfig } from './storeEvents.js';
