import type { Reporter, TestModule } from 'vitest/node';

/** More than a busy machine explains. */
const FLAKY_MAX = 5;

/** Names aloud each test that passed at its second try alone, and fails the run where they are many. */
export class FlakyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const flaky = modules.flatMap((module) =>
      [...module.children.allTests('passed')]
        .filter((test) => test.diagnostic()?.flaky === true)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    if (flaky.length === 0) return;
    console.error(`passed at the second try alone:\n${flaky.map((name) => `  ${name}`).join('\n')}`);
    if (flaky.length <= FLAKY_MAX) return;
    console.error(`expected at most ${FLAKY_MAX} such tests: find what makes them fail`);
    process.exitCode = 1;
  }
}
