/** The symbol that ends nothing: its code only lends its first bits to the padding. */
export const EOS = 256;

/**
 * RFC 7541 Appendix B: how many bits the code of each symbol has, sixteen symbols to a line, EOS
 * last. That is the whole table, because the code is canonical: in the order of length, then of
 * symbol, each code is the next binary number.
 */
const LENGTHS = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
  28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
   6 10 10 12 13  6  8 11 10 10  8 11  8  6  6  6
   5  5  5  6  6  6  6  6  6  6  7  8 15  6 12 10
  13  6  7  7  7  7  7  7  7  7  7  7  7  7  7  7
   7  7  7  7  7  7  7  7  8  7  8 13 19 13 14  6
  15  5  6  5  6  5  6  6  6  5  7  7  6  6  6  5
   6  7  6  5  5  6  7  7  7  7  7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
  24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
  21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
  19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
  26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`;

/** The bits in the code of each symbol, by symbol. */
export const CODE_BITS = Uint8Array.from(LENGTHS.trim().split(/\s+/), Number);

/** The code of each symbol, by symbol, its last bit lowest. */
export const CODES = assignCodes();

function assignCodes(): Int32Array {
  const symbols = Array.from(CODE_BITS.keys());
  symbols.sort((left, right) => bitsOf(left) - bitsOf(right) || left - right);
  const codes = new Int32Array(CODE_BITS.length);
  let code = 0;
  let bits = 0;
  for (const symbol of symbols) {
    code <<= bitsOf(symbol) - bits;
    bits = bitsOf(symbol);
    codes[symbol] = code;
    code += 1;
  }
  return codes;
}

function bitsOf(symbol: number): number {
  return CODE_BITS[symbol] ?? 0;
}
