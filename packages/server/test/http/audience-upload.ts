import type { Answer, AnswerBody } from '../../../../test/answer.ts';

export interface AudienceUpload {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer | ReadableStream;
}

/** Uploads a list as a back end does. */
export async function uploadAudience(
  url: string,
  secretKey: string,
  { headers = {}, body }: AudienceUpload,
): Promise<Answer> {
  const response = await fetch(`${url}/v1/audiences`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secretKey}`,
      'content-type': 'application/x-ndjson',
      ...headers,
    },
    body: typeof body === 'string' ? body : (body as Uint8Array<ArrayBuffer> | ReadableStream),
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as AnswerBody,
  };
}
