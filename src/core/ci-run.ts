/** A run of a pipeline, on the host of the service that executes it. */
export interface CiRun {
  /** `GitHub Actions` */
  readonly service: string;
  readonly url: string;
}

/** What one part of a path may be: nothing that has to be decoded first. */
const PART = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
/** Addresses of runs, by the documentation of each service; each names the host and the number of a run. */
const RUNS: readonly (readonly [service: string, pattern: RegExp])[] = [
  [
    'GitHub Actions',
    run(`github\\.com/${PART}/${PART}/actions/runs/\\d{1,20}(?:/attempts/\\d{1,4})?(?:/job/\\d{1,20})?`),
  ],
  ['GitLab', run(`gitlab\\.com/${PART}(?:/${PART}){1,20}/-/(?:pipelines|jobs)/\\d{1,20}`)],
  ['Buildkite', run(`buildkite\\.com/${PART}/${PART}/builds/\\d{1,20}(?:#[0-9a-f-]{36})?`)],
  [
    'CircleCI',
    run(
      `(?:app\\.)?circleci\\.com/(?:pipelines/)?(?:gh|bb|github|bitbucket|circleci)/${PART}(?:/${PART}){1,2}/\\d{1,20}`,
    ),
  ],
  ['Azure Pipelines', run(`dev\\.azure\\.com/${PART}/${PART}/_build/results\\?buildId=\\d{1,20}`)],
];
/** What is longer is no lock info of a pipeline. */
const TEXT_LENGTH_MAX = 10_000;

/**
 * The run of a pipeline that a text names. Whoever takes a lock writes the text, and can write anything: only the address of a run
 * on the service's own host is taken, over https and without a name or a port before it, so that a link goes nowhere else.
 * @returns null where the text names none
 */
export function ciRunIn(text: string): CiRun | null {
  const searched = text.slice(0, TEXT_LENGTH_MAX);
  for (const [service, pattern] of RUNS) {
    const url = pattern.exec(searched)?.[1];
    if (url !== undefined) return { service, url };
  }
  return null;
}

/** An address that stands alone in a text: what goes on after it is another one. */
function run(address: string): RegExp {
  return new RegExp(`(?:^|[\\s(<"'])(https://${address})(?=$|[\\s)>"',.;])`);
}

/**
 * The address of the run in which a program is executed, as the service says it in the environment.
 * @returns null outside of a pipeline, and for what is no https address: others are shown it
 */
export function ciRunOf(env: Readonly<Record<string, string | undefined>>): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env;
  const github =
    server === undefined || repository === undefined || id === undefined
      ? undefined
      : `${server}/${repository}/actions/runs/${id}`;
  const { SYSTEM_COLLECTIONURI: collection, SYSTEM_TEAMPROJECT: project, BUILD_BUILDID: build } = env;
  const azure =
    collection === undefined || project === undefined || build === undefined
      ? undefined
      : `${collection.replace(/\/$/, '')}/${encodeURIComponent(project)}/_build/results?buildId=${build}`;
  const named = ['CI_JOB_URL', 'BUILDKITE_BUILD_URL', 'CIRCLE_BUILD_URL', 'BUILD_URL'].map(
    (name) => env[name],
  );
  const url = [github, azure, ...named].find((one) => one !== undefined && one !== '');
  return url !== undefined && isRunAddress(url) ? url : null;
}

/** Whether a text is an https address that may be shown to others as that of a run. */
export function isRunAddress(text: string): boolean {
  return /^https:\/\/[\x21-\x7e]{1,500}$/.test(text);
}
