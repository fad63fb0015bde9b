/** Addresses that are not of the public internet, with what lives there. */
export const PRIVATE_IPV4: Readonly<Record<string, string>> = {
  '127.0.0.1': 'loopback',
  '127.255.255.254': 'the end of loopback',
  '0.0.0.0': 'this host',
  '10.0.0.1': 'a private network',
  '172.16.0.1': 'a private network',
  '172.31.255.255': 'the end of a private network',
  '192.168.0.1': 'a router',
  '100.64.0.1': "a carrier's network",
  '100.100.100.200': 'metadata of a cloud',
  '169.254.169.254': 'metadata of most clouds',
  '168.63.129.16': 'the host of a virtual machine',
  '192.0.0.192': 'metadata of a cloud',
  '198.18.0.1': 'benchmarks',
  '203.0.113.7': 'documentation',
  '224.0.0.1': 'multicast',
  '255.255.255.255': 'broadcast',
};

/** The same of IPv6, IPv4 in disguise among it. */
export const PRIVATE_IPV6: readonly string[] = [
  '::',
  '::1',
  'fe80::1',
  'fe80::1%eth0',
  '2600::1%lo',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::a00:1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '2001:0:4136:e378:8000:63bf:80ff:fffe',
  '2001:db8::1',
  '2001:10::1',
  '3fff::1',
  '100::1',
  '5f00::1',
  '4000::1',
];

export const PUBLIC_ADDRESSES: readonly string[] = [
  '8.8.8.8',
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
];

export const NO_ADDRESSES: readonly string[] = ['', 'localhost', '127.1', '0x7f000001', '[::1]'];

type Spelling = (octets: readonly number[]) => string;

/** Ways to write an IPv4 address in a URL; a resolver or a parser takes some of them. */
const SPELLINGS: Readonly<Record<string, Spelling>> = {
  usual: (o) => o.join('.'),
  'as a number': (o) => String(toNumber(o)),
  'as a hexadecimal number': (o) => `0x${toNumber(o).toString(16)}`,
  'as an octal number': (o) => `0${toNumber(o).toString(8)}`,
  'in octal parts': (o) => o.map((one) => `0${one.toString(8)}`).join('.'),
  'in long octal parts': (o) => o.map((one) => `00000${one.toString(8)}`).join('.'),
  'in hexadecimal parts': (o) => o.map((one) => `0x${one.toString(16)}`).join('.'),
  'in two parts': ([a = 0, b = 0, c = 0, d = 0]) => `${a}.${b * 65_536 + c * 256 + d}`,
  'in three parts': ([a = 0, b = 0, c = 0, d = 0]) => `${a}.${b}.${c * 256 + d}`,
  'with a dot at its end': (o) => `${o.join('.')}.`,
  'percent-encoded': (o) => o.join('%2e').replaceAll('1', '%31'),
  'in fullwidth digits': (o) => fullwidth(o.join('.')),
  'with ideographic dots': (o) => o.join('。'),
  'IPv4-mapped': (o) => `[::ffff:${o.join('.')}]`,
  'IPv4-mapped in hexadecimal': (o) => `[::ffff:${groups(o)}]`,
  'behind NAT64': (o) => `[64:ff9b::${groups(o)}]`,
  'in 6to4': (o) => `[2002:${groups(o)}::1]`,
};

function toNumber(octets: readonly number[]): number {
  return octets.reduce((number, octet) => number * 256 + octet, 0);
}

function groups([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function fullwidth(text: string): string {
  return text.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
}

/** URLs that name what is not public, or are no URLs for us; none may lead to a connection. */
export function hostileUrls(port: number): readonly string[] {
  const numbered = Object.keys(PRIVATE_IPV4).flatMap((address) =>
    Object.values(SPELLINGS).map((spell) => `https://${spell(address.split('.').map(Number))}/`),
  );
  const ipv6 = PRIVATE_IPV6.flatMap((address) => [
    `https://[${address}]/`,
    `https://[${address.replace('%', '%25')}]/`,
  ]);
  return [...new Set([...numbered, ...ipv6, ...otherUrls(port)])];
}

function otherUrls(port: number): readonly string[] {
  return [
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
    'https://intranet/',
    'https://keys.example./',
    'https://8.8.8.8/',
    `https://localhost:${port}/`,
    `https://127.0.0.1:${port}/`,
    `https://[::1]:${port}/`,
    `https://keys.example:${port}/`,
    'https://keys.example:80/',
    `http://127.0.0.1:${port}/`,
    'http://keys.example/',
    'HTTP://keys.example/',
    `https://user@127.0.0.1:${port}/`,
    'https://user:secret@keys.example/',
    'https://:secret@keys.example/',
    'https://keys.example/#fragment',
    'https://keys.example\\@127.0.0.1/',
    'https:\\\\127.0.0.1\\',
    ' https://keys.example/',
    'https://keys.example/\n',
    'https://ke\tys.example/',
    'https://keys.example\r\nHost: 127.0.0.1/',
    'https://',
    'https:///127.0.0.1/',
    'https:127.0.0.1/',
    '//127.0.0.1/',
    '/etc/passwd',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'gopher://127.0.0.1/',
    'data:application/json,{}',
    'javascript:alert(1)',
    'unix:///var/run/docker.sock',
    'wss://127.0.0.1/',
    '',
  ];
}
