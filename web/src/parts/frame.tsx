import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';

/** A view: its title stands in the window, too. */
export function View({
  title,
  heading,
  aside,
  children,
}: {
  title: string;
  heading?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  useEffect(() => {
    document.title = `${title} · Statehouse`;
  }, [title]);
  useEffect(() => {
    // Whoever came by a link that is gone now goes on from the top of the view.
    if (document.activeElement === document.body)
      document.getElementById('main')?.focus({ preventScroll: true });
  }, []);
  return (
    <main id="main" tabIndex={-1}>
      <div class="view-head">
        <h1>{heading ?? title}</h1>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </div>
      {children}
    </main>
  );
}

/** A named part of a view. */
export function Panel({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** Facts, each with its name. */
export function Facts({
  of,
}: {
  of: readonly (readonly [name: string, value: ComponentChildren])[];
}): JSX.Element {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
