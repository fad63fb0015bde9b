import { isRecord } from '../../variant.ts';

/** What a browser says about one message that it was sent. */
export interface Acknowledgement {
  readonly channelId: string;
  readonly version: string;
  /** 100 shown to the page's worker, 101 cannot be decrypted, 102 not for anybody here. */
  readonly code: number;
}

/** What browsers say to autopush over their socket, message by message. */
export type ClientFrame =
  | { readonly kind: 'hello'; readonly uaid: string | null }
  | { readonly kind: 'register'; readonly channelId: string; readonly key: string | null }
  | { readonly kind: 'unregister'; readonly channelId: string }
  | { readonly kind: 'ack'; readonly updates: readonly Acknowledgement[] }
  /** The worker failed at a message that was acknowledged already. */
  | { readonly kind: 'nack' }
  /** Of Mozilla's own use: settings and certificates, not messages of a page. */
  | { readonly kind: 'broadcast_subscribe' }
  | { readonly kind: 'ping' };

type Fields = Readonly<Record<string, unknown>>;

const ACCEPTED_CODE = 100;

/** Reads a text frame; null for anything that no browser sends. */
export function readClientFrame(text: string): ClientFrame | null {
  const fields = parse(text);
  if (fields === null) return null;
  switch (fields.messageType) {
    // Browsers send an empty object, which says the same.
    case undefined:
    case 'ping':
      return { kind: 'ping' };
    case 'hello':
      return { kind: 'hello', uaid: textOrNull(fields.uaid) };
    case 'register':
      return onChannel(fields, (channelId) => ({
        kind: 'register',
        channelId,
        key: textOrNull(fields.key),
      }));
    case 'unregister':
      return onChannel(fields, (channelId) => ({ kind: 'unregister', channelId }));
    case 'ack':
      return { kind: 'ack', updates: readUpdates(fields.updates) };
    case 'nack':
      return { kind: 'nack' };
    case 'broadcast_subscribe':
      return { kind: 'broadcast_subscribe' };
    default:
      return null;
  }
}

function onChannel(fields: Fields, make: (channelId: string) => ClientFrame): ClientFrame | null {
  const channelId = textOrNull(fields.channelID);
  return channelId === null ? null : make(channelId);
}

function readUpdates(input: unknown): readonly Acknowledgement[] {
  if (!Array.isArray(input)) return [];
  return input.flatMap((update: unknown) => {
    if (!isRecord(update)) return [];
    const channelId = textOrNull(update.channelID);
    const version = textOrNull(update.version);
    if (channelId === null || version === null) return [];
    const code = typeof update.code === 'number' ? update.code : ACCEPTED_CODE;
    return [{ channelId, version, code }];
  });
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function parse(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
