/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';
import { readEntryPoints } from './scripts/entryPoints.ts';

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['<rootDir>/spec/**/*.spec.ts'],
  setupFilesAfterEnv: ['<rootDir>/spec/helpers/setup.ts'],
  moduleNameMapper: {
    ...Object.fromEntries(readEntryPoints().map(({ specifier, source }) => [`^${specifier}$`, `<rootDir>/${source}`])),
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          target: 'ES2022',
          module: 'commonjs',
          moduleResolution: 'bundler',
          esModuleInterop: true,
          isolatedModules: true,
          resolveJsonModule: true,
        },
      },
    ],
  },
  maxWorkers: 2,
};

export default config;
