/** What one tab or worker tells the others: that the shared text changed, or the subscription. */
export type ContextNews = 'memory' | 'token';

/** Reaches every other tab and worker of the origin, and never the one that announces. */
export interface ContextChannel {
  announce(news: ContextNews): void;
  /** Calls back with each such news, until the result is called. */
  on(news: ContextNews, listener: () => void): () => void;
  close(): void;
}

export function openContextChannel(): ContextChannel {
  const channel = new BroadcastChannel('homing');
  return {
    announce: (news) => channel.postMessage(news),
    on(news, listener) {
      const hear = ({ data }: MessageEvent): void => {
        if (data === news) listener();
      };
      channel.addEventListener('message', hear);
      return () => channel.removeEventListener('message', hear);
    },
    close: () => channel.close(),
  };
}
