import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from '../../model/connection.svelte';
import { FakeEngine } from '../../port/fake';
import { about, arrivalOf, ownerOf, type Invitation } from './invitation';
import { Joining } from './joining.svelte';
import { another, check, shortName, typedName } from './names';
import { Onboarding } from './onboarding.svelte';
import { signUp } from './signup';

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

test('an invitation or a code is found in whatever somebody pastes', () => {
	const code = 'mirsal:link?a=alice%40example.org&t=T&k=K&p=P';
	for (const text of ['https://x.org/#invite=ABC', 'https://x.org/invite/ABC', ' https://x.org/invite/ABC/apps\n', 'xmpp:x.org?register;preauth=ABC', 'Come: https://x.org/invite/ABC?a=b (Bob)']) {
		expect(arrivalOf(text), text).toEqual({ token: 'ABC' });
	}
	for (const text of [code, ` ${code}\n`, code.replace('mirsal:link?', 'https://x.org/#link=')]) expect(arrivalOf(text)).toEqual({ code });
	for (const text of ['', 'hello', 'https://x.org/', 'https://x.org/#/chat/bob@x.org', '#link=javascript:alert(1)', '#link=&a=b']) expect(arrivalOf(text), text).toEqual({});
	expect(ownerOf(code)).toBe('alice@example.org');
});

test('an invitation is taken off the address at once', () => {
	history.replaceState(null, '', '/#invite=ABC');
	const o = new Onboarding();
	o.arrive();
	expect([o.token, location.hash]).toEqual(['ABC', '']);
	o.leave();
	o.arrive();
	expect(o.token).toBe('');
});

test('the form needs no engine, and nobody who has an account is asked in', () => {
	const o = new Onboarding();
	const connection = new Connection(new FakeEngine());
	expect(o.wanted({ connection })).toBe(true); // nobody was ever here
	localStorage.setItem('mirsal ', 'a@x');
	expect(o.wanted({ connection })).toBe(false);
	o.take('ABC', '');
	expect(o.wanted({ connection })).toBe(true);
	o.leave();
	connection.address = 'a@x';
	expect(o.wanted({ connection })).toBe(false);
});

test('an invitation for people who have an account waits until they are in', () => {
	const o = new Onboarding();
	const connection = new Connection(new FakeEngine());
	localStorage.setItem('mirsal ', 'a@x');
	o.take('ABC', '');
	o.postpone();
	expect([o.token, o.wanted({ connection })]).toEqual(['', false]);
	o.leave(); // the form that they came in by
	connection.address = 'a@x';
	expect([o.later, o.wanted({ connection })]).toEqual(['ABC', true]);
	o.done();
	expect(o.wanted({ connection })).toBe(false);
});

test('a short name is what the engine would make', () => {
	for (const [name, want] of Object.entries({ 'Sara Ali': 'sara.ali', 'سارة': 'سارة', 'سَارَة عليّ': 'سارة.علي', "O'Neil, J.": 'oneil.j', '  ': '', '😀': '', 'José-María': 'josé.maría', 'العـــربي 2': 'العربي.2' })) {
		expect(shortName(name)).toBe(want);
	}
	// of several scripts, or digits of two kinds, a server takes none
	const mixed = { 'Иван Ivan': 'иван', 'saraсара': 'sara', 'Sara سارة Ali': 'sara.ali', 'سارة Sara': 'سارة', '山田 Ken': '山田.ken', 'ひらKana漢': 'ひらkana漢', '김 Kim カナ': '김.kim', 'sara١٢': 'sara', 'sara 1٢3': 'sara.1', '2 سارة': 'سارة', 'سارة ١٢': 'سارة.١٢', Αlice: 'α' };
	for (const [name, want] of Object.entries(mixed)) expect(shortName(name)).toBe(want);
	expect(typedName('saraсара')).toBe('saraсара');
	for (const [name, want] of Object.entries({ sara: 'sara2', sara2: 'sara3', 'سارة': 'سارة2', agent007: 'agent8', n99999: 'n999992' })) expect(another(name)).toBe(want);
});

test('beside a name that is taken a free one is looked for, a few times at most', async () => {
	const ask = vi.fn(async (_: string, name: string) => (name === 'sara3' ? { free: true, name } : { free: false, why: 'taken' }));
	expect(await check('T', 'sara', ask)).toEqual({ state: 'taken', name: 'sara', free: 'sara3' });
	const never = vi.fn(async () => ({ free: false, why: 'taken' }));
	expect(await check('T', 'sara', never)).toEqual({ state: 'taken', name: 'sara' });
	expect(never.mock.calls.length).toBeLessThan(6);
	expect(await check('T', 'x', async () => ({ free: false, why: 'mixed' }))).toEqual({ state: 'bad' });
	expect(await check('T', 'x', async () => 'paced' as const)).toEqual({ state: 'unknown', why: 'paced' });
});

test('why there is no invitation comes in one of three words', async () => {
	for (const [status, want] of [[404, 'gone'], [429, 'paced'], [503, 'paced']] as const) {
		vi.stubGlobal('fetch', async () => new Response('{}', { status }));
		expect(await about('T')).toBe(want);
	}
	vi.stubGlobal('fetch', async () => Promise.reject(new TypeError()));
	expect(await about('T')).toBe('offline');
});

const invitation: Invitation = { token: 'T', domain: 'x', from: 'alice@x', account: true, contact: true };

test('who signs up comes to the chat of who has invited, and the picture does not hold it up', async () => {
	const e = new FakeEngine();
	const connection = new Connection(e);
	const picture = { picture: 'AA==', width: 1, height: 1 };
	expect(await signUp({ engine: e, connection }, invitation, { name: 'Sara', short: '', picture })).toEqual({ is: 'in', chat: 'alice@x' });
	expect(e.asked).toEqual([
		{ do: 'signUp', invitation: 'T', domain: 'x', name: undefined, displayName: 'Sara' },
		{ do: 'setProfile', ...picture },
	]);
	expect(connection.newcomer).toBe(true);
});

test('what can be mended is asked again, and nothing is sent after a refusal', async () => {
	for (const [code, want] of [['missing', { is: 'gone' }], ['taken', { is: 'name', suggest: 'sara2' }], ['unreachable', { is: 'offline' }], ['internal', { is: 'failed' }]] as const) {
		const e = new FakeEngine({ signUp: () => ({ event: 'done', suggest: 'sara2', failure: { code, text: '' } }) });
		expect(await signUp({ engine: e, connection: new Connection(e) }, invitation, { name: 'Sara', short: 'sara', picture: { picture: '', width: 1, height: 1 } })).toEqual(want);
		expect(e.asked).toHaveLength(1);
	}
});

test('a device that joins shows the digits, and how far its history is', async () => {
	let answer = (_: object) => {};
	const e = new FakeEngine();
	const first = e.do;
	e.do = (async (c: never) => ((c as { do: string }).do === 'linkJoin' ? new Promise((done) => (answer = done)) : first(c))) as never;
	const j = new Joining({ engine: e, connection: new Connection(e) });
	const end = j.listen();
	const joined = j.join('code');
	e.tell({ event: 'linkState', state: 'joined', check: '123456' });
	expect(j.check).toBe('123456');
	e.tell({ event: 'linkState', state: 'receiving', done: 50, total: 200 });
	expect([j.done, j.total]).toEqual([50, 200]);
	answer({ event: 'done' });
	expect(await joined).toBe(true);
	const again = j.join('code');
	answer({ event: 'done', failure: { code: 'refused', text: '' } });
	expect([await again, j.failed]).toEqual([false, 'refused']);
	end();
});
