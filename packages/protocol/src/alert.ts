import { Type, type Static } from 'typebox';
import { ReasonHelp } from './reason.ts';

/** Something that a person should look at. */
export const Alert = Type.Object(
  {
    id: Type.String(),
    kind: Type.String(),
    subject: Type.String({ description: 'one alert of a kind is open for each subject' }),
    sentence: Type.String({ description: 'what it means and what to do about it' }),
    detail: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
    help: Type.Union([ReasonHelp, Type.Null()], {
      description: 'about the answer of the provider that `detail` names',
    }),
    opened_at: Type.String({ format: 'date-time' }),
    last_seen_at: Type.String({ format: 'date-time' }),
    closed_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    closed_by: Type.Union([Type.String(), Type.Null()], {
      description: 'the hint of the key that closed it; "recovery" when it ended by itself',
    }),
  },
  { $id: 'Alert' },
);
export type Alert = Static<typeof Alert>;

export const ClosedAlert = Type.Object(
  {
    id: Type.String(),
    closed: Type.Boolean({ description: 'false when it was closed before' }),
  },
  { $id: 'ClosedAlert' },
);
export type ClosedAlert = Static<typeof ClosedAlert>;
