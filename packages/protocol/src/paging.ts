import { Type, type Static } from 'typebox';

/** Keyset paging: pass `page.after` of one answer as `after` of the next request. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    after: Type.Optional(Type.String({ maxLength: 128 })),
  },
  { additionalProperties: false },
);
export type PageQuery = Static<typeof PageQuery>;

export const Page = Type.Object({
  after: Type.Union([Type.String(), Type.Null()]),
  limit: Type.Integer(),
});
