import { describe, expect, it } from 'vitest';
import { importsOf, repositoryFiles, textOf, withoutComments } from './source-tree.ts';

// What the page is made of, beside the rules that test/tidy.test.ts has for all code.

const page = repositoryFiles().filter((path) => /^web\/.*\.tsx?$/.test(path));
const PACKAGES = /^(?:preact|@preact\/signals|@zag-js\/\w+|uplot)(?:\/|$)/;

describe('the page', () => {
  it('knows the contract of the API and the pure core alone', () => {
    const foreign = page.flatMap((path) =>
      importsOf(path, textOf(path))
        .map(({ target }) => target)
        .filter((target) => !/^(?:web|src\/api|src\/core)\//.test(target) && !PACKAGES.test(target))
        .map((target) => `${path} imports ${target}`),
    );
    expect(page.length).toBeGreaterThan(20);
    expect(foreign).toEqual([]);
  });

  it('never takes a text for markup', () => {
    const markup =
      /\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|eval)\b/;
    expect(page.filter((path) => markup.test(withoutComments(textOf(path))))).toEqual([]);
  });
});
