import { expect, test } from 'vitest';
import type { Message } from '../port/types';
import { followed, joined, placed, without } from './timeline';

const message = (id: string, text = ''): Message => ({ id, text, chat: 'c', sender: 's', time: '2026-11-22T10:00:00Z', delivery: 'received', lock: { state: 'locked' } });
const list = (...ids: string[]) => ids.map((id) => message(id));
const ids = (l: readonly Message[]) => l.map((m) => m.id).join('');
const fresh = (id: string, after?: string) => ({ event: 'messageChanged' as const, message: message(id), new: true, after });
const all = { whole: true, end: true };

test('a new message stands behind the one it is told to stand behind', () => {
	expect(ids(placed(list('a', 'b', 'd'), fresh('c', 'b'), all))).toBe('abcd');
	expect(ids(placed(list('a', 'b'), fresh('c', 'b'), all))).toBe('abc');
});

test('the oldest message is put first only where the list reaches the beginning', () => {
	expect(ids(placed(list('b'), fresh('a'), all))).toBe('ab');
	expect(ids(placed(list('b'), fresh('a'), { whole: false, end: true }))).toBe('b');
});

test('what stands behind a message of another page is left to that page', () => {
	expect(ids(placed(list('b', 'c'), fresh('x', 'a'), all))).toBe('bc');
	expect(ids(placed(list('b', 'c'), fresh('x', 'c'), { whole: true, end: false }))).toBe('bc');
	expect(ids(placed(list('b', 'c'), fresh('x', 'b'), { whole: true, end: false }))).toBe('bxc');
});

test('a change replaces the message in its place, and adds none', () => {
	const changed = placed(list('a', 'b'), { event: 'messageChanged', message: message('a', 'new') }, all);
	expect(changed.map((m) => m.text)).toEqual(['new', '']);
	expect(ids(placed(list('a'), { event: 'messageChanged', message: message('z') }, all))).toBe('a');
});

test('a message told as new again is there once, where it is told to be', () => {
	expect(ids(placed(list('a', 'b', 'c'), fresh('c', 'a'), all))).toBe('acb');
	expect(ids(placed(list('a', 'b', 'c'), fresh('c', 'b'), all))).toBe('abc');
});

test('pages that overlap have each message once', () => {
	expect(ids(joined(list('a', 'b'), list('b', 'c')))).toBe('abc');
	expect(ids(followed(list('b', 'c'), list('c', 'd')))).toBe('bcd');
	expect(ids(without(list('a', 'b'), 'a'))).toBe('b');
});
