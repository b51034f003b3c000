import type { ViteUserConfig } from 'vitest/config';

/** What runs the built package as a user has it; dist is built first where a source is newer. */
const BUILT = ['test/cli/**/*.test.ts', 'test/package/**/*.test.ts', 'test/docs.test.ts'];

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
          exclude: BUILT,
          globalSetup: ['test/package/left-out.ts'],
        },
      },
      { extends: true, test: { name: 'package', include: BUILT, globalSetup: ['test/package/build.ts'] } },
    ],
  },
};

export default config;
