import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as dial, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** True when `nats-server` can be started. */
export const natsAvailable = spawnSync('nats-server', ['--version']).status === 0;

/** A NATS server of one's own, with JetStream on disk. */
export interface NatsServer {
  readonly port: number;
  readonly pid: number;
  connect(port?: number): Promise<NatsConnection>;
  /** Kills it as a crash would, and starts it again on the same port and files. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export async function startNats(): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rx-llm-nats-'));
  const port = await freePort();
  let child = await launch(port, folder);
  const connections: NatsConnection[] = [];
  return {
    port,
    get pid() {
      return child.pid!;
    },
    connect: async (to = port) => {
      const options = {
        servers: `127.0.0.1:${to}`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50,
        ignoreClusterUpdates: true,
      };
      const connection = await connect(options);
      connections.push(connection);
      return connection;
    },
    restart: async (whileAway) => {
      await end(child);
      await whileAway?.();
      child = await launch(port, folder);
    },
    stop: async () => {
      await Promise.all(connections.map((connection) => connection.close().catch(() => undefined)));
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, folder: string): Promise<ChildProcess> {
  const child = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}`);
    if (await answers(port)) return child;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('nats-server does not answer');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Describes tests that need NATS. Without it one test says so; it passes on a person's machine and fails in CI. */
export function describeNats(name: string, tests: (server: () => NatsServer) => void): void {
  describe(name, () => {
    if (!natsAvailable) {
      it('should run on NATS, but nats-server is missing: nothing of it was checked', () => {
        process.stderr.write(`${name}: skipped, there is no nats-server in the PATH\n`);
        expect({ nats: natsAvailable, requiredInCI: process.env['CI'] === 'true' }).toEqual({
          nats: false,
          requiredInCI: false,
        });
      });
      return;
    }
    let server: NatsServer | undefined;
    beforeAll(async () => {
      server = await startNats();
    });
    afterAll(() => server?.stop());
    tests(() => server!);
  });
}
