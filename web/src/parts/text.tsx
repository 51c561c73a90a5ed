import type { JSX } from 'preact';
import { addressParts, statePath } from '../address.ts';
import { tick } from '../clock.ts';
import { agoText, durationText } from '../format.ts';
import { visibleText } from '../visible-text.ts';

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A text that is not ours: never markup, unseen characters told, and its direction kept to itself. */
export function Foreign({ text, most }: { text: string; most?: number }): JSX.Element {
  return <bdi>{visibleText(text, most)}</bdi>;
}

/** A moment in the reader's own time; UTC when pointed at. @param at RFC 3339 */
export function Moment({ at, exact = false }: { at: string; exact?: boolean }): JSX.Element {
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${at.replace('T', ' ').replace('Z', '')} UTC`}>
      {(exact ? MOMENT : SHORT).format(date)}
    </time>
  );
}

/** How long ago a moment is; the moment itself in UTC when pointed at. @param at RFC 3339 */
export function Ago({ at }: { at: string }): JSX.Element {
  void tick.value;
  return (
    <time
      dateTime={at}
      title={`${MOMENT.format(new Date(at))}, ${at.replace('T', ' ').replace('Z', '')} UTC`}
    >
      {agoText(Date.now() - Date.parse(at))}
    </time>
  );
}

/**
 * A length of time that goes on, counted by the server's clock until the answer and by this one's since.
 * @param ms how long it had been when it was read
 * @param readAt when that was, by the steady clock
 */
export function Running({ ms, readAt }: { ms: number; readAt: number }): JSX.Element {
  return <>{durationText(ms + Math.max(0, tick.value - readAt))}</>;
}

/** The address of a state, the key before all else, as a link to its page. */
export function AddressLink({ address }: { address: string }): JSX.Element {
  return (
    <a class="address" href={statePath(address)} title={visibleText(address)}>
      <AddressText address={address} />
    </a>
  );
}

/** The address of a state. */
export function AddressText({ address }: { address: string }): JSX.Element {
  const { project, key, workspace } = addressParts(address);
  return (
    <>
      {project !== '' && <span class="dim">{project}/</span>}
      <bdi class="key">{visibleText(key)}</bdi>
      {workspace !== 'default' && <span class="workspace">@{visibleText(workspace)}</span>}
    </>
  );
}

/** Who did something, `token:ci-prod`: what kind it is stands back. */
export function Subject({ subject }: { subject: string }): JSX.Element {
  const colon = subject.indexOf(':');
  return (
    <span class="subject" title={visibleText(subject)}>
      {colon > 0 && <span class="dim">{visibleText(subject.slice(0, colon + 1))}</span>}
      <bdi>{visibleText(subject.slice(colon + 1))}</bdi>
    </span>
  );
}

/** A word set apart. @param tone what it means */
export function Badge({
  children,
  tone = 'plain',
}: {
  children: JSX.Element | string;
  tone?: 'plain' | 'good' | 'warn' | 'bad' | 'accent';
}): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}
