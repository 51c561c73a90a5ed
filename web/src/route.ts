import { computed, signal, type ReadonlySignal } from '@preact/signals';

/** Where the page is. */
export interface Place {
  /** `/s/acme/net@dev` */
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = signal(readPlace());

/** Where the page is now. */
export const place: ReadonlySignal<Place> = computed(() => here.value);

/** Goes elsewhere on the page, as a link does. @param keep whether the present place is left out of the history */
export function navigate(target: string, keep: 'push' | 'replace' = 'push'): void {
  if (keep === 'push') history.pushState(null, '', target);
  else history.replaceState(null, '', target);
  const former = here.value.path;
  here.value = readPlace();
  if (here.value.path !== former) scrollTo(0, 0);
}

/** Sets parts of the query and keeps the others; an empty text takes a part away. */
export function setQuery(
  parts: Readonly<Record<string, string>>,
  keep: 'push' | 'replace' = 'replace',
): void {
  navigate(withQuery(parts), keep);
}

/** The present place with parts of the query set, to link to. */
export function withQuery(parts: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(here.value.query);
  for (const [name, value] of Object.entries(parts)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? here.value.path : `${here.value.path}?${text}`;
}

/** Follows links within the page without loading it again, and the browser's way back. */
export function followLinks(): void {
  addEventListener('popstate', () => {
    here.value = readPlace();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.origin !== location.origin) return;
    if (link.hasAttribute('download') || link.target !== '' || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

function readPlace(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
