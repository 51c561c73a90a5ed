import { createHash } from 'node:crypto';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { methodReply } from '../../wire/problem.ts';
import { decodeUriText } from '../../wire/uri.ts';
import { TOKENS_PAGE } from '../layout.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}code{background:#f0f2f4;padding:.1rem .3rem}input,button{font:inherit;padding:.4rem .6rem}input{width:100%;box-sizing:border-box;margin:.3rem 0 1rem}.problem{color:#a40e26}';

/** Nothing runs on these pages, nothing is loaded, and nobody frames them. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Written without a space of its own, because the policy names its digest. */
const STYLE_ELEMENT: Markup = { html: `<style>${STYLE}</style>` };

/** A part of a page that may be written as it is. */
export interface Markup {
  readonly html: string;
}

/** HTML, with what is put into it escaped unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Markup)[]): Markup {
  const written = values.map((value) => (typeof value === 'string' ? escaped(value) : value.html));
  return { html: parts.map((part, index) => part + (written[index] ?? '')).join('') };
}

/** @param formAction where the page's form may lead to, also by a redirect that answers it */
export function pageReply(
  operation: string,
  {
    status = 200,
    title,
    body,
    formAction,
  }: {
    readonly status?: number;
    readonly title: string;
    readonly body: Markup;
    readonly formAction?: string;
  },
): DoorReply {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Statehouse</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html> `;
  return {
    operation,
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    },
    body: Buffer.from(page.html),
    page: `${POLICY}; form-action ${formAction ?? "'none'"}`,
  };
}

/** The pages whose addresses terraform prints. They tell nothing of what is kept, and so need no credential. */
export function appPage({ method, path }: Pick<DoorRequest, 'method' | 'path'>): DoorReply {
  if (method !== 'GET' && method !== 'HEAD') return methodReply(['GET']);
  if (path === TOKENS_PAGE) return tokensPage();
  const parts = (decodeUriText(path) ?? '').split('/').filter((part) => part !== '');
  const [, organization = '', second = '', third = ''] = parts;
  const workspace = second === 'workspaces' ? third : second;
  return pageReply('page', {
    title: workspace === '' ? `Organization ${organization}` : `Workspace ${workspace}`,
    body: html`<p>
        ${workspace === '' ? '' : `A workspace of organization ${organization}. `}This server has no page for
        it. Ask it by the command line:
      </p>
      <p>
        <code>statehouse states</code> lists the states that you may see, and
        <code>statehouse status</code> in the folder of the configuration tells who holds the lock and who
        waits.
      </p>`,
  });
}

/** Where a token is pasted from by hand: it is a credential of the server. */
function tokensPage(): DoorReply {
  return pageReply('page', {
    title: 'API tokens',
    body: html`<p>
        A token for terraform and tofu is a credential of this server, written <code>ID.SECRET</code>. Give
        yours to the command line where it asks for one.
      </p>
      <p>
        Whoever manages the server creates one by <code>statehouse credential create NAME</code>, and is shown
        its secret once.
      </p>`,
  });
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
