import type { ViteUserConfig } from 'vitest/config';

/** What runs the built package as a user has it; dist is built first where a source is newer. */
const BUILT = [
  'test/cli/**/*.test.ts',
  'test/package/**/*.test.ts',
  'test/docs.test.ts',
  'test/errors.test.ts',
  'test/compile/evm-docs.test.ts',
  'packages/*/test/**/*.test.ts',
];

/** What needs a GPU driver (npm run gpu): Dawn lives in processes of its own, not in worker threads. */
const GPU = ['test/gpu/**/*.test.ts'];

const config: ViteUserConfig = {
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'sources',
          include: ['test/**/*.test.ts'],
          exclude: [...BUILT, ...GPU],
          globalSetup: ['test/package/left-out.ts'],
        },
      },
      { extends: true, test: { name: 'package', include: BUILT, globalSetup: ['test/package/build.ts'] } },
      ...(process.env.SAMEBIT_GPU === undefined
        ? []
        : [{ extends: true as const, test: { name: 'gpu', include: GPU, pool: 'forks' as const } }]),
    ],
  },
};

export default config;
