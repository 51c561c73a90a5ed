import type { JSX } from 'preact';
import { Foreign } from './text.tsx';

const NAME_LENGTH_MAX = 80;

/** Values beside each other, as long as they are large. @param label what they are, for screen readers */
export function Bars({
  of,
  label,
  text,
}: {
  of: readonly { readonly name: string; readonly value: number }[];
  label: string;
  text: (value: number) => string;
}): JSX.Element {
  const most = Math.max(1, ...of.map(({ value }) => value));
  return (
    <ul class="bars" aria-label={label}>
      {of.map(({ name, value }) => (
        <li key={name}>
          <span class="mono">
            <Foreign text={name} most={NAME_LENGTH_MAX} />
          </span>
          <span class="track" aria-hidden="true">
            <span class="fill" style={{ transform: `scaleX(${value / most})` }} />
          </span>
          <span class="num">{text(value)}</span>
        </li>
      ))}
    </ul>
  );
}
