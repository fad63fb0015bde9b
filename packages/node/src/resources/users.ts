import type {
  RevokeAnswer,
  RevokeInput,
  Timeline,
  TimelineEntry,
  User,
  UserInput,
  UserTopicAnswer,
} from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

export interface Users {
  /** Who the user is, and where signed in. */
  get(userId: string, options?: CallOptions): Promise<User>;
  /** What is left out stays; null clears. */
  put(userId: string, input: UserInput, options?: CallOptions): Promise<User>;
  /** Erases the user, and what is held about them. */
  erase(userId: string, options?: CallOptions): Promise<void>;
  /** Signs the user out, everywhere unless `input` names installations. */
  revoke(userId: string, input?: RevokeInput, options?: OnceOptions): Promise<RevokeAnswer>;
  /**
   * Everything that is held about the user: a `UserExport` as JSON, to be passed on as it comes.
   */
  export(userId: string, options?: CallOptions): Promise<AsyncIterable<Uint8Array>>;
  /** What happened on the user's devices while signed in there, in sentences, oldest first. */
  timeline(userId: string, options?: CallOptions): Promise<readonly TimelineEntry[]>;
  /** Subscribes the user wherever signed in at this moment. */
  subscribe(userId: string, topic: string, options?: CallOptions): Promise<UserTopicAnswer>;
  unsubscribe(userId: string, topic: string, options?: CallOptions): Promise<UserTopicAnswer>;
}

export function createUsers(transport: Transport): Users {
  return {
    get: (id, options) => transport.json('GET', ['users', id], { options }),
    put: (id, input, options) => transport.json('PUT', ['users', id], { json: input, options }),
    erase: (id, options) => transport.nothing('DELETE', ['users', id], { options }),
    revoke: (id, input = {}, options) =>
      transport.json('POST', ['users', id, 'revoke'], { json: input, options }),
    export: (id, options) => transport.stream('GET', ['users', id, 'export'], { options }),
    async timeline(id, options) {
      const { data } = await transport.json<Timeline>('GET', ['users', id, 'timeline'], {
        options,
      });
      return data;
    },
    subscribe: (id, topic, options) =>
      transport.json('PUT', ['users', id, 'topics', topic], { options }),
    unsubscribe: (id, topic, options) =>
      transport.json('DELETE', ['users', id, 'topics', topic], { options }),
  };
}
