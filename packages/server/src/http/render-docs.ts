import {
  fieldsOf,
  typeText,
  type ApiContent,
  type ApiDocument,
  type ApiOperation,
  type Field,
  type Schemas,
} from './api-document.ts';
import { html, htmlPage, type Html } from './html.ts';

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

const UNTAGGED = 'other';
const OPERATIONS = 'operations';

/** The contract as one page to read: operations by tag, with parameters, body and answers. */
export function renderDocs(document: ApiDocument): string {
  const { info } = document;
  const schemas = document.components?.schemas ?? {};
  // What operators look up once comes after what developers come back for.
  const groups = [...Map.groupBy(entriesOf(document), tagOf)].toSorted(
    ([a], [b]) => Number(a === OPERATIONS) - Number(b === OPERATIONS),
  );
  const content = html`
    <h1>${info.title} <span class="muted">${info.version}</span></h1>
    <p>${info.description ?? ''}</p>
    <p>For programs: <a href="/openapi.json">OpenAPI 3.1</a>.</p>
    <nav>
      <ul>
        ${groups.map(([tag]) => html`<li><a href="#${tag}">${tag}</a></li>`)}
      </ul>
    </nav>
    ${groups.map(([tag, entries]) => renderGroup(tag, entries, schemas))}
  `;
  return htmlPage(`${info.title} API`, content);
}

function entriesOf(document: ApiDocument): readonly Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

function tagOf({ operation }: Entry): string {
  return operation.tags?.[0] ?? UNTAGGED;
}

function renderGroup(tag: string, entries: readonly Entry[], schemas: Schemas): Html {
  return html`<section id="${tag}">
    <h2>${tag}</h2>
    ${entries.map((entry) => renderEntry(entry, schemas))}
  </section>`;
}

function renderEntry({ method, path, operation }: Entry, schemas: Schemas): Html {
  const { summary, description } = operation;
  const words = [summary, description].filter((text) => text !== undefined);
  return html`<article id="${anchorOf(method, path)}">
    <h3><code>${method} ${path}</code></h3>
    ${words.map((text) => html`<p>${text}</p>`)}
    ${renderTable('Parameters', parameterFields(operation, schemas))}
    ${renderTable('Body', contentFields(operation.requestBody?.content, schemas))}
    ${renderAnswers(operation, schemas)}
  </article>`;
}

/** Letters and digits only, so that it works as a fragment. */
function anchorOf(method: string, path: string): string {
  return `${method}${path}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

function parameterFields(operation: ApiOperation, schemas: Schemas): readonly Field[] {
  return (operation.parameters ?? []).map((parameter) => ({
    path: parameter.name,
    type: typeText(parameter.schema ?? {}, schemas),
    required: parameter.required ?? false,
    note: [`in ${parameter.in}`, parameter.description ?? parameter.schema?.description]
      .filter((text) => text !== undefined)
      .join('; '),
  }));
}

function contentFields(content: ApiContent | undefined, schemas: Schemas): readonly Field[] {
  const schema = Object.values(content ?? {})[0]?.schema;
  return schema === undefined ? [] : fieldsOf(schema, schemas);
}

function renderAnswers(operation: ApiOperation, schemas: Schemas): Html {
  const answers = Object.entries(operation.responses ?? {});
  return html`${answers.map(([status, { description, content }]) => {
    const fields = contentFields(content, schemas);
    const title = `Answer ${status}`;
    // The generator writes this where a route describes none of its answers.
    const words =
      description === undefined || description === 'Default Response' ? '' : description;
    return fields.length > 0
      ? renderTable(title, fields)
      : html`<p><strong>${title}</strong> ${words}</p>`;
  })}`;
}

function renderTable(title: string, fields: readonly Field[]): Html {
  if (fields.length === 0) return html``;
  return html`<h4>${title}</h4>
    <table>
      <tbody>
        ${fields.map(renderField)}
      </tbody>
    </table>`;
}

function renderField({ path, type, required, note }: Field): Html {
  return html`<tr>
    <td><code>${path}</code>${required ? ' required' : ''}</td>
    <td>${type}</td>
    <td>${note}</td>
  </tr>`;
}
