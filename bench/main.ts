import { benchAccumulate } from './accumulate.js';
import { benchFormats } from './formats.js';
import { benchPartialJson } from './partialJson.js';
import { judge } from './measure.js';
import { benchWires } from './wires.js';

const goals = [
  ...(await benchWires()),
  ...(await benchFormats()),
  ...(await benchAccumulate()),
  ...(await benchPartialJson()),
];
process.exitCode = judge(goals) ? 0 : 1;
