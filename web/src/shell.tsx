import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Help } from './parts/help.tsx';
import { Search } from './parts/search.tsx';
import { Subject } from './parts/text.tsx';
import { place, navigate } from './route.ts';
import { session, signOut } from './session.ts';
import { Mark } from './views/sign-in.tsx';
import { offeredPlaces } from './places.ts';

/** How long after "g" the second key counts. */
const SECOND_KEY_MS = 1_500;

/** What stands around every view: where one can go, the search, and who one is. */
export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const [open, setOpen] = useState<'search' | 'help' | null>(null);
  useEffect(() => {
    let going = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]') !== null) return;
      const target = offeredPlaces().find(({ key }) => key === event.key);
      if (event.key === '/') setOpen('search');
      else if (event.key === '?') setOpen('help');
      else if (event.key === 'g') going = event.timeStamp;
      else if (target !== undefined && event.timeStamp - going < SECOND_KEY_MS) navigate(target.path);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  const { path } = place.value;
  const who = session.value.kind === 'in' ? session.value.who : null;
  const shown = offeredPlaces();
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="home" href="/" aria-label="Statehouse: now">
          <Mark />
          <span>Statehouse</span>
        </a>
        <nav aria-label="Views">
          {shown.map((one) => (
            <a key={one.path} href={one.path} aria-current={isWithin(path, one.path) ? 'page' : undefined}>
              {one.name}
            </a>
          ))}
        </nav>
        <div class="tools">
          <button type="button" class="button search-button" onClick={() => setOpen('search')}>
            Search <kbd>/</kbd>
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Keys and help"
            onClick={() => setOpen('help')}
          >
            ?
          </button>
          {who !== null && (
            <span class="me">
              <Subject subject={who.subject} />
            </span>
          )}
          <button type="button" class="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      </header>
      {children}
      {open === 'search' && <Search close={() => setOpen(null)} />}
      {open === 'help' && <Help close={() => setOpen(null)} />}
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}

function isWithin(path: string, place: string): boolean {
  if (place === '/explore' && path.startsWith('/s/')) return true;
  return place === '/' ? path === '/' : path === place || path.startsWith(`${place}/`);
}
