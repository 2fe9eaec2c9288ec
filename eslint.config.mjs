import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'out/',
    'coverage/',
    '.world/',
    '.venv/',
    '.setup/',
    'my/',
    'services/crypto-stub/',
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', { max: 3 }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration',
          message: 'Named exports only: a thing has one name everywhere.',
        },
      ],
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // An implementation of an asynchronous contract may have nothing to wait for; `async` makes its errors rejections.
      '@typescript-eslint/require-await': 'off',
      // `() => timer.stop()` is read as what it does.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A number in a text is read as the number that it is.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A name with an underscore is there for the shape's sake.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['test/**', 'examples/**'],
    // A `describe` holds its tests: its length says nothing.
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // `hyperty run FILE` runs the default export of the file.
    files: ['examples/**'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Configuration: the tools ask for a default export, and most of what they take has no types. The programs in bin
    // are there to start the typed sources.
    files: ['*.mjs', '.*.mjs', '*/bin/*.js'],
    ignores: ['setup.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
    // TypeScript checks these files too and knows the globals better.
    rules: { 'no-undef': 'off' },
  },
);
