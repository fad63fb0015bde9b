import { LIMITS } from './limits.ts';
import { isTopic, TOPIC_FORM } from './topic.ts';

/** Which topics somebody has to be, or must not be, subscribed to. Has a part at least. */
export type TopicExpression =
  | { readonly kind: 'topic'; readonly topic: string; readonly negated: boolean }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly TopicExpression[] };

export type ParsedTopics =
  | { readonly kind: 'expression'; readonly expression: TopicExpression }
  /** `position` counts characters from 1. */
  | { readonly kind: 'invalid'; readonly position: number; readonly detail: string };

/**
 * Reads an expression such as `news && !(beta || internal)`: topics with `&&`, `||`, `!` and
 * parentheses; `!` binds strongest and `||` least. Negations are moved inwards to the topics
 * (De Morgan), so that whoever evaluates it meets them nowhere else.
 */
export function parseTopics(text: string): ParsedTopics {
  try {
    const parser = new TopicParser(tokensOf(text));
    return { kind: 'expression', expression: parser.parse() };
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    return { kind: 'invalid', position: error.position, detail: error.detail };
  }
}

/** The topics that an expression names without a negation. */
export function wantedTopics(expression: TopicExpression): ReadonlySet<string> {
  return new Set(leavesOf(expression).flatMap((leaf) => (leaf.negated ? [] : [leaf.topic])));
}

/** All topics that an expression names. */
export function namedTopics(expression: TopicExpression): ReadonlySet<string> {
  return new Set(leavesOf(expression).map(({ topic }) => topic));
}

/**
 * Topics of which everybody who fits the expression is subscribed to at least one, few if possible;
 * null when somebody may fit without any, as with `!beta`.
 */
export function coveringTopics(expression: TopicExpression): ReadonlySet<string> | null {
  if (expression.kind === 'topic') return expression.negated ? null : new Set([expression.topic]);
  const covers = expression.parts.map(coveringTopics);
  const found = covers.filter((cover) => cover !== null);
  if (expression.kind === 'or') {
    return found.length < covers.length ? null : new Set(found.flatMap((cover) => [...cover]));
  }
  return found.toSorted((a, b) => a.size - b.size)[0] ?? null;
}

type Leaf = Extract<TopicExpression, { readonly kind: 'topic' }>;

function leavesOf(expression: TopicExpression): readonly Leaf[] {
  return expression.kind === 'topic' ? [expression] : expression.parts.flatMap(leavesOf);
}

/** A place in the text where it is no expression; never leaves this file. */
class ExpressionFault extends Error {
  readonly position: number;
  readonly detail: string;

  constructor(position: number, detail: string) {
    super(detail);
    this.position = position;
    this.detail = detail;
  }
}

interface Token {
  /** A sign, or the name of a topic; empty at the end of the text. */
  readonly text: string;
  readonly position: number;
}

const TOKEN = /&&|\|\||[!()]|[^\s&|!()]+|[&|]/g;
const SIGNS: ReadonlySet<string> = new Set(['&&', '||', '!', '(', ')', '']);

function tokensOf(text: string): readonly Token[] {
  const tokens = Array.from(text.matchAll(TOKEN), (match) => ({
    text: match[0],
    position: match.index + 1,
  }));
  return [...tokens, { text: '', position: text.length + 1 }];
}

/** Reads tokens from left to right, a method for each level of binding. */
class TopicParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #topics = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): TopicExpression {
    const expression = this.#either(false);
    const next = this.#next();
    if (next.text !== '')
      throw new ExpressionFault(next.position, `expected "&&", "||" or the end`);
    return expression;
  }

  #either(negated: boolean): TopicExpression {
    return this.#chain('||', negated, () => this.#both(negated));
  }

  #both(negated: boolean): TopicExpression {
    return this.#chain('&&', negated, () => this.#one(negated));
  }

  #chain(sign: '&&' | '||', negated: boolean, read: () => TopicExpression): TopicExpression {
    const first = read();
    const parts = [first];
    while (this.#next().text === sign) {
      this.#at += 1;
      parts.push(read());
    }
    return parts.length === 1 ? first : { kind: (sign === '&&') !== negated ? 'and' : 'or', parts };
  }

  #one(negated: boolean): TopicExpression {
    const { text, position } = this.#next();
    this.#at += 1;
    if (text === '!') return this.#deeper(position, () => this.#one(!negated));
    if (text === '(') return this.#deeper(position, () => this.#enclosed(negated));
    if (SIGNS.has(text)) throw new ExpressionFault(position, 'expected a topic, "!" or "("');
    if (!isTopic(text)) {
      throw new ExpressionFault(position, `not the name of a topic: ${TOPIC_FORM}`);
    }
    this.#topics += 1;
    if (this.#topics > LIMITS.expressionTopics) {
      throw new ExpressionFault(position, `more than ${LIMITS.expressionTopics} topics`);
    }
    return { kind: 'topic', topic: text, negated };
  }

  #enclosed(negated: boolean): TopicExpression {
    const expression = this.#either(negated);
    const { text, position } = this.#next();
    if (text !== ')') throw new ExpressionFault(position, 'expected "&&", "||" or ")"');
    this.#at += 1;
    return expression;
  }

  #deeper(position: number, read: () => TopicExpression): TopicExpression {
    this.#depth += 1;
    if (this.#depth > LIMITS.expressionDepth) {
      throw new ExpressionFault(position, `nested more than ${LIMITS.expressionDepth} deep`);
    }
    const expression = read();
    this.#depth -= 1;
    return expression;
  }

  #next(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a text has an end');
    return token;
  }
}
