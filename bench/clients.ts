/* Serves many clients at once in one process: `tsx bench/clients.ts [clients] [deltas] [milliseconds between two deltas]`. */
import { manyClients } from './manyClients.js';

const [clients = 1_000, deltas = 200, every = 20] = process.argv.slice(2).map(Number);
const figures = await manyClients({ clients, deltas, vanishing: 3, every });
const { whole, broken, vanished, stopped, peak, milliseconds, perSecond, heap, left } = figures;
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

console.log(`${clients} clients, ${deltas} deltas each, one every ${every} ms, at most ${peak} streams at once`);
console.log(`  whole ${whole}, broken ${broken}, gone in the middle ${vanished} (${stopped} models stopped)`);
console.log(`  ${(milliseconds / 1000).toFixed(1)} s, ${perSecond} deltas a second from model to reader, over HTTP`);
console.log(`  heap ${megabytes(heap.before)} before, ${megabytes(heap.peak)} at most, ${megabytes(heap.after)} after`);
console.log(`  left: ${left.models} models, ${left.sockets} sockets, ${left.resources} resources`);
const lost = broken > 0 || left.models + left.sockets + left.resources > 0;
process.exitCode = lost ? 1 : 0;
