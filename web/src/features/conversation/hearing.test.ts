import { beforeEach, expect, test } from 'vitest';
import { World } from '../../model/world';
import type { Chat, Message } from '../../port/types';
import { FakeEngine } from '../../port/fake';
import { announced } from '../../ui/announcer.svelte';
import { brief, told } from '../../i18n/words';
import { hearing } from './hearing';

const vault = { read: async () => null, write: async () => {}, erase: async () => {} };
const chat = (more: Partial<Chat> = {}): Chat => ({ address: 'bob@x', name: 'Bob', active: '2026-11-22T10:00:00Z', lock: { state: 'locked' }, ...more });
const message = (more: Partial<Message> = {}): Message => ({ id: '1', chat: 'bob@x', sender: 'bob@x', name: 'Bob', time: '2026-11-22T10:00:00Z', text: 'good morning', delivery: 'received', lock: { state: 'locked' }, ...more });

let engine: FakeEngine;
let before = 0;
beforeEach(() => {
	engine = new FakeEngine();
	hearing(new World(engine, vault));
	before = announced().at(-1)?.id ?? -1;
});
const said = () => announced().filter((l) => l.id > before).map((l) => l.text);
const comes = (more: Partial<Message>, how: { new?: boolean; late?: boolean } = { new: true }) => engine.tell({ event: 'messageChanged', message: message(more), ...how });

test('a new message is told once, with whose it is and without its time', () => {
	comes({});
	comes({ reactions: [{ emoji: '👍', who: ['bob@x'] }] }, {});
	expect(said()).toEqual(['Bob: good morning']);
});

test('one’s own, what came while one was away, and lines of the engine are not told', () => {
	comes({ mine: true });
	comes({}, { new: true, late: true });
	comes({ notice: 'new-device', params: ['bob@x'] });
	expect(said()).toEqual([]);
});

test('a chat that makes no sound is silent', () => {
	engine.tell({ event: 'chatChanged', chat: chat({ muted: '2999-01-01T00:00:00Z' }) });
	comes({});
	expect(said()).toEqual([]);
});

test('what is said in a group elsewhere has its name', () => {
	engine.tell({ event: 'chatChanged', chat: chat({ address: 'r@x', name: 'Readers', room: true }) });
	comes({ chat: 'r@x' });
	expect(said()).toEqual(['Readers, Bob: good morning']);
});

test('a name cannot turn what is told, and a flood is told by its last lines', () => {
	for (let i = 0; i < 50; i++) comes({ id: String(i), name: 'Bo\u202Eb', text: `line ${i}` });
	expect(said().at(-1)).toBe('Bob: line 49');
	expect(told(message({ text: 'pay \u202E001 to \u2066me\u2069' }))).toContain('pay 001 to me');
	expect(said().length).toBeLessThan(10);
});

test('a message tells whose it is, what it says, when, and how far it has come in one go', () => {
	expect(told(message())).toMatch(/^From \u2068Bob\u2069\. good morning\. \d/);
	expect(told(message({ mine: true, delivery: 'read', edited: true }))).toMatch(/^From you\. good morning\. edited\. .*Read$/);
	expect(told(message({ retracted: true, text: '', reactions: [{ emoji: '👍', who: null }] }))).not.toContain('👍');
	expect(told(message({ reply: { sender: 'al@x', text: 'hm' } }), { quoted: 'Al', open: true })).toMatch(/In reply to \u2068Al\u2069: \u2068hm\u2069\..*Not encrypted/);
	expect(told(message({ text: 'see', file: { name: 'a.jpg', type: 'image/jpeg', state: 'here' } }))).toMatch(/see\. Photo/);
});

test('of a long message a row tells the beginning', () => {
	expect(brief(message({ text: `begun ${'and on '.repeat(5000)}` }), true)).toMatch(/^Bob: begun and on .{200,290}$/);
});
