import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const { error: missing } = spawnSync('redis-server', ['--version']);

/** `describe` for what needs a Redis; it is skipped, and says so, where none is installed. */
export function describeRedis(name: string, body: () => void): void {
  if (missing) describe.skip(`${name} (redis-server is not installed)`, body);
  else describe(name, body);
}

/** A Redis of one's own. */
export interface RedisServer {
  port: number;
  url: string;
  /** Where nodes of a cluster speak to it. */
  busPort: number;
  /** False after it was ended. */
  readonly running: boolean;
  /** Ends it; what it has said so far about its append-only file is on the disk. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Begins again on the same port, with the same folder. */
  start(): Promise<void>;
  /** Ends it and deletes its folder. */
  close(): Promise<void>;
}

/** What {@link startRedis} can start. */
export interface RedisConfig {
  /** Defaults to false: nothing is persisted. */
  appendOnly?: boolean;
  /** As a node of a cluster; it takes others for dead after so many milliseconds. */
  cluster?: { nodeTimeout: number };
}

/** Starts a Redis on a free port. */
export async function startRedis({ appendOnly = false, cluster }: RedisConfig = {}): Promise<RedisServer> {
  const [port = 0, busPort = 0] = await freePorts(2);
  const dir = await mkdtemp(join(tmpdir(), 'rx-llm-redis-'));
  let child: ChildProcess | undefined;
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  args.push('--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'always', '--daemonize', 'no');
  if (cluster) {
    args.push('--cluster-enabled', 'yes', '--cluster-port', String(busPort));
    args.push('--cluster-node-timeout', String(cluster.nodeTimeout), '--cluster-require-full-coverage', 'no');
    args.push('--cluster-config-file', 'nodes.conf', '--repl-diskless-sync-delay', '0');
  }
  const start = async (): Promise<void> => {
    child = spawn('redis-server', args, { stdio: 'ignore' });
    await listening(port);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill(signal);
    await once(running, 'exit');
  };
  await start();
  return {
    ...{ port, busPort, url: `redis://127.0.0.1:${port}`, start },
    get running() {
      return child !== undefined;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    close: async () => {
      await end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function listening(port: number): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (await answers(port)) return;
    await wait(25);
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}

/** A way to a server that can be cut. */
export interface TcpProxy {
  port: number;
  /** Breaks all connections, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Starts a proxy to a local port. */
export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let broken = false;
  const server = createServer((from) => {
    if (broken) {
      from.destroy();
      return;
    }
    const to = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      broken = true;
      drop();
    },
    mend: () => {
      broken = false;
    },
    close: async () => {
      server.close();
      drop();
      await once(server, 'close');
    },
  };
}
