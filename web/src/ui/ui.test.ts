import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { initialsOf, toneOf, tones } from './avatar';
import { plain } from './bidi';
import { roving } from './roving';
import { brief, day, number } from './time';

test('what would turn the direction of a name is taken out', () => {
	expect(plain('Bob\u202Egnp.exe')).toBe('Bobgnp.exe');
	expect(plain('\u2066a\u2069\u200Fb\u061C')).toBe('ab');
	expect(plain(' a\n\tb\u200B ')).toBe('a b');
	expect(plain('سارة العلي')).toBe('سارة العلي');
	expect(plain(`Z${'\u0335\u0301'.repeat(500)}e بِسْمِ نُّور`)).toBe('Z\u0335\u0301\u0335\u0301e بِسْمِ نُّور'); // marks of a language stay
});

test('initials are of the first and the last word, one where letters join', () => {
	expect(initialsOf('Ada King Lovelace')).toBe('AL');
	expect(initialsOf('bob')).toBe('B');
	expect(initialsOf('سارة العلي')).toBe('س');
	expect(initialsOf('👩‍🔬 Lab')).toBe('👩‍🔬L');
	expect(initialsOf('\u202E--')).toBe('?');
});

function luminance(hex: string): number {
	const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
function contrast(a: string, b: string): number {
	const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (high! + 0.05) / (low! + 0.05);
}

test('white letters can be read on every tone', () => {
	for (const tone of tones) expect(contrast('#ffffff', tone), tone).toBeGreaterThanOrEqual(4.5);
	expect(toneOf('a@x')).toBe(toneOf('a@x'));
});

const css = readFileSync('src/ui/tokens.css', 'utf8');
const sides = (name: string) => {
	const pair = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css);
	if (!pair) throw new Error(`no ${name}`);
	return [pair[1]!, pair[2]!] as const;
};

test('words can be read on what they stand on, in light and dark', () => {
	const pairs: [string, string, number][] = [
		...['ground', 'surface', 'raised', 'canvas', 'hover', 'chosen'].flatMap((on): [string, string, number][] => [['ink', on, 7], ['ink-soft', on, 4.5]]),
		...['surface', 'ground', 'chosen', 'hover'].map((on): [string, string, number] => ['ink-faint', on, 4.5]),
		['ink', 'bubble', 7], ['ink', 'bubble-mine', 7], ['bubble-ink-soft', 'bubble', 4.5], ['bubble-ink-soft', 'bubble-mine', 4.5],
		['on-accent', 'accent', 4.5], ['on-danger', 'danger', 4.5], ['danger', 'surface', 4.5], ['danger', 'canvas', 4.5], ['warn', 'warn-soft', 4.5], ['warn', 'surface', 4.5],
		['accent', 'surface', 4.5], ['accent', 'chosen', 4.5], ['accent', 'canvas', 4.5], ['link', 'bubble', 4.5], ['link', 'bubble-mine', 4.5], ['read', 'bubble-mine', 3],
		['line-strong', 'surface', 3],
	];
	const poor = pairs.flatMap(([ink, on, least]) => [0, 1].filter((side) => contrast(sides(ink)[side as 0], sides(on)[side as 0]) < least).map((side) => `${ink} on ${on}, ${side ? 'dark' : 'light'}: ${contrast(sides(ink)[side as 0], sides(on)[side as 0]).toFixed(2)} < ${least}`));
	expect(poor).toEqual([]);
});

test('days are named as people name them, with the chosen digits', () => {
	const now = new Date(2026, 10, 22, 12);
	const at = (d: number) => new Date(2026, 10, d, 9, 30);
	expect(day(at(22), now, 'en-u-nu-latn')).toBe('Today');
	expect(day(at(21), now, 'ar-u-nu-arab')).toBe('أمس');
	expect(day(at(18), now, 'en-u-nu-latn')).toBe('Wednesday');
	expect(day(at(1), now, 'ar-u-nu-arab')).toBe('١ نوفمبر');
	expect(brief(at(22), now, 'en-u-nu-latn')).toMatch(/^9:30\sAM$/);
	expect(number(12345, 'ar-u-nu-latn')).toMatch(/12.345/);
});

test('the arrows lead through the inner of two lists, as a menu in a message is', () => {
	document.body.innerHTML = '<div id="outer"><b class="row" tabindex="-1"><span id="inner"><button>1</button><button>2</button></span></b><b class="row" tabindex="-1">last</b></div>';
	const ends = [roving('button')(document.querySelector('#inner')!), roving('.row')(document.querySelector('#outer')!)];
	const first = document.querySelector('button')!;
	Element.prototype.scrollIntoView = () => {};
	first.focus();
	first.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true, cancelable: true }));
	expect(document.activeElement?.textContent).toBe('2');
	ends.forEach((end) => end?.());
});
