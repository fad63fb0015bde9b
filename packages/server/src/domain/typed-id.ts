import { parseUuid } from './uuid.ts';

export type TypedIdPrefix = 'ntf' | 'app' | 'alr' | 'prb' | 'rev' | 'aud' | 'crd';

/** Shows an internal UUID as the typed id that customers see: `ntf_` and 32 hex digits. */
export function formatTypedId(prefix: TypedIdPrefix, uuid: string): string {
  return `${prefix}_${uuid.replaceAll('-', '')}`;
}

/** The UUID behind a typed id, or null when the text is not one of this kind. */
export function parseTypedId(prefix: TypedIdPrefix, text: string): string | null {
  if (!text.startsWith(`${prefix}_`)) return null;
  return parseUuid(text.slice(prefix.length + 1));
}
