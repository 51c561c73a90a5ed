import type { Milliseconds } from '../core/instant.ts';
import type { QuotaMeasure, Usage, UsageLimits } from '../core/quota.ts';
import type { Caller } from '../house/caller.ts';
import type { Projects } from '../house/projects.ts';

/** Figures are no older than this, or a hundred times as old as counting takes. */
const LIFE_MIN: Milliseconds = 30_000;
const LIFE_OF_EFFORT = 100;
/** Projects that are told of: the fullest. Each is a time series for whoever keeps these figures. */
const PROJECTS_MAX = 100;
/** Callers whose figures are remembered. */
const CALLERS_MAX = 100;

const MEASURES: readonly QuotaMeasure[] = ['states', 'versions', 'bytes'];

interface ProjectFigures {
  readonly name: string;
  readonly usage: Usage;
  readonly limits: UsageLimits;
}

/**
 * What projects keep beside what they may keep, for Prometheus. A project's name is told to whom may know of it alone, so these are
 * not among the metrics that every credential is told.
 */
export class QuotaFigures {
  readonly #projects: Pick<Projects, 'seen' | 'termsOf' | 'usageOf'>;
  readonly #now: () => Milliseconds;
  readonly #told = new Map<string, { readonly text: Promise<string>; until: Milliseconds }>();

  /** @param now a clock that only goes on */
  constructor(
    projects: Pick<Projects, 'seen' | 'termsOf' | 'usageOf'>,
    now: () => Milliseconds = () => performance.now(),
  ) {
    this.#projects = projects;
    this.#now = now;
  }

  /** In the text exposition of Prometheus; empty where no project that the caller may know has a quota. Counted seldom. */
  text(caller: Caller): Promise<string> {
    // By the grants, too: what a subject may know can change.
    const who = JSON.stringify([caller.identity.subject, caller.identity.grants]);
    const known = this.#told.get(who);
    const began = this.#now();
    if (known !== undefined && began < known.until) return known.text;
    if (this.#told.size >= CALLERS_MAX) this.#told.clear();
    const text = this.#count(caller).then(exposed);
    const entry = { text, until: Infinity };
    this.#told.set(who, entry);
    text.then(
      () => (entry.until = began + Math.max(LIFE_MIN, LIFE_OF_EFFORT * (this.#now() - began))),
      () => this.#told.delete(who),
    );
    return text;
  }

  async #count(caller: Caller): Promise<readonly ProjectFigures[]> {
    const seen = await this.#projects.seen(caller);
    if (seen.type !== 'seen') return [];
    const figures: ProjectFigures[] = [];
    for (const { name } of seen.projects) {
      const { limits } = await this.#projects.termsOf(name);
      if (Object.keys(limits).length === 0) continue;
      figures.push({ name, limits, usage: await this.#projects.usageOf(name) });
    }
    return figures.toSorted((a, b) => fullness(b) - fullness(a)).slice(0, PROJECTS_MAX);
  }
}

/** The share of its quotas that a project has used up, by the one that is nearest. */
function fullness({ usage, limits }: ProjectFigures): number {
  return Math.max(
    ...MEASURES.map((what) => (limits[what] === undefined ? 0 : usage[what] / Math.max(1, limits[what]))),
  );
}

function exposed(figures: readonly ProjectFigures[]): string {
  if (figures.length === 0) return '';
  const lines = (value: (project: ProjectFigures, what: QuotaMeasure) => number | undefined): string[] =>
    figures.flatMap((project) =>
      MEASURES.flatMap((what) => {
        const number = value(project, what);
        return number === undefined ? [] : [`{project="${escaped(project.name)}",what="${what}"} ${number}`];
      }),
    );
  const gauge = (name: string, help: string, values: readonly string[]): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...values.map((value) => `${name}${value}`),
  ];
  const USE =
    'What a project with a quota keeps: states, versions, bytes of all versions. The fullest 100 projects.';
  const QUOTA = 'What such a project may keep.';
  return [
    ...gauge(
      'statehouse_project_use',
      USE,
      lines(({ usage }, what) => usage[what]),
    ),
    ...gauge(
      'statehouse_project_quota',
      QUOTA,
      lines(({ limits }, what) => limits[what]),
    ),
    '',
  ].join('\n');
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information */
function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
