import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lacking, type Messages } from '../../build/words';

const en: Messages = { a: 'A {x}', n: [{ declarations: [], match: { 'p=one': '{n}', 'p=other': '{n}s' } }] };

test('a missing message, plural form or parameter is found', () => {
	const forms = Object.fromEntries(['zero', 'one', 'two', 'few', 'many', 'other'].map((f) => [`p=${f}`, '{n}']));
	const whole: Messages = { a: 'أ {x}', n: [{ declarations: [], match: forms }] };
	expect(lacking({ en, ar: whole })).toEqual([]);
	expect(lacking({ en, ar: { ...whole, a: 'أ' } })[0]).toContain('parameters');
	expect(lacking({ en, ar: { a: 'أ {x}', n: en.n! } })).toContain('ar: n has no form for few');
	expect(lacking({ en, ar: { n: whole.n! } })).toEqual(['ar: a is missing']);
	expect(lacking({ en: { a: 'A {x}' }, ar: { a: 'أ {x}', b: 'ب' } })).toEqual(['en: b is missing']);
});

test('no screen says words that only a server would say', () => {
	const text = readFileSync('messages/en.json', 'utf8') + readFileSync('messages/ar.json', 'utf8');
	expect(text.replace(/"\$schema".*/, '')).not.toMatch(/\b(JID|XMPP|OMEMO|fingerprint)\b|جابر/i);
});

test('a name in a sentence without its marks is told', () => {
	const shut = { a: 'A \u2068{name}\u2069.', n: 'b' };
	expect(lacking({ en: shut, ar: shut })).toEqual([]);
	for (const a of ['A {name}.', 'A \u2068{name}.', 'A {name}\u2069.']) expect(lacking({ en: shut, ar: { ...shut, a } })[0]).toContain('ar: a lets');
});
