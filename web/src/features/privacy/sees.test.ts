import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { groups, lines, unknownOf, type Answer, type Entry } from './sees';

const entry = (name: string, more: Partial<Entry> = {}): Entry => ({ kind: 'space', name, fields: 'what', purpose: 'why', life: 0, ...more });
const answer = (...entries: Entry[]): Answer => ({ version: 1, domain: 'x', software: 'Mirsal', encrypted: true, entries });

const root = join(import.meta.dirname, '../../../../internal');

// what the server's sources declare: store.Space{Name: "…"}, and what transparency.go adds
function declared(): string[] {
	const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go') && !f.includes('storetest'));
	const names = sources.flatMap((f) => {
		const text = readFileSync(join(root, f), 'utf8');
		const spaces = [...text.matchAll(/store\.Space\{\s*Name:\s*"([^"]+)"/g)];
		const beside = f.endsWith('transparency.go') ? [...text.matchAll(/Kind: "[a-z]+", Name: "([^"]+)"/g)] : [];
		return [...spaces, ...beside].map((found) => found[1]!);
	});
	return [...new Set(names)].sort();
}

test('everything that the server declares has words, and no words are left over', () => {
	const known = groups.flatMap((g) => g.about.flatMap((a) => a.names)).sort();
	expect(declared().length).toBeGreaterThan(30);
	expect(known).toEqual(declared());
});

test('what is kept neither as long as an account nor for a time has words for until when', () => {
	const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go') && !f.includes('storetest'));
	const spaces = sources.flatMap((f) => [...readFileSync(join(root, f), 'utf8').matchAll(/store\.Space\{\s*Name:\s*"([^"]+)"[^{}]*?\bUntil:/g)].map((found) => found[1]!));
	expect(spaces).toContain('room-former');
	for (const name of spaces.filter((s) => s !== 'report-told')) {
		const [about] = groups.flatMap((g) => g.about).filter((a) => a.names.includes(name));
		expect(about?.until, name).toBeTruthy();
	}
	const [mark] = lines(answer(entry('room-former', { until: 'the server itself is gone' })));
	expect(mark!.lines[0]!.until).toBeTruthy();
});

test('what has no words here is shown as the server says it', () => {
	const all = lines(answer(entry('roster'), entry('spyglass', { life: 60 })));
	expect(all.at(-1)!.lines).toEqual([{ title: 'spyglass', what: 'what. why.', life: 60, until: undefined }]);
	expect(unknownOf([entry('roster'), entry('spyglass')]).map((e) => e.name)).toEqual(['spyglass']);
});

test('nothing is told of what this server does not keep', () => {
	const [only, ...rest] = lines(answer(entry('blocked')));
	expect(only!.lines).toHaveLength(1);
	expect(rest).toEqual([]);
});

test('how long is that of the thing itself, not of what is kept beside it', () => {
	const [said] = lines(answer(entry('messages', { life: 86_400 }), entry('archive')));
	expect(said!.lines[0]).toMatchObject({ life: 86_400, until: undefined });
	const [kept] = lines(answer(entry('messages', { until: 'acknowledged …' })));
	expect(kept!.lines[0]!.until).toBeTruthy();
});
