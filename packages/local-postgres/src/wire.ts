import assert from 'node:assert/strict';

/**
 * The few messages of PostgreSQL's frontend/backend protocol 3.0 that the owner's session needs.
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */

/** One message of the server: its type letter and what follows the length. */
export interface ServerMessage {
  readonly type: string;
  readonly body: Buffer;
}

/** One row of an answer in the text format; null is SQL's NULL. */
export type Row = readonly (string | null)[];

const PROTOCOL_3_0 = 0x0003_0000;
const LENGTH_BYTES = 4;

/** The message that opens a session. */
export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flat();
  const text = Buffer.from(`${pairs.map((part) => `${part}\0`).join('')}\0`);
  const message = Buffer.alloc(2 * LENGTH_BYTES + text.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(PROTOCOL_3_0, LENGTH_BYTES);
  text.copy(message, 2 * LENGTH_BYTES);
  return message;
}

/** A simple query, which may hold several statements. */
export function queryMessage(sql: string): Buffer {
  return typedMessage('Q', Buffer.from(`${sql}\0`));
}

/** The goodbye after which the server ends the session and frees its locks. */
export function terminateMessage(): Buffer {
  return typedMessage('X', Buffer.alloc(0));
}

/** The values of a DataRow message. */
export function readRow(body: Buffer): Row {
  const row: (string | null)[] = [];
  let offset = 2;
  for (let column = 0; column < body.readInt16BE(0); column += 1) {
    const length = body.readInt32BE(offset);
    offset += LENGTH_BYTES;
    row.push(length < 0 ? null : body.toString('utf8', offset, offset + length));
    offset += Math.max(length, 0);
  }
  return row;
}

/** The fields of an ErrorResponse message by their letter: `C` the SQLSTATE, `M` the message. */
export function readErrorFields(body: Buffer): ReadonlyMap<string, string> {
  const fields = body.toString('utf8').split('\0');
  return new Map(fields.filter(Boolean).map((field) => [field.slice(0, 1), field.slice(1)]));
}

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and yields every message that is complete by now. */
  *push(chunk: Buffer): Generator<ServerMessage> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length > LENGTH_BYTES) {
      const length = this.#rest.readInt32BE(1);
      assert(length >= LENGTH_BYTES, 'a message is at least as long as its own length field');
      if (this.#rest.length < 1 + length) return;
      const type = this.#rest.toString('latin1', 0, 1);
      const body = this.#rest.subarray(1 + LENGTH_BYTES, 1 + length);
      this.#rest = this.#rest.subarray(1 + length);
      yield { type, body };
    }
  }
}

function typedMessage(type: string, body: Buffer): Buffer {
  const message = Buffer.alloc(1 + LENGTH_BYTES + body.length);
  message.write(type, 0, 'latin1');
  message.writeInt32BE(LENGTH_BYTES + body.length, 1);
  body.copy(message, 1 + LENGTH_BYTES);
  return message;
}
