import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** A value as people read it. */
  readonly text: (value: number) => string;
}

const HEIGHT = 160;
const AXIS_WIDTH = 64;
/** Room on the right for half of the last label. */
const EDGE = 24;
const DAY_SECONDS = 86_400;
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/**
 * Numbers over time.
 * @param at the moments, in milliseconds since 1970, ascending
 * @param says the same in a sentence, for who does not see it
 */
export function Chart({
  at,
  lines,
  says,
}: {
  at: readonly number[];
  lines: readonly Line[];
  says: string;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    const colour = (name: string): string => resolved(element, style.getPropertyValue(name));
    const colours = [colour('--accent'), colour('--warn'), colour('--dim')];
    const [first] = lines;
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        padding: [null, EDGE, null, null],
        cursor: { y: false, drag: { x: false, y: false } },
        legend: { live: true },
        scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
        axes: [
          {
            stroke: colour('--dim'),
            grid: { show: false },
            ticks: { stroke: colour('--line') },
            values: (_plot, splits) => splits.map((at) => momentText(at, splits)),
          },
          {
            stroke: colour('--dim'),
            size: AXIS_WIDTH,
            grid: { stroke: colour('--line'), width: 1 },
            ticks: { show: false },
            values: (_plot, splits) => splits.map((value) => first?.text(value) ?? String(value)),
          },
        ],
        series: [
          { label: 'time' },
          ...lines.map(({ label, text }, index) => ({
            label,
            stroke: colours[index] ?? colour('--accent'),
            width: 1.5,
            ...(index === 0 ? { fill: colour('--accent-soft') } : {}),
            points: { show: at.length < 60, size: 5 },
            value: (_plot: UPlot, value: number | null) => (value === null ? '' : text(value)),
          })),
        ],
      },
      [at.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])],
      element,
    );
    const fit = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    fit.observe(element);
    return () => {
      fit.disconnect();
      plot.destroy();
    };
  }, [at, lines]);
  return <div ref={frame} class="chart" role="img" aria-label={says} />;
}

/** A moment of the axis: its day, or within days the time. @param at seconds since 1970 */
function momentText(at: number, [first = 0, second = Infinity]: readonly number[]): string {
  return (second - first < DAY_SECONDS ? HOUR : DAY).format(at * 1_000);
}

/** A colour that may depend on light or dark, as a canvas takes it. */
function resolved(element: HTMLElement, value: string): string {
  const former = element.style.color;
  element.style.color = value;
  const { color } = getComputedStyle(element);
  element.style.color = former;
  return color;
}
