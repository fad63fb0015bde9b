import { Type, type Static } from 'typebox';

/** What a provider's answer means and what to do about it, beside what it was about. */
export const ReasonHelp = Type.Object({
  meaning: Type.String({ description: 'a fragment of a sentence' }),
  fix: Type.String({ description: 'what to do about it' }),
  url: Type.String({ description: 'a page that this server serves' }),
});
export type ReasonHelp = Static<typeof ReasonHelp>;

/** One row of the answers that providers are known to give. */
export const Reason = Type.Object(
  {
    source: Type.String({
      description: 'the provider, one of its services, or `homing` for what happens on our side',
    }),
    provider: Type.Union([Type.String(), Type.Null()], {
      description: 'whose pushes it can end; null for any',
    }),
    status: Type.String({
      description: 'the HTTP status; `5xx` for a hundred of them, `*` for any, `-` for none',
    }),
    code: Type.String({ description: "the provider's own; `*` for those without a row" }),
    kind: Type.String({ description: 'the outcome that it is' }),
    meaning: Type.String(),
    fix: Type.String(),
    url: Type.String(),
  },
  { $id: 'Reason' },
);
export type Reason = Static<typeof Reason>;
