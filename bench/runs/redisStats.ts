/** What is used of a client of the package `redis`. */
export interface Client {
  sendCommand(args: string[]): Promise<unknown>;
}

/** What Redis holds and has done. */
export interface RedisStats {
  bytes: number;
  commands: number;
  cpuSeconds: number;
}

export async function statsOf(client: Client): Promise<RedisStats> {
  const reply = await client.sendCommand(['INFO', 'all']);
  const info = typeof reply === 'string' ? reply : '';
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? NaN);
  return {
    bytes: number('used_memory_dataset'),
    commands: number('total_commands_processed'),
    cpuSeconds: number('used_cpu_sys') + number('used_cpu_user'),
  };
}
