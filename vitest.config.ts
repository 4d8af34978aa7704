import { defineConfig } from 'vitest/config';

/** The tiers, from fast and pure to the real process. A tier is a folder below `test/`. */
const tiers = ['unit', 'contract', 'integration', 'e2e'];

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    projects: tiers.map((tier) => ({
      extends: true,
      test: {
        name: tier,
        include: [`test/${tier}/**/*.test.ts`],
        testTimeout: tier === 'unit' ? 10_000 : 150_000,
        hookTimeout: 60_000,
        // Most of a process's life is waiting, for passes and for the phone: files side by side cost little.
        ...(tier === 'e2e' ? { maxWorkers: 3 } : {}),
      },
    })),
  },
});
