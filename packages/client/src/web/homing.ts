// The script of pages without a build. Its own address, `https://push.example.com/sdk/homing.js`,
// says where Homing is, and may say which name runs commands: `homing.js?name=pushpad`.
import { installCommands } from './command-queue.ts';
import { createPageCommands } from './page-commands.ts';

const { src } = document.currentScript as HTMLScriptElement;
const name = new URL(src).searchParams.get('name') ?? 'homing';
const commands = createPageCommands(new URL('..', src).href, reportError);
installCommands(globalThis, name, commands, reportError);
