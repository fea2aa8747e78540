export { connect } from './connect.js';
export type { ConnectOptions, Reconnection } from './ConnectOptions.js';
export type { FetchLike } from '../wire/Transport.js';
