/** What a simulator says over HTTP; `reason` is the provider's own code, for the journal. */
export interface Answer {
  readonly status: number;
  readonly reason: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How the body goes over the wire; as it is when left out. */
  readonly encoding?: 'gzip';
}

/** RFC 9110 section 10.2.3, in seconds. */
export function withRetryAfter(answer: Answer, retryAfterSeconds: number | undefined): Answer {
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
}
