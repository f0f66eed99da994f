import { afterEach, expect, test } from 'vitest';
import { speak } from '../../i18n';
import { Settings } from '../../model/settings.svelte';
import type { Call, Chat, Message, MessageChanged } from '../../port/types';
import { Choices } from './choices.svelte';
import { once, textOf, wants } from './notifier.svelte';
import { callWords } from './ringing';

const lock = { state: 'locked' as const };
const chat = (more: Partial<Chat> = {}) => ({ address: 'bob@example.org', name: 'bob', active: '2026-01-01T00:00:00Z', lock, ...more }) as Chat;
const message = (more: Partial<Message> = {}) => ({ id: 'm1', chat: 'bob@example.org', sender: 'bob@example.org', time: '2026-01-01T00:00:00Z', delivery: 'received', text: 'hello', lock, ...more }) as Message;
const fresh = (more: Partial<MessageChanged> = {}) => ({ event: 'messageChanged', message: message(), new: true, ...more }) as MessageChanged;

afterEach(() => localStorage.clear());

test('what is new from others is told of', () => expect(wants(fresh(), chat())).toBe(true));

test.each([
	['what came before one was there', fresh({ late: true }), chat()],
	['what changes', fresh({ new: false }), chat()],
	['what one has said on another device', fresh({ message: message({ mine: true }) }), chat()],
	['a line of our own', fresh({ message: message({ notice: 'joined' }) }), chat()],
	['what was taken back', fresh({ message: message({ retracted: true }) }), chat()],
	['a muted chat', fresh(), chat({ muted: '9999-01-01T00:00:00Z' })],
	['a chat put away', fresh(), chat({ archived: true })],
	['who is blocked', fresh(), chat({ blocked: true })],
	['a chat that is not there', fresh(), undefined],
])('%s is not told of', (_, change, of) => expect(wants(change, of)).toBe(false));

test('of several windows one tells, and each message once', () => {
	expect([once('a'), once('a'), once('b'), once('a')]).toEqual([true, false, true, false]);
	localStorage.setItem('mirsal told', '{"no":"list"}');
	expect(once('c')).toBe(true);
	for (let i = 0; i < 200; i++) once(`m${i}`);
	expect((JSON.parse(localStorage.getItem('mirsal told')!) as string[]).length).toBe(50);
});

test('only who has written is shown, unless one wants more', () => {
	const settings = new Settings();
	settings.locale = 'en';
	speak(settings);
	expect(textOf(message({ text: 'a secret' }), chat(), false, settings.tag)).toBe('New message');
	expect(textOf(message({ text: 'a secret' }), chat({ unread: 3 }), false, settings.tag)).toBe('3 new messages');
	expect(textOf(message({ text: 'a secret' }), chat(), true, settings.tag)).toBe('a secret');
	expect(textOf(message({ text: 'x'.repeat(100_000) }), chat(), true, settings.tag)).toHaveLength(200);
});

test('nothing is told before somebody wants it, and choices are kept', () => {
	const first = new Choices();
	expect([first.on, first.text, first.sound]).toEqual([false, false, false]);
	first.change({ on: true });
	first.change({ sound: true });
	const next = new Choices();
	expect([next.on, next.text, next.sound]).toEqual([true, false, true]);
	localStorage.setItem('mirsal notify', 'nonsense');
	expect(new Choices().on).toBe(false);
});

test('a call is told of while it rings and when it was missed, and otherwise not', () => {
	const settings = new Settings();
	settings.locale = 'en';
	speak(settings);
	const call = (more: Partial<Call>) => callWords({ id: 'c', chat: 'bob@example.org', state: 'incoming', at: '', muted: {}, theirMuted: {}, ...more });
	expect([call({}), call({ video: true }), call({ state: 'ended', why: 'missed' })]).toEqual(['Incoming call', 'Incoming video call', 'Missed call']);
	for (const none of [{ mine: true }, { state: 'active' }, { state: 'ended', why: 'declined-elsewhere' }, { state: 'ended', why: 'missed', silent: 'stranger' }, { state: 'ended', why: 'missed', late: true }]) expect(call(none)).toBe('');
});
