import { builtinModules } from 'node:module';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import jest from 'eslint-plugin-jest';
import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

/** The entry points that may use Node; everything else in src runs in browsers, workers and edge runtimes too. */
const nodeFolders = ['src/testing/**', 'src/cli/**', 'src/redis/**', 'src/nats/**'];

const clockAndChance = 'time and chance come in from outside: use a SchedulerLike or an injected function';
const nodeOnly = 'the core runs without Node: use what the web platform has';

const restrictedSyntax = [
  {
    selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
    message: 'a cast through unknown hides a wrong type: narrow it, or fix the type',
  },
  { selector: 'ExportAllDeclaration', message: 'name what is exported' },
];

export default defineConfig(
  // bench/compare and two of the examples are packages of their own, whose dependencies are not installed here.
  {
    ignores: ['dist/', '.tmp/', 'coverage/', 'node_modules/', 'bench/compare/', 'examples/nest/', 'examples/angular/'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, rxjsX.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Character codes are compared with enums of them.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', ...restrictedSyntax],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: nodeFolders,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['node:*'], message: nodeOnly }],
          paths: builtinModules.map((name) => ({ name, message: nodeOnly })),
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({
          name,
          message: clockAndChance,
        })),
        ...['process', 'Buffer', 'global', 'require', '__dirname'].map((name) => ({ name, message: nodeOnly })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'AbortSignal', property: 'timeout', message: clockAndChance },
        ...['setTimeout', 'setInterval', 'process', 'Buffer'].map((property) => ({
          object: 'globalThis',
          property,
          message: nodeOnly,
        })),
      ],
      'no-restricted-syntax': [
        'error',
        ...restrictedSyntax,
        // Only calls: as the default of an injected function, `Math.random` itself is welcome.
        ...['Date.now', 'Math.random', 'crypto.randomUUID'].map((name) => {
          const [object, property] = name.split('.');
          const selector = `CallExpression[callee.object.name="${object}"][callee.property.name="${property}"]`;
          return { selector, message: clockAndChance };
        }),
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clockAndChance },
        { selector: 'ImportExpression[source.value=/^node:/]', message: nodeOnly },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['spec/**/*.spec.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {
      'jest/no-commented-out-tests': 'error',
      'jest/no-disabled-tests': 'error',
      'jest/valid-title': [
        'error',
        { ignoreTypeOfDescribeName: true, mustMatch: { it: ['^should ', 'a test is named `should …`'] } },
      ],
      'jest/consistent-test-it': ['error', { fn: 'it', withinDescribe: 'it' }],
      // The jest setup asks every test for an assertion at run time, also for those inside a marble callback.
      'jest/expect-expect': 'off',
      'jest/no-standalone-expect': 'off',
      'jest/no-conditional-expect': 'off',
    },
  },
  {
    files: ['spec/**/*.ts'],
    rules: {
      // Specs read recorded JSON and break contracts on purpose.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-control-regex': 'off',
      // A fake answers as asynchronously as what it stands for.
      '@typescript-eslint/require-await': 'off',
      'rxjs-x/throw-error': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
);
