import { benchAccumulate } from './accumulate.js';
import { judge } from './measure.js';
import { benchWires } from './wires.js';

const goals = [...(await benchWires()), ...(await benchAccumulate())];
process.exitCode = judge(goals) ? 0 : 1;
