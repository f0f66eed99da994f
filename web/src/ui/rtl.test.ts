// The screen runs from the right as it does from the left: what would not is found in the sources.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isolated, plain } from './bidi';
import { icons, mirrored, type IconName } from './icons';

const sources = (readdirSync('src', { recursive: true }) as string[]).filter((f) => /\.(svelte|css)$/.test(f) && !f.includes('paraglide')).map((f) => ({ name: f, text: readFileSync(`src/${f}`, 'utf8').replace(/<!--.*?-->|\/\*.*?\*\//gs, '') }));

// which side a line speaks of: in files that are in the list for a reason
const physical: [RegExp, string, Record<string, string>?][] = [
	[/(margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right)\b/, 'a physical property'],
	[/(^|[{;\s])(left|right)\s*:/, 'a physical place', { 'features/files/Attach.svelte': 'over an element that was measured' }],
	[/-(left|right)-radius/, 'a physical corner'],
	[/float\s*:\s*(left|right)/, 'a physical float'],
	[/text-align\s*:\s*(left|right)/, 'text aligned to a side', { 'features/chats/Row.svelte': 'the side of the screen, by its direction', 'features/conversation/Styled.svelte': 'program text' }],
	[/translateX|translate\s*:\s*-?(calc|[1-9.])(?!.*var\(--way)|translate\(/, 'a move to a side', { 'features/media/Viewer.svelte': 'a picture follows the finger' }],
	[/scaleX\(-1\)/, 'something mirrored', { 'ui/Icon.svelte': 'signs that point along the line' }],
	[/(to|origin\s*:)\s+(left|right)\b/, 'a physical gradient or origin'],
	[/\{@html/, 'text that becomes HTML'],
	[/\sstyle="/, 'a style attribute'],
];

test('nothing in the sources speaks of left and right', () => {
	const found = sources.flatMap(({ name, text }) =>
		text.split('\n').flatMap((line, i) => physical.filter(([what, , but]) => what.test(line) && !but?.[name]).map(([, says]) => `${name}:${i + 1}: ${says}: ${line.trim()}`)),
	);
	expect(found).toEqual([]);
});

test('four sides in one line are the same on both sides', () => {
	const four = /(?:margin|padding|inset|border-width)[ ]*:[ ]*([^\s;(]+)[ ]+([^\s;(]+)[ ]+([^\s;(]+)[ ]+([^\s;(]+)[ ]*;/g;
	const uneven = sources.flatMap(({ name, text }) => [...text.replace(/var\((--\w+)\)/g, '$1').matchAll(four)].filter((x) => x[2] !== x[4]).map((x) => `${name}: ${x[0]}`));
	expect(uneven).toEqual([]);
});

test('signs that point along the line are mirrored, and those of a machine or a clock are not', () => {
	const along: IconName[] = ['back', 'forward', 'send', 'reply', 'forwardTo', 'leave'];
	expect([...mirrored].sort()).toEqual(along.sort());
	for (const still of ['play', 'pause', 'clock', 'timer', 'retry', 'tick', 'ticks', 'search', 'microphone', 'qr'] as const) {
		expect(icons).toHaveProperty(still);
		expect(mirrored.has(still), still).toBe(false);
	}
});

test('addresses and codes run from the left', () => {
	const base = readFileSync('src/ui/base.css', 'utf8');
	expect(base).toMatch(/\.code \{[^}]*direction: ltr;[^}]*unicode-bidi: isolate/);
	expect(base).toMatch(/\.words \{[^}]*unicode-bidi: plaintext/);
});

// R9: names that pretend to be others, by characters that turn or are not seen
const turning = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c];
const hidden = [0x200b, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xfeff, 0x00ad, 0x034f, 0x115f, 0x180e, 0x3164, 0xffa0, 0x2800, 0xe0041, 0x0000, 0x0007, 0x009f];
const names = ['Alice', 'سارة العلي', 'Bob gpj.exe', 'mail 123', 'א׳ב', '管理员'];
const shapes = [(n: string, c: string) => c + n, (n: string, c: string) => n + c, (n: string, c: string) => c + n + c, (n: string, c: string) => `${n.slice(0, 3)}${c}${n.slice(3)}`];

test('of more than 200 names with characters that turn or hide, none keeps one', () => {
	const marks = [...turning, ...hidden].map((c) => String.fromCodePoint(c));
	const spoofs = marks.flatMap((c) => names.flatMap((name) => shapes.map((shape) => ({ name, c, spoof: shape(name, c) }))));
	expect(spoofs.length).toBeGreaterThan(200);
	for (const { name, c, spoof } of spoofs) {
		const shown = plain(spoof);
		expect(shown, JSON.stringify(spoof)).not.toContain(c);
		expect(shown.replace(/\s/g, ''), JSON.stringify(spoof)).toBe(name.replace(/\s/g, ''));
	}
});

test('a name that is nothing but marks is empty, so that its address is shown', () => {
	expect(plain('\u202E\u200B\u3164')).toBe('');
});

test('what letters and signs are made of stays', () => {
	for (const name of ['می‌خواهم', '👩‍🔬', '❤️', 'é', 'ＡＢＣ']) expect(plain(name)).toBe(name);
});

test('a name in a sentence cannot end its isolation', () => {
	expect(isolated(plain('a\u2069b'))).toBe('\u2068ab\u2069');
});
