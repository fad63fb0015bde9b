import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

/** Markup that is safe to send: made by `html` alone, which escapes whatever is put into it. */
export interface Html {
  readonly markup: string;
}

type Insertion = Html | string | number | readonly Html[];

/**
 * Markup in which every inserted text is escaped, for element content and quoted attributes alike.
 */
export function html(parts: TemplateStringsArray, ...insertions: readonly Insertion[]): Html {
  const filled = insertions.map((value, index) => toMarkup(value) + (parts[index + 1] ?? ''));
  return { markup: (parts[0] ?? '') + filled.join('') };
}

/** Our own sentences, in which backquotes mark code. */
export function prose(text: string): Html {
  const pieces = text.split('`');
  return html`${pieces.map((piece, at) => (at % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`))}`;
}

function toMarkup(value: Insertion): string {
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
h2, h3 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
.muted { opacity: 0.7; }
`;

/** Exactly the digested text between the tags; a blank more and the policy would refuse it. */
const STYLE_ELEMENT: Html = { markup: `<style>${STYLE}</style>` };

/**
 * Nothing may run, load, frame or be submitted; the one style is allowed by its digest (CSP Level
 * 3, section 6.7.3.3). A page with a hole in its escaping would still execute nothing.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A whole document without any external asset. */
export function htmlPage(title: string, content: Html): string {
  const page = html`<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    ${STYLE_ELEMENT}
    <main>${content}</main>`;
  return `<!doctype html>\n<html lang="en">\n${page.markup}\n</html>\n`;
}

/** Answers with a page, under headers that leave a browser nothing to do but show it. */
export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply
    .headers({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
    .type('text/html; charset=utf-8')
    .send(page);
}
