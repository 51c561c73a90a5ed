import { describe, expect, it } from 'vitest';
import { ciRunIn, ciRunOf } from '../../src/core/ci-run.ts';

describe('the run of a pipeline that a lock info names', () => {
  it.each([
    ['GitHub Actions', 'https://github.com/acme/infra/actions/runs/8123456789'],
    ['GitHub Actions', 'https://github.com/acme/infra/actions/runs/8123456789/attempts/2'],
    ['GitHub Actions', 'https://github.com/acme/infra/actions/runs/8123456789/job/22'],
    ['GitLab', 'https://gitlab.com/acme/platform/net/-/pipelines/77'],
    ['GitLab', 'https://gitlab.com/acme/net/-/jobs/78'],
    ['Buildkite', 'https://buildkite.com/acme/infra/builds/9'],
    ['CircleCI', 'https://app.circleci.com/pipelines/github/acme/infra/12'],
    ['Azure Pipelines', 'https://dev.azure.com/acme/infra/_build/results?buildId=5'],
  ])('is found: %s at %s', (service, url) => {
    expect(ciRunIn(url)).toEqual({ service, url });
    expect(ciRunIn(`terraform (${url})`)).toEqual({ service, url });
    expect(ciRunIn(`deploy, ${url}.`)).toEqual({ service, url });
  });

  it.each([
    'http://github.com/acme/infra/actions/runs/1',
    'https://github.com.evil.example/acme/infra/actions/runs/1',
    'https://evil.example/https://github.com/acme/infra/actions/runs/1',
    'https://evil@github.com/acme/infra/actions/runs/1',
    'https://github.com@evil.example/acme/infra/actions/runs/1',
    'https://github.com:8443/acme/infra/actions/runs/1',
    'https://github.com/acme/infra/actions/runs/1@evil.example',
    'https://github.com/acme/infra/actions/runs/1/../../../evil',
    'https://github.com/acme/infra/actions/runs/1?next=https://evil.example',
    'https://github.com/acme/../actions/runs/1',
    'https://github.com/login?return_to=/acme/infra/actions/runs/1',
    'https://github.com/acme/infra/actions/runs/1%0aevil',
    'javascript:https://github.com/acme/infra/actions/runs/1',
    'https://\u202egithub.com/acme/infra/actions/runs/1',
    'https://gitlab.com/acme/-/jobs/1',
    'alice@laptop',
    '',
  ])('is not found where a link would lead elsewhere, or to nothing: %s', (text) => {
    expect(ciRunIn(text)).toBeNull();
  });

  it('is looked for in a bounded part of a text of any length', () => {
    const began = performance.now();
    expect(ciRunIn(`${'https://github.com/a/'.repeat(50_000)}x`)).toBeNull();
    expect(ciRunIn(`https://gitlab.com${'/a'.repeat(500_000)}`)).toBeNull();
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('the run of the pipeline that a program is executed in', () => {
  it.each([
    [
      {
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'acme/infra',
        GITHUB_RUN_ID: '81',
      },
      'https://github.com/acme/infra/actions/runs/81',
    ],
    [{ CI_JOB_URL: 'https://gitlab.example/acme/net/-/jobs/7' }, 'https://gitlab.example/acme/net/-/jobs/7'],
    [{ BUILD_URL: 'https://jenkins.example/job/net/7/' }, 'https://jenkins.example/job/net/7/'],
    [
      {
        SYSTEM_COLLECTIONURI: 'https://dev.azure.com/acme/',
        SYSTEM_TEAMPROJECT: 'in fra',
        BUILD_BUILDID: '5',
      },
      'https://dev.azure.com/acme/in%20fra/_build/results?buildId=5',
    ],
    [{ BUILD_URL: 'http://jenkins.example/job/net/7/' }, null],
    [{ BUILD_URL: 'https://jenkins.example/a b' }, null],
    [{ GITHUB_RUN_ID: '81' }, null],
    [{}, null],
  ])('is told by %j', (env, url) => {
    expect(ciRunOf(env)).toBe(url);
  });
});
